// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=120 */
/*
 * job-rate: a bucket of tokens for each cgroup. With a token an hour nothing but the burst
 * gets through: the others are refused with EAGAIN, or wait in the queue until the limit is
 * lifted. With 200 a second they wait for each its token, which is proven by the core's own
 * figures, whatever the machine does beside it.
 */
#include <time.h>

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
	accelctl("load job-rate rate=max /red=1/h,10");
	tap_is(refused_of("/blue"), 0, "no limit");
	tap_is(refused_of("/red/in"), JOBS - 10, "red: a burst of 10, and no more within the hour");
	tap_is(cgroup_figure("job-rate", "cgroups", "/red", "refused"), JOBS - 10,
	       "accelctl shows how many were refused");
	tap_is(cgroup_figure("job-rate", "cgroups", "/red", "jobs"), 10, "and how many were not");
	tap_is(cgroup_figure("job-rate", "cgroups", "/red", "interval_ns"), 3600000000000ULL,
	       "and the limit");
	accelctl("set job-rate /red=max");
	tap_is(refused_of("/red"), 0, "no limit any more");
	accelctl("set job-rate /red=default rate=1/h,5");
	tap_is(refused_of("/blue/in"), JOBS - 5, "by the default, below blue");
}

/* What the tenant that is held back has seen. */
struct held {
	uint64_t jobs[JOBS];
	uint64_t before_ns, after_ns[JOBS];	/* about its submission; CLOCK_MONOTONIC */
	uint64_t queue_ns[JOBS];
	volatile int submitted;
};

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void held(void *arg)
{
	struct accel_job_wait wait;
	struct held *h = arg;
	int fd = dev_open(dev.name);

	h->before_ns = now();
	for (int i = 0; i < JOBS; i++) {
		if (nop_submit(fd, 0, &h->jobs[i]))
			_exit(1);
		h->after_ns[i] = now();
	}
	h->submitted = 1;
	for (int i = 0; i < JOBS; i++) {
		if (dev_wait(fd, h->jobs[i], &wait) || wait.status)
			_exit(2);
		h->queue_ns[i] = wait.queue_ns;
	}
	close(fd);
}

static long long engine(const char *figure)
{
	char attr[64];

	snprintf(attr, sizeof(attr), "engines/eng0/%s", figure);
	return dev_attr(dev.name, attr);
}

/* All but the burst wait, for ever if need be; and go as soon as they may. */
static void holding(void)
{
	struct held *h = shared(sizeof(*h));
	long long jobs = engine("jobs");
	pid_t pid;

	/* nobody is to be overruled */
	dev_write("/sys/module/accelerator/parameters/policy_hold_ms", "3600000");
	accelctl("set job-rate mode=hold rate=1/h,20");
	pid = tenant("/green", held, h);
	while (!h->submitted || engine("jobs") < jobs + 20)
		usleep(1000);
	/* the one behind the burst has been asked for, and told to wait */
	while (engine("jobs") == jobs + 20 &&
	       cgroup_figure("job-rate", "cgroups", "/green", "refused") != 1)
		usleep(1000);
	tap_is(engine("jobs"), jobs + 20, "the burst has been through, and no more");
	tap_is(engine("queued"), JOBS - 20, "the others are queued");
	tap_is(engine("running"), 0, "and none of them runs");
	tap_is(cgroup_figure("job-rate", "cgroups", "/green", "jobs"), 20, "tokens that were taken");
	accelctl("set job-rate /green=max");
	tap_is(tenant_end(pid), 0, "without the limit they go, and none was refused");
	tap_is(cgroup_figure("job-rate", "cgroups", "/green", "jobs"), JOBS, "each took a token");
}

/*
 * Job number n takes its token no earlier than n - 19 intervals after the first one did. The
 * first took it after @before_ns. Number n was queued before its after_ns, so it started
 * before that plus the time that it says to have waited.
 */
static void pacing(void)
{
	const uint64_t interval = 5000000;
	struct held *h = shared(sizeof(*h));
	int early = 0;

	accelctl("set job-rate rate=200,20");
	tap_is(tenant_end(tenant("/yellow", held, h)), 0, "200 a second: nobody is refused");
	for (int n = 20; n < JOBS; n++)
		if (h->after_ns[n] + h->queue_ns[n] < h->before_ns + (n - 19) * interval)
			early++;
	tap_is(early, 0, "and no job was ahead of its token");
	tap_is(cgroup_figure("job-rate", "cgroups", "/yellow", "jobs"), JOBS, "each took one");
}

int main(void)
{
	policy_begin();
	refused = shared(sizeof(*refused));
	for (int i = 0; i < 4; i++) {
		static const char *const tenants[] = { "/red", "/blue", "/green", "/yellow" };
		char path[64];

		snprintf(path, sizeof(path), CGROUPS "%s", tenants[i]);
		mkdir(path, 0755);
	}
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	refusing();
	holding();
	pacing();
	accelctl_fails("set job-rate rate=fast", 2, "no number of jobs a second");
	accelctl_fails("set job-rate rate=10/week", 2, "or an hour (10/h), nor max");
	accelctl_fails("set job-rate mode=wait", 2, "neither refuse nor hold");
	dev_write("/sys/module/accelerator/parameters/policy_hold_ms", "30000");
	accelctl("unload job-rate");
	return tap_done();
}
