// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" */
/*
 * A driver's callback that does not end holds up the unplug: the core says, again
 * and again, which context and which operation it waits for, and goes on as soon
 * as the callback has ended. The soft driver's parameter linger makes such a one.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "tap.h"

#define LINGER		"/sys/module/accel_soft/parameters/linger"
#define WARN_MS		"/sys/module/accelerator/parameters/drain_warn_ms"
#define TRACE		"/sys/kernel/tracing/instances/drain"
#define DRIVER		"/sys/bus/platform/drivers/accel_soft/"
#define OP_IOCTL	2	/* in the order of the gate's operations, see debugfs */

struct drain {
	unsigned int dev;
	unsigned long long dev_id, ctx, calls, waited_ns;
	int op;
};

struct call {
	pthread_t thread;
	int fd, ret;
	int done;
};

static void *linger(void *arg)
{
	struct accel_soft_config config = { .engine = ACCEL_SOFT_ENGINE_ANY };
	struct call *c = arg;

	c->ret = dev_ioctl(c->fd, ACCEL_SOFT_IOCTL_CONFIG, &config);
	__atomic_store_n(&c->done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *unbind(void *arg)
{
	struct call *c = arg;

	c->ret = dev_write(DRIVER "unbind", "accel_soft.0");
	__atomic_store_n(&c->done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static int done(struct call *c)
{
	return __atomic_load_n(&c->done, __ATOMIC_SEQ_CST);
}

/* Handlers of ioctls that are inside the gate now; and which operation that is. */
static unsigned int ioctls_held(const char *name, int *op)
{
	char path[96], line[128], word[32];
	unsigned int held = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/accelerator/%s/gate", name);
	f = fopen(path, "r");
	if (!f)
		tap_bail("%s: %s", path, strerror(errno));
	/* after two lines of headings */
	for (*op = -2; fgets(line, sizeof(line), f); ++*op)
		if (sscanf(line, "%31s %*u %*u %*u %u", word, &held) == 2 && !strcmp(word, "ioctl"))
			break;
	fclose(f);
	return held;
}

/* The only context that is open. */
static unsigned long long context_id(const char *name)
{
	char path[96], line[256];
	unsigned long long id = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/accelerator/%s/contexts", name);
	f = fopen(path, "r");
	if (!f || !fgets(line, sizeof(line), f) || fscanf(f, "%llu", &id) != 1)
		tap_bail("%s: no context", path);
	fclose(f);
	return id;
}

/* Waits for the next report. */
static void next_report(FILE *pipe, struct drain *d)
{
	char line[512], *event;

	while (fgets(line, sizeof(line), pipe)) {
		event = strstr(line, "accel_unplug_drain: ");
		if (event && sscanf(event, "accel_unplug_drain: dev=acc%u dev_id=%llu ctx=%llu op=%d calls=%llu waited_ns=%llu",
				    &d->dev, &d->dev_id, &d->ctx, &d->op, &d->calls,
				    &d->waited_ns) == 6)
			return;
	}
	tap_bail("the trace ended");
}

static int log_says(const char *text)
{
	static char log[1 << 20];
	int n = klogctl(3, log, sizeof(log) - 1);

	if (n < 0)
		tap_bail("klogctl: %s", strerror(errno));
	log[n] = '\0';
	return strstr(log, text) != NULL;
}

int main(void)
{
	struct call ioctl_call = {}, unbind_call = {};
	struct accel_mem_unpin unpin = { .mem_id = 1 };
	char control[DEV_NAME_LEN + 1], text[160];
	struct drain first, second;
	unsigned long long ctx;
	struct dev_info dev;
	FILE *pipe;
	int op;

	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	if ((mkdir(TRACE, 0700) && errno != EEXIST) ||
	    dev_write(TRACE "/events/accel/accel_unplug_drain/enable", "1") ||
	    !(pipe = fopen(TRACE "/trace_pipe", "r")))
		tap_bail("%s: %s", TRACE, strerror(errno));
	tap_is(dev_write(WARN_MS, "10"), 0, "drain_warn_ms can be set");
	tap_is(dev_write(LINGER, "1"), 0, "the handler is to linger");

	snprintf(control, sizeof(control), "%sc", dev.name);
	ioctl_call.fd = dev_open(control);
	if (!tap_ok(ioctl_call.fd >= 0, "%s is open", control))
		return tap_done();
	ctx = context_id(dev.name);
	pthread_create(&ioctl_call.thread, NULL, linger, &ioctl_call);
	while (!ioctls_held(dev.name, &op))
		usleep(1000);
	tap_is(op, OP_IOCTL, "its handler is inside the gate");

	pthread_create(&unbind_call.thread, NULL, unbind, &unbind_call);
	next_report(pipe, &first);
	next_report(pipe, &second);
	tap_is(first.dev, dev.index, "accel_unplug_drain names the device");
	tap_is(first.ctx, ctx, "the context");
	tap_is(first.op, OP_IOCTL, "the operation");
	tap_is(first.calls, 1, "how many there are of it");
	tap_ok(first.waited_ns >= 10000000 && second.waited_ns > first.waited_ns,
	       "for how long: at least drain_warn_ms, then longer (%llu, %llu ns)",
	       first.waited_ns, second.waited_ns);
	tap_is(second.ctx, ctx, "and the next report says the same");
	snprintf(text, sizeof(text), "unplug waits for 1 ioctl of context %llu (drain, pid %d) since ",
		 ctx, getpid());
	tap_ok(log_says(text), "so does the kernel's log");
	tap_ok(!done(&unbind_call) && !done(&ioctl_call), "the unbind waits");
	tap_is(dev_ioctl(ioctl_call.fd, ACCEL_IOCTL_MEM_UNPIN, &unpin), -ENODEV,
	       "other calls are refused meanwhile");
	tap_is(dev_open(dev.name) == -ENOENT || dev_open(dev.name) == -ENXIO, 1, "opens, too");

	tap_is(dev_write(LINGER, "0"), 0, "the handler is to end");
	pthread_join(unbind_call.thread, NULL);
	tap_is(unbind_call.ret, 0, "then the unbind ends");
	pthread_join(ioctl_call.thread, NULL);
	tap_is(ioctl_call.ret, 0, "and the call with what the handler answered");
	close(ioctl_call.fd);

	tap_is(dev_write(WARN_MS, "1000"), 0, "drain_warn_ms as before");
	fclose(pipe);
	rmdir(TRACE);
	tap_is(dev_write(DRIVER "bind", "accel_soft.0"), 0, "the device comes back");
	return tap_done();
}
