// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" TIMEOUT=90 */
/*
 * Which types of programs may ask: those that docs/policies.md names are loaded, attached,
 * and told the truth; another is refused.
 */
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "asks.h"
#include "policy.h"

static struct dev_info dev;
static unsigned long long dev_id;
static struct asks *asks;

/* asks.bpf.o with that program alone; the log of a failure is in policy_log. */
static struct bpf_object *load(const char *name, struct bpf_program **found)
{
	struct bpf_object *obj = bpf_object__open_file(AREA "/asks.bpf.o", NULL);
	struct bpf_program *prog;

	if (!obj)
		tap_bail("asks.bpf.o: %s", strerror(errno));
	bpf_object__for_each_program(prog, obj) {
		bool it = !strcmp(bpf_program__name(prog), name);

		bpf_program__set_autoload(prog, it);
		if (it)
			*found = prog;
	}
	policy_log[0] = '\0';
	if (!bpf_object__load(obj))
		return obj;
	bpf_object__close(obj);
	return NULL;
}

/* A processor's clock, for a program that nothing else calls. */
static struct bpf_link *attach_clock(struct bpf_program *prog)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK, .sample_period = 1000000,
	};
	int fd = syscall(SYS_perf_event_open, &attr, getpid(), -1, -1, 0);

	return fd < 0 ? NULL : bpf_program__attach_perf_event(prog, fd);
}

/* Every program sees at least one of these: an open, an ioctl, a job on engine 1, a close. */
static unsigned long long do_all(void)
{
	struct accel_job_wait wait;
	unsigned long long id = 0;
	uint64_t job;
	char out[256];
	int fd = dev_open(dev.name);

	if (!run(out, sizeof(out), "sed -n '2s/ .*//p' /sys/kernel/debug/accelerator/%s/contexts", dev.name))
		id = strtoull(out, NULL, 10);
	if (nop_submit(fd, 1, &job) || dev_wait(fd, job, &wait))
		tap_bail("no job");
	close(fd);
	return id;
}

static void program(const char *name, bool clock)
{
	struct bpf_program *prog = NULL;
	struct bpf_object *obj = load(name, &prog);
	struct bpf_link *link;
	unsigned long long context;
	struct bpf_map *map;

	if (!tap_ok(obj, "%s is loaded", name)) {
		tap_diag("%.600s", policy_log);
		return;
	}
	map = bpf_object__find_map_by_name(obj, ".bss.asks");
	asks = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (asks == MAP_FAILED)
		tap_bail("mmap");
	asks->tgid = getpid();
	asks->index = dev.index;
	link = clock ? attach_clock(prog) : bpf_program__attach(prog);
	tap_ok(link, "%s: attached", name);
	context = do_all();
	while (clock && !*(volatile unsigned int *)&asks->calls)
		;
	bpf_link__destroy(link);
	tap_ok(asks->calls > 0, "%s: has run (%u)", name, asks->calls);
	if (!strcmp(name, "tp_btf_job")) {
		tap_is(asks->engine, 1, "%s: the job's engine", name);
	} else {
		tap_is(asks->device, dev_id, "%s: the device's id", name);
		tap_ok(!strcmp(asks->name, dev.name), "%s: its name", name);
	}
	if (!strcmp(name, "tp_btf"))
		tap_is(asks->context, context, "%s: the context's id", name);
	munmap(asks, PAGE);
	bpf_object__close(obj);
}

int main(void)
{
	struct bpf_program *prog;
	char lsms[256] = "";
	FILE *f;

	policy_begin();
	if (dev_find("soft", 1, &dev))
		tap_bail("no soft device");
	dev_id = dev_attr(dev.name, "id");
	program("tp_btf", false);
	program("tp_btf_job", false);
	program("fentry", false);
	program("fexit", false);
	program("tracepoint", false);
	program("on_clock", true);

	mount("securityfs", "/sys/kernel/security", "securityfs", 0, NULL);
	f = fopen("/sys/kernel/security/lsm", "re");
	if (f) {
		if (!fgets(lsms, sizeof(lsms), f))
			lsms[0] = '\0';
		fclose(f);
	}
	if (strstr(lsms, "bpf"))
		program("lsm", false);
	else
		tap_skip("lsm: this kernel has no BPF LSM (%s)", lsms);

	tap_ok(!load("filter", &prog), "a socket filter is refused");
	tap_ok(strstr(policy_log, "calling kernel function bpf_accel_device_find is not allowed"),
	       "  \"calling kernel function bpf_accel_device_find is not allowed\"");
	return tap_done();
}
