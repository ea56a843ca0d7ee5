// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" TIMEOUT=120 */
/*
 * What each hook answers is what its caller gets; what is no errno becomes EPERM; a
 * refusal is traced and its reason kept; the order of several policies; and which
 * devices a pattern is for.
 */
#include "policy.h"

static struct dev_info dev, other, edu;
static char *page;

/* Everything that there is a hook for, in turn; the errno of each. */
static int do_hook(int fd, enum probe_hook hook)
{
	struct accel_soft_submit submit = { .op = ACCEL_SOFT_OP_NOP };
	struct accel_job_wait wait;
	uint64_t mem;
	void *map;
	int ret;

	switch (hook) {
	case PROBE_OPEN:
		ret = dev_open(dev.name);
		if (ret >= 0)
			close(ret);
		return ret < 0 ? ret : 0;
	case PROBE_MMAP:
		map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			return -errno;
		munmap(map, PAGE);
		return 0;
	case PROBE_IOCTL:
	case PROBE_MEM_PIN:
	case PROBE_DMA_MAP:
		ret = dev_pin(fd, page, PAGE, RW, &mem);
		if (!ret)
			dev_unpin(fd, mem);
		return ret;
	case PROBE_JOB_SUBMIT:
		ret = dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &submit);
		if (!ret)
			dev_wait(fd, submit.job_id, &wait);
		return ret;
	default:
		return 0;
	}
}

static const char *const names[] = { "open", "ioctl", "mmap", "mem_pin", "dma_map", "job_submit" };

#define DECIDING	6
#define TRACE		"/sys/kernel/tracing/"

static void each_hook(void)
{
	char want[80], out[8192];
	unsigned long long id;
	struct policy p;
	int fd, base;

	probe_attach(&p, "each", NULL, 0);
	id = policy_figure("each", "id");
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	dev_write(TRACE "events/accel/accel_policy_deny/enable", "1");
	fd = dev_open(dev.name);
	for (int hook = 0; hook < DECIDING; hook++) {
		tap_is(do_hook(fd, hook), 0, "%s: allowed", names[hook]);
		base = p.probe->calls[hook];
		p.probe->answer[hook] = -EXDEV;
		tap_is(do_hook(fd, hook), -EXDEV, "%s: the policy's errno", names[hook]);
		tap_is(p.probe->refused[hook], 1, "  and it was asked once more: %llu",
		       p.probe->calls[hook] - base);
		snprintf(want, sizeof(want), "policy=each policy_id=%llu hook=%s ", id, names[hook]);
		tap_is(dev_trace_lines(want), 1, "  traced by accel_policy_deny: %s", want);
		if (hook != PROBE_OPEN) {
			run(out, sizeof(out), "accelctl -j ctx");
			snprintf(want, sizeof(want), "%s: refused by policy 'each'", names[hook]);
			tap_ok(strstr(out, want), "  accelctl ctx says why: %s", want);
		}
		p.probe->answer[hook] = 7;
		tap_is(do_hook(fd, hook), -EPERM, "%s: 7 is no errno: EPERM", names[hook]);
		p.probe->answer[hook] = -512;
		tap_is(do_hook(fd, hook), -EPERM, "%s: nor is ERESTARTSYS", names[hook]);
		p.probe->answer[hook] = 0;
		tap_is(do_hook(fd, hook), 0, "%s: allowed again", names[hook]);
	}
	tap_is(policy_figure("each", "bad_returns"), 2 * DECIDING, "bad returns are counted");
	tap_is(policy_figure("each", "refused"), 3 * DECIDING, "and all refusals");
	p.probe->only_cmd = ACCEL_IOCTL_MEM_PIN;
	do_hook(fd, PROBE_IOCTL);
	tap_is(p.probe->last_arg, (uintptr_t)page, "the ioctl hook reads the argument");
	dev_write(TRACE "events/accel/accel_policy_deny/enable", "0");
	close(fd);
	policy_close(&p);
}

/* The probes' clock, to see who was asked first, is a map of the first. */
static void share_clock(struct policy *to, struct policy *from)
{
	struct bpf_map *a = bpf_object__find_map_by_name(to->obj, ".bss.clock");
	struct bpf_map *b = bpf_object__find_map_by_name(from->obj, ".bss.clock");

	if (!a || !b || bpf_map__reuse_fd(a, bpf_map__fd(b)))
		tap_bail("no common clock");
}

static void order(void)
{
	struct policy a, b, c, again;
	int fd = dev_open(dev.name);

	probe_attach(&a, "a", NULL, 5);
	policy_open(&b, "probe.bpf.o");
	policy_set(&b, "b", NULL, -5);
	share_clock(&b, &a);
	policy_open(&c, "probe.bpf.o");
	policy_set(&c, "c", NULL, 5);
	share_clock(&c, &a);
	if (policy_load(&b) || policy_load(&c) || policy_attach(&b) || policy_attach(&c))
		tap_bail("no second policy: %s", policy_log);
	do_hook(fd, PROBE_MEM_PIN);
	tap_ok(b.probe->order < a.probe->order && a.probe->order < c.probe->order,
	       "-5 is asked first, then the two of 5 as they came: %llu %llu %llu", b.probe->order,
	       a.probe->order, c.probe->order);
	a.probe->answer[PROBE_MEM_PIN] = -EACCES;
	c.probe->answer[PROBE_MEM_PIN] = -EBUSY;
	c.probe->calls[PROBE_MEM_PIN] = 0;
	tap_is(do_hook(fd, PROBE_MEM_PIN), -EACCES, "the first refusal is the answer");
	tap_is(c.probe->calls[PROBE_MEM_PIN], 0, "and who is behind it is not asked");

	policy_open(&again, "probe.bpf.o");
	policy_set(&again, "a", NULL, 0);
	if (policy_load(&again))
		tap_bail("%s", policy_log);
	tap_is(policy_attach(&again), -EEXIST, "a name is attached once");
	policy_close(&again);
	policy_close(&a);
	tap_is(do_hook(fd, PROBE_MEM_PIN), -EBUSY, "without it the next one decides");
	policy_close(&b);
	policy_close(&c);
	tap_is(do_hook(fd, PROBE_MEM_PIN), 0, "and without any all is allowed");
	close(fd);
}

/* What "accelctl policy" prints of @name in a column of numbers. */
static long long column(char *table, const char *name, int number)
{
	char *save, *line, *word;

	for (line = strtok_r(table, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		word = strtok(line, " ");
		if (!word || strcmp(word, name))
			continue;
		for (int i = 0; i < number && word; i++)
			word = strtok(NULL, " ");
		return word ? strtoll(word, NULL, 10) : -1;
	}
	return -1;
}

static long long listed(const char *name, int number)
{
	char out[8192];

	return run(out, sizeof(out), "accelctl policy") ? -2 : column(out, name, number);
}

/* The list is a table: POLICY DEVICE PRIORITY CALLS REFUSED … */
static void list(void)
{
	int fd = dev_open(dev.name);
	struct policy a, b;
	char out[8192];

	probe_attach(&a, "first", "acc*", -3);
	probe_attach(&b, "second", NULL, 4);
	do_hook(fd, PROBE_MMAP);
	a.probe->answer[PROBE_MMAP] = -EXDEV;
	do_hook(fd, PROBE_MMAP);
	b.probe->answer[PROBE_MMAP] = -EXDEV;
	a.probe->answer[PROBE_MMAP] = 0;
	do_hook(fd, PROBE_MMAP);
	do_hook(fd, PROBE_MMAP);
	tap_is(listed("first", 2), -3, "accelctl policy: the first one's priority");
	tap_is(listed("first", 3), 4, "  CALLS");
	tap_is(listed("first", 4), 1, "  REFUSED");
	tap_is(listed("second", 2), 4, "the second one's priority");
	tap_is(listed("second", 3), 3, "  CALLS");
	tap_is(listed("second", 4), 2, "  REFUSED");
	run(out, sizeof(out), "accelctl policy");
	tap_ok(strstr(out, "first") && strstr(out, "second") > strstr(out, "first"),
	       "in the order in which they are asked");
	policy_close(&a);
	policy_close(&b);
	close(fd);
}

/* How often a policy for devices like @pattern hears of an open of @name. */
static int opens(const char *pattern, const char *name)
{
	struct policy p;
	int calls, fd;

	probe_attach(&p, "pattern", pattern, 0);
	fd = dev_open(name);
	close(fd);
	calls = p.probe->calls[PROBE_OPEN];
	policy_close(&p);
	return calls;
}

/* What is decided on one node leaves the other alone. */
static void only_control(const char *control)
{
	struct accel_soft_config config = { .engine = ACCEL_SOFT_ENGINE_ANY };
	int fd = dev_open(dev.name), admin = dev_open(control);
	struct policy p;

	probe_attach(&p, "control", "acc*c", 0);
	for (int hook = 0; hook < DECIDING; hook++)
		p.probe->answer[hook] = -EXDEV;
	tap_is(dev_ioctl(admin, ACCEL_SOFT_IOCTL_CONFIG, &config), -EXDEV, "an ioctl of %s", control);
	tap_is(dev_open(control), -EXDEV, "an open");
	for (int hook = 0; hook < DECIDING; hook++)
		tap_is(do_hook(fd, hook), 0, "but not %s of %s", names[hook], dev.name);
	policy_close(&p);
	tap_is(dev_ioctl(admin, ACCEL_SOFT_IOCTL_CONFIG, &config), 0, "without it");
	close(admin);
	close(fd);
}

static void patterns(void)
{
	char control[DEV_NAME_LEN + 1];
	static const char *const bad[] = { "acc 0", "a/b", "acc0,acc1", "acc[^0]" };
	struct policy p;

	tap_is(opens("", dev.name), 1, "no pattern: %s", dev.name);
	tap_is(opens("", edu.name), 1, "no pattern: %s", edu.name);
	tap_is(opens(dev.name, dev.name), 1, "%s", dev.name);
	tap_is(opens(dev.name, other.name), 0, "%s is not for %s", dev.name, other.name);
	tap_is(opens("acc[1-2]", dev.name), 1, "acc[1-2] for %s", dev.name);
	tap_is(opens("acc[1-2]", edu.name), 0, "but not for %s", edu.name);
	tap_is(opens("acc[!0]", dev.name), 1, "acc[!0] for %s", dev.name);
	tap_is(opens("acc[!0]", edu.name), 0, "but not for %s", edu.name);
	tap_is(opens("acc?", edu.name), 1, "acc?");
	tap_is(opens("acc?0", edu.name), 0, "acc?0");
	tap_is(opens("*", edu.name), 1, "*");
	snprintf(control, sizeof(control), "%sc", dev.name);
	tap_is(opens(dev.name, control), 1, "%s for its control node %s", dev.name, control);
	tap_is(opens(control, control), 1, "%s", control);
	tap_is(opens(control, dev.name), 0, "%s is not for %s", control, dev.name);
	tap_is(opens("acc*c", control), 1, "acc*c for %s", control);
	tap_is(opens("acc*c", dev.name), 0, "but not for %s", dev.name);
	only_control(control);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		policy_open(&p, "probe.bpf.o");
		policy_set(&p, "pattern", bad[i], 0);
		if (policy_load(&p))
			tap_bail("%s", policy_log);
		tap_is(policy_attach(&p), -EINVAL, "\"%s\" is no pattern", bad[i]);
		policy_close(&p);
	}
	policy_open(&p, "probe.bpf.o");
	policy_set(&p, "white space", NULL, 0);
	if (policy_load(&p))
		tap_bail("%s", policy_log);
	tap_is(policy_attach(&p), -EINVAL, "\"white space\" is no name");
	policy_close(&p);
}

/* A device that comes while there is a policy for it. */
static void newcomers(void)
{
	struct policy p;
	int fd;

	probe_attach(&p, "newcomer", "acc*", 0);
	dev_write("/sys/bus/platform/drivers/accel_soft/unbind", "accel_soft.1");
	dev_write("/sys/bus/platform/drivers/accel_soft/bind", "accel_soft.1");
	if (dev_find("soft", 1, &other))
		tap_bail("the device did not come back");
	p.probe->answer[PROBE_OPEN] = -EKEYREJECTED;
	fd = dev_open(other.name);
	tap_is(fd, -EKEYREJECTED, "a device that comes later is decided on, too");
	policy_close(&p);
}

static void modules(void)
{
	struct policy p;
	char out[512];

	probe_attach(&p, "module", NULL, 0);
	dev_write("/sys/bus/platform/drivers/accel_soft/unbind", "accel_soft.0");
	dev_write("/sys/bus/platform/drivers/accel_soft/unbind", "accel_soft.1");
	tap_is(run(out, sizeof(out), "rmmod accel_soft accel_edu"), 0,
	       "rmmod of drivers, with a policy: %s", out);
	tap_ok(run(out, sizeof(out), "rmmod accelerator"), "rmmod of the core fails");
	tap_ok(strstr(out, "Resource temporarily unavailable"), "it says: %.60s", out);
	policy_close(&p);
	/* maps are freed after a grace period, and the reference with them */
	for (int i = 0; i < 600 && run(out, sizeof(out), "rmmod accelerator"); i++)
		usleep(100000);
	tap_ok(access("/sys/class/accelerator", F_OK), "and succeeds without the policy: %s", out);
}

int main(void)
{
	policy_begin();
	page = pages(PAGE);
	if (dev_find("soft", 0, &dev) || dev_find("soft", 1, &other) || dev_find("edu", 0, &edu))
		tap_bail("no devices");
	each_hook();
	order();
	list();
	patterns();
	newcomers();
	modules();
	return tap_done();
}
