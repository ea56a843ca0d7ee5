// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" */
/*
 * What does not end holds up the unplug: the core says, again and again, which context
 * it waits for and for what of it, and goes on as soon as that has ended. A handler that
 * does not return, a job that does not hear that it is cancelled, a close: the soft
 * driver's parameter linger makes them. And one that does listen holds up nothing. When no
 * context is to blame, it says where it is.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "tap.h"

#define LINGER		"/sys/module/accel_soft/parameters/linger"
#define WARN_MS		"/sys/module/accelerator/parameters/drain_warn_ms"
#define TRACE		"/sys/kernel/tracing/instances/drain"
#define DRIVER		"/sys/bus/platform/drivers/accel_soft/"
#define PARENT		"accel_soft.0"
#define OP_CLOSE	1	/* in the order of the gate's operations, see debugfs */
#define OP_IOCTL	2
#define OP_JOB_RUN	32	/* none of them, docs/tracepoints.md */
#define OP_CANCEL	66

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

	c->ret = dev_write(DRIVER "unbind", PARENT);
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

/* Waits for the next report about @ctx, or whoever came after it. */
static void next_report(FILE *pipe, unsigned long long ctx, struct drain *d)
{
	char line[512], *event;

	while (fgets(line, sizeof(line), pipe)) {
		event = strstr(line, "accel_unplug_drain: ");
		if (event && sscanf(event, "accel_unplug_drain: dev=acc%u dev_id=%llu ctx=%llu op=%d calls=%llu waited_ns=%llu",
				    &d->dev, &d->dev_id, &d->ctx, &d->op, &d->calls,
				    &d->waited_ns) == 6 && d->ctx >= ctx)
			return;
	}
	tap_bail("the trace ended");
}

/* The accelerator on PARENT: its number may be another one after each bind. */
static void find(struct dev_info *dev)
{
	DIR *dir = opendir("/sys/bus/platform/devices/" PARENT "/accelerator");
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (sscanf(e->d_name, "acc%u", &dev->index) == 1) {
			snprintf(dev->name, sizeof(dev->name), "acc%u", dev->index);
			closedir(dir);
			return;
		}
	tap_bail("no accelerator on " PARENT);
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

/*
 * Two reports in a row must say the same: @ctx, @op, one, and for ever longer. Each is traced,
 * then logged.
 */
static void reports(FILE *pipe, struct dev_info *dev, unsigned long long ctx, int op,
		    const char *what)
{
	struct drain first, second;
	char text[160];

	next_report(pipe, ctx, &first);
	next_report(pipe, ctx, &second);
	tap_is(first.dev, dev->index, "%s: accel_unplug_drain names the device", what);
	tap_is(first.ctx, ctx, "%s: the context", what);
	tap_is(first.op, op, "%s: what it is about", what);
	tap_is(first.calls, 1, "%s: how many there are of it", what);
	tap_ok(first.waited_ns >= 10000000 && second.waited_ns > first.waited_ns,
	       "%s: for how long: at least drain_warn_ms, then longer (%llu, %llu ns)", what,
	       first.waited_ns, second.waited_ns);
	tap_ok(second.ctx == ctx && second.op == op, "%s: and the next report says the same", what);
	snprintf(text, sizeof(text), "unplug waits for 1 %s of context %llu (dr\\nain, pid %d) since ",
		 what, ctx, getpid());
	tap_ok(log_says(text), "%s: so does the kernel's log", what);
}

/* The unplug goes on, and the device comes back. */
static void let_go(struct call *unbinding, const char *what)
{
	tap_ok(!done(unbinding), "%s: the unbind waits", what);
	tap_is(dev_write(LINGER, "0"), 0, "%s: is to end", what);
	pthread_join(unbinding->thread, NULL);
	tap_is(unbinding->ret, 0, "%s: then the unbind ends", what);
}

static void come_back(struct dev_info *dev)
{
	if (dev_write(DRIVER "bind", PARENT))
		tap_bail("the device does not come back");
	find(dev);
}

static void open_control(struct dev_info *dev, struct call *c)
{
	char control[DEV_NAME_LEN + 1];
	int op;

	*c = (struct call){};
	snprintf(control, sizeof(control), "%sc", dev->name);
	c->fd = dev_open(control);
	if (c->fd < 0)
		tap_bail("cannot open %s: %s", control, strerror(-c->fd));
	pthread_create(&c->thread, NULL, linger, c);
	while (!ioctls_held(dev->name, &op))
		usleep(1000);
	tap_is(op, OP_IOCTL, "its handler is inside the gate");
}

static void handler(FILE *pipe, struct dev_info *dev)
{
	struct accel_mem_unpin unpin = { .mem_id = 1 };
	struct call ioctl_call, unbind_call = {};
	unsigned long long ctx;

	tap_is(dev_write(LINGER, "2"), 0, "the handler is to linger");
	open_control(dev, &ioctl_call);
	ctx = context_id(dev->name);
	pthread_create(&unbind_call.thread, NULL, unbind, &unbind_call);
	reports(pipe, dev, ctx, OP_IOCTL, "ioctl");
	tap_ok(!done(&ioctl_call), "the handler has not returned");
	tap_is(dev_ioctl(ioctl_call.fd, ACCEL_IOCTL_MEM_UNPIN, &unpin), -ENODEV,
	       "other calls are refused meanwhile");
	tap_is(dev_open(dev->name) == -ENOENT || dev_open(dev->name) == -ENXIO, 1, "opens, too");
	let_go(&unbind_call, "ioctl");
	pthread_join(ioctl_call.thread, NULL);
	tap_is(ioctl_call.ret, 0, "and the call with what the handler answered");
	close(ioctl_call.fd);
	come_back(dev);
}

/* One that the driver's cancel wakes: nothing but that ends it. */
static void listens(struct dev_info *dev)
{
	struct call ioctl_call, unbind_call = {};

	tap_is(dev_write(LINGER, "1"), 0, "the handler is to linger until the device goes");
	open_control(dev, &ioctl_call);
	pthread_create(&unbind_call.thread, NULL, unbind, &unbind_call);
	pthread_join(unbind_call.thread, NULL);
	tap_is(unbind_call.ret, 0, "the driver's cancel wakes it: the unbind ends");
	pthread_join(ioctl_call.thread, NULL);
	tap_is(ioctl_call.ret, 0, "and the call");
	close(ioctl_call.fd);
	tap_is(dev_write(LINGER, "0"), 0, "linger as before");
	come_back(dev);
}

/* A file with a job that runs, and is not to end. */
static int open_with_job(struct dev_info *dev, __u64 *job_id)
{
	struct accel_soft_submit submit = { .op = ACCEL_SOFT_OP_NOP };
	int fd;

	tap_is(dev_soft_latency(dev->name, 1), 0, "jobs have a latency");
	tap_is(dev_write(LINGER, "4"), 0, "jobs are not to end");
	fd = dev_open(dev->name);
	if (fd < 0 || dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &submit))
		tap_bail("cannot submit a job");
	while (dev_attr(dev->name, "engines/eng0/running") != 1)
		usleep(1000);
	*job_id = submit.job_id;
	return fd;
}

static void job(FILE *pipe, struct dev_info *dev)
{
	struct call unbind_call = {};
	struct accel_job_wait wait = {};
	unsigned long long ctx;
	__u64 job_id;
	int fd;

	fd = open_with_job(dev, &job_id);
	ctx = context_id(dev->name);
	pthread_create(&unbind_call.thread, NULL, unbind, &unbind_call);
	reports(pipe, dev, ctx, OP_JOB_RUN, "job_run");
	let_go(&unbind_call, "job_run");
	tap_is(dev_wait(fd, job_id, &wait), -ENODEV, "and the file's device is gone");
	close(fd);
	come_back(dev);
}

static void closing(FILE *pipe, struct dev_info *dev)
{
	struct call unbind_call = {};
	unsigned long long ctx;
	int fd;

	fd = dev_open(dev->name);
	if (fd < 0)
		tap_bail("cannot open %s: %s", dev->name, strerror(-fd));
	ctx = context_id(dev->name);
	tap_is(dev_write(LINGER, "8"), 0, "the driver's close is not to return");
	pthread_create(&unbind_call.thread, NULL, unbind, &unbind_call);
	reports(pipe, dev, ctx, OP_CLOSE, "close");
	let_go(&unbind_call, "close");
	close(fd);
	come_back(dev);
}

/* The driver's own callback: no context has anything to do with it. */
static void cancelling(FILE *pipe, struct dev_info *dev)
{
	struct call unbind_call = {};
	struct drain d;

	tap_is(dev_write(LINGER, "16"), 0, "the driver's cancel is not to return");
	pthread_create(&unbind_call.thread, NULL, unbind, &unbind_call);
	/* what comes before it may take its time, too */
	do {
		next_report(pipe, 0, &d);
	} while (d.ctx || d.op != OP_CANCEL);
	/* each is traced, then logged: the first one's line is there when the next is traced */
	next_report(pipe, 0, &d);
	tap_is(d.dev, dev->index, "cancel: accel_unplug_drain names the device, and where it is");
	tap_ok(log_says("unplug waits for the driver's cancel since "),
	       "cancel: so does the kernel's log");
	let_go(&unbind_call, "cancel");
	come_back(dev);
}

static void *set_failed(void *arg)
{
	struct call *c = arg;
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/accelerator/acc%d/soft/set_state", c->fd);
	c->ret = dev_write(path, "failed");
	__atomic_store_n(&c->done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Somebody else waits for the job, with the device's lock: opens go on, and the unbind tells. */
static void paused(FILE *pipe, struct dev_info *dev)
{
	struct call unbind_call = {}, state_call = { .fd = dev->index };
	struct accel_soft_submit wrong = { .op = ~0U };
	unsigned long long ctx;
	int fd, other;
	__u64 job_id;

	fd = open_with_job(dev, &job_id);
	ctx = context_id(dev->name);
	pthread_create(&state_call.thread, NULL, set_failed, &state_call);
	while (dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &wrong) != -EIO)
		usleep(1000);
	tap_ok(!done(&state_call), "paused: a change of state waits for the job");
	other = dev_open(dev->name);
	tap_ok(other >= 0, "paused: the device can be opened all the same");
	close(other);
	pthread_create(&unbind_call.thread, NULL, unbind, &unbind_call);
	reports(pipe, dev, ctx, OP_JOB_RUN, "job_run");
	let_go(&unbind_call, "job_run");
	pthread_join(state_call.thread, NULL);
	tap_is(state_call.ret, 0, "paused: and the change of state");
	close(fd);
	come_back(dev);
}

int main(void)
{
	struct dev_info dev = {};
	FILE *pipe;

	/* what a process calls itself is not to begin a line of the kernel's log */
	prctl(PR_SET_NAME, "dr\nain");
	find(&dev);
	if ((mkdir(TRACE, 0700) && errno != EEXIST) ||
	    dev_write(TRACE "/events/accel/accel_unplug_drain/enable", "1") ||
	    !(pipe = fopen(TRACE "/trace_pipe", "r")))
		tap_bail("%s: %s", TRACE, strerror(errno));
	tap_is(dev_write(WARN_MS, "10"), 0, "drain_warn_ms can be set");
	handler(pipe, &dev);
	job(pipe, &dev);
	closing(pipe, &dev);
	cancelling(pipe, &dev);
	paused(pipe, &dev);
	listens(&dev);
	tap_is(dev_write(WARN_MS, "1000"), 0, "drain_warn_ms as before");
	fclose(pipe);
	rmdir(TRACE);
	return tap_done();
}
