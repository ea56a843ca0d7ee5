// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=debian DEVICES="soft=1" TIMEOUT=180 */
/*
 * The example of docs/policies.md does what the page says, loaded by accelctl and by
 * bpftool; and each policy that comes along is attached by bpftool alone. bpftool 7.5 dies
 * after that, of a fault of its own (see the page): what counts is what is attached.
 */
#include <grp.h>

#include "policy.h"

#define POLICIES	"/usr/lib/accelerator/policies"
#define LINKS		"/sys/fs/bpf/plain"

static struct dev_info dev;

/* A job that fills @bytes, as alice or as root. */
static int job(size_t bytes, bool as_alice)
{
	struct accel_soft_submit submit = {
		.op = ACCEL_SOFT_OP_FILL, .engine = 0, .length = bytes,
	};
	gid_t group = 900;
	pid_t pid = fork();
	uint64_t mem;
	int status, fd;

	if (!pid) {
		if (as_alice && (setgroups(1, &group) || setgid(group) || setuid(1001)))
			_exit(99);
		fd = dev_open(dev.name);
		status = dev_pin(fd, pages(2 << 20), 2 << 20, RW, &mem);
		submit.dst_mem = mem;
		_exit(-(status ? status : dev_soft(fd, &submit, NULL)));
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return -WEXITSTATUS(status);
}

static void decides(const char *how)
{
	tap_is(job(1 << 20, true), 0, "%s: alice's job of 1 MiB", how);
	tap_is(job((1 << 20) + 8, true), -EPERM, "%s: alice's job of more", how);
	tap_is(job((1 << 20) + 8, false), 0, "%s: the same of root", how);
}

/* The link is pinned, and the kernel lists the policy, whatever bpftool ended with. */
static void by_bpftool(const char *file, const char *pin, const char *name)
{
	char out[1 << 16], path[256];
	int code = run(out, sizeof(out), "bpftool struct_ops register %s " LINKS, file);

	snprintf(path, sizeof(path), LINKS "/%s", pin);
	tap_diag("bpftool struct_ops register %s: exit code %d", file, code);
	tap_ok(!access(path, F_OK), "bpftool has pinned %s", path);
	tap_ok(policy_figure(name, "link_id") != UINT64_MAX, "%s is attached", name);
}

static void unpin(const char *pin, const char *name)
{
	char path[256];
	bool there = true;

	snprintf(path, sizeof(path), LINKS "/%s", pin);
	unlink(path);
	/* the kernel closes the link in its own time */
	for (int i = 0; i < 100 && there; i++) {
		there = policy_figure(name, "link_id") != UINT64_MAX;
		if (there)
			usleep(50000);
	}
	tap_ok(!there, "%s goes with its pin", name);
}

int main(void)
{
	static const struct {
		const char *object, *name;
	} policies[] = {
		{ "pin_limit", "pin-limit" }, { "ioctl_filter", "ioctl-filter" },
		{ "job_rate", "job-rate" }, { "fair_share", "fair-share" }, { "audit", "audit" },
	};
	char out[4096], path[256];

	policy_begin();
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	mkdir(LINKS, 0755);
	tap_is(run(out, sizeof(out), "accelctl policy load " AREA "/small_jobs.bpf.o"), 0,
	       "accelctl policy load FILE: %s", out);
	decides("accelctl");
	tap_is(policy_figure("small-jobs", "refused"), 1, "it is counted");
	tap_is(run(out, sizeof(out), "accelctl policy load " AREA "/small_jobs.bpf.o device=acc9"), 0,
	       "loaded again, for another device: %s", out);
	tap_is(job((1 << 20) + 8, true), 0, "so this one is free");
	tap_is(run(out, sizeof(out), "accelctl policy unload small-jobs"), 0, "unload: %s", out);
	tap_is(job((1 << 20) + 8, true), 0, "without it");

	by_bpftool(AREA "/small_jobs.bpf.o", "small_jobs_ops", "small-jobs");
	decides("bpftool");
	tap_is(run(out, sizeof(out), "accelctl policy load " AREA "/small_jobs.bpf.o"), 1,
	       "accelctl does not replace what it has not loaded");
	tap_ok(strstr(out, "is attached already, and not by accelctl"), "it says: %s", out);
	unpin("small_jobs_ops", "small-jobs");

	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		snprintf(path, sizeof(path), POLICIES "/%s.bpf.o", policies[i].object);
		by_bpftool(path, policies[i].object, policies[i].name);
	}
	tap_is(job((1 << 20) + 8, true), 0, "all of them, with their defaults, allow a job");
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
		unpin(policies[i].object, policies[i].name);
	tap_is(run(out, sizeof(out), "accelctl policy load ./nothing.bpf.o"), 1, "a file that is not there");
	tap_ok(strstr(out, "cannot read the object file"), "it says: %s", out);
	tap_is(run(out, sizeof(out), "accelctl policy load /usr/bin/accelctl"), 1, "a file that is none");
	return tap_done();
}
