// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=debian DEVICES="soft=1" TIMEOUT=120 */
/*
 * job-rate: a bucket of tokens for each cgroup. Refusing: as many jobs as there are tokens,
 * then EAGAIN. Holding: they wait in the queue. By the core's own clock, from the first
 * job's submission to the last one's start, there were never more than tokens.
 */
#include "tenants.h"

static struct dev_info dev;
static int *refused;

#define JOBS	60

/* As fast as it can; how many were refused, for @arg's JOBS attempts. */
static void burst(void *arg)
{
	int fd = dev_open(dev.name);

	(void)arg;
	for (int i = 0; i < JOBS; i++) {
		int ret = nop_submit(fd, 0, NULL);

		if (ret == -EAGAIN)
			(*refused)++;
		else if (ret)
			_exit(1);
	}
	close(fd);
}

static int refused_of(const char *cgroup)
{
	*refused = 0;
	tap_is(tenant_end(tenant(cgroup, burst, NULL)), 0, "%s submits %d jobs", cgroup, JOBS);
	return *refused;
}

static void refusing(void)
{
	int n;

	accelctl("load job-rate rate=max /red=1,10");
	n = refused_of("/blue");
	tap_is(n, 0, "no limit");
	n = refused_of("/red/in");
	tap_ok(n <= JOBS - 10 && n >= JOBS - 20, "red: a burst of 10, then one a second: %d refused", n);
	tap_is(cgroup_figure("job-rate", "cgroups", "/red", "refused"), n, "accelctl shows how many");
	tap_is(cgroup_figure("job-rate", "cgroups", "/red", "jobs"), JOBS - n, "and how many were not");
	accelctl("set job-rate /red=max");
	tap_is(refused_of("/red"), 0, "no limit any more");
	accelctl("set job-rate /red=default rate=1,5");
	n = refused_of("/blue/in");
	tap_ok(n <= JOBS - 5 && n >= JOBS - 15, "by the default, below blue: %d refused", n);
}

/* Held back: all come, none too early. */
static void held(void *arg)
{
	struct accel_job_wait waits[JOBS];
	uint64_t jobs[JOBS];
	int fd = dev_open(dev.name);
	unsigned long long *out = arg;

	for (int i = 0; i < JOBS; i++)
		if (nop_submit(fd, 0, &jobs[i]))
			_exit(1);
	for (int i = 0; i < JOBS; i++)
		if (dev_wait(fd, jobs[i], &waits[i]) || waits[i].status)
			_exit(2);
	/* job n waited in the queue for at least the tokens before it */
	out[0] = waits[JOBS - 1].queue_ns;
	out[1] = waits[0].queue_ns;
	close(fd);
}

static void holding(void)
{
	unsigned long long *out = shared(2 * sizeof(*out));
	/*
	 * 200 a second, 20 at once: 40 of 60 have to wait, the last one for 200 ms from the
	 * first one's submission, of which its own may take a part on a busy machine.
	 */
	unsigned long long least = (JOBS - 20) * 5000000ULL / 4;

	accelctl("set job-rate mode=hold rate=200,20");
	tap_is(tenant_end(tenant("/green", held, out)), 0, "nobody is refused");
	tap_ok(out[0] >= least, "the last of %d jobs was in the queue for %llu ns, at least %llu", JOBS,
	       out[0], least);
	tap_ok(out[1] < out[0], "the first for %llu", out[1]);
	tap_is(cgroup_figure("job-rate", "cgroups", "/green", "jobs"), JOBS, "each took a token");
	tap_ok(cgroup_figure("job-rate", "cgroups", "/green", "refused") > 0, "some were held");
}

int main(void)
{
	policy_begin();
	refused = shared(sizeof(*refused));
	for (int i = 0; i < 3; i++) {
		static const char *const tenants[] = { "/red", "/blue", "/green" };
		char path[64];

		snprintf(path, sizeof(path), CGROUPS "%s", tenants[i]);
		mkdir(path, 0755);
	}
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	refusing();
	holding();
	accelctl_fails("set job-rate rate=fast", 2, "no number of jobs a second");
	accelctl_fails("set job-rate mode=wait", 2, "neither refuse nor hold");
	accelctl("unload job-rate");
	return tap_done();
}
