// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=120 */
/*
 * job-rate: a bucket of tokens for each cgroup. With a token an hour nothing but the burst
 * gets through: the others are refused with EAGAIN, or wait in the queue until the limit is
 * lifted. With 200 a second they wait for each its token, which is proven by the core's own
 * figures, whatever the machine does beside it. Many files gain nobody anything, nor does what the
 * core starts without a token; a token whose job never starts is there again.
 */
#include <time.h>

#include "tenants.h"

static struct dev_info dev;
static int *refused;

#define JOBS	60

/* As fast as it can; how many of JOBS were refused. With @arg the others have to end. */
static void burst(void *arg)
{
	int fd = dev_open(dev.name), num = 0;
	struct accel_job_wait wait;
	uint64_t jobs[JOBS];

	for (int i = 0; i < JOBS; i++) {
		int ret = nop_submit(fd, 0, &jobs[num]);

		if (!ret)
			num++;
		else if (ret == -EAGAIN)
			(*refused)++;
		else
			_exit(1);
	}
	while (arg && num--)
		if (dev_wait(fd, jobs[num], &wait) || wait.status)
			_exit(2);
	close(fd);
}

static int refused_of(const char *cgroup)
{
	*refused = 0;
	tap_is(tenant_end(tenant(cgroup, burst, &dev)), 0, "%s submits %d jobs", cgroup, JOBS);
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

/* Nobody is overruled, and at one job an hour 111 may wait. */
#define MOST_MS		"400000000"
#define MOST_WAITING	111

static void hold_ms(const char *ms)
{
	dev_write("/sys/module/accelerator/parameters/policy_hold_ms", ms);
}

/* All but the burst wait, for ever if need be; and go as soon as they may. */
static void holding(void)
{
	struct held *h = shared(sizeof(*h));
	long long jobs = engine("jobs");
	pid_t pid;

	hold_ms(MOST_MS);
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

/* A job in each of many files: the core times each of them by itself. */
#define FILES	200

struct spread {
	int refused, bad;
	volatile int submitted;
};

static void spread(void *arg)
{
	struct accel_job_wait wait;
	struct spread *s = arg;
	uint64_t jobs[FILES];
	int fds[FILES], ret;

	for (int i = 0; i < FILES; i++) {
		fds[i] = dev_open(dev.name);
		ret = nop_submit(fds[i], 0, &jobs[i]);
		if (!ret)
			continue;
		s->refused += ret == -EAGAIN;
		s->bad += ret != -EAGAIN;
		close(fds[i]);
		fds[i] = -1;
	}
	s->submitted = 1;
	for (int i = 0; i < FILES; i++)
		if (fds[i] >= 0 && (dev_wait(fds[i], jobs[i], &wait) || wait.status))
			s->bad++;
}

static void many_files(void)
{
	const int may = 5 + MOST_WAITING;
	struct spread *s = shared(sizeof(*s));
	uint64_t overruled = policy_figure("job-rate", "overruled");
	pid_t pid;

	accelctl("set job-rate rate=1/h,5 mode=hold");
	pid = tenant("/files", spread, s);
	while (!s->submitted)
		usleep(1000);
	tap_is(s->refused, FILES - may, "of jobs in %d files so many could not go in time", FILES);
	while (cgroup_figure("job-rate", "cgroups", "/files", "jobs") < 5)
		usleep(1000);
	tap_is(cgroup_figure("job-rate", "cgroups", "/files", "waiting"), may - 5, "others wait");
	/* the core thinks better of it */
	hold_ms("100");
	tap_is(tenant_end(pid), 0, "what waits for too long starts all the same");
	hold_ms(MOST_MS);
	tap_is(s->bad, 0, "  without an error");
	tap_is(policy_figure("job-rate", "overruled") - overruled, may - 5, "  as many as waited");
	tap_is(cgroup_figure("job-rate", "cgroups", "/files", "jobs"), may, "  and is charged for");
	tap_is(cgroup_figure("job-rate", "cgroups", "/files", "waiting"), 0, "  none waits");
	accelctl("set job-rate mode=refuse rate=1/h,%d", may);
	tap_is(refused_of("/files"), JOBS, "so that later ones are refused until then");
}

/* Of the burst, in a file of its own; the others are refused. */
static int cancelled(const char *cgroup)
{
	*refused = 0;
	/* closing ends them in the queue */
	tap_is(tenant_end(tenant(cgroup, burst, NULL)), 0, "%s submits %d jobs", cgroup, JOBS);
	return JOBS - *refused;
}

static void occupy(void *arg)
{
	int fd = dev_open(dev.name);

	if (nop_submit(fd, 0, NULL))
		_exit(1);
	*(volatile int *)arg = 1;
	pause();
}

static void latency(uint64_t ns)
{
	if (dev_soft_latency(dev.name, ns))
		tap_bail("%s cannot be configured", dev.name);
}

/* As many jobs as a file may have, then some that the core itself refuses. */
static void full_file(void *arg)
{
	int fd = dev_open(dev.name), *ret = arg;
	char out[512];

	while (!nop_submit(fd, 0, NULL))
		ret[0]++;
	ret[1] = run(out, sizeof(out), "accelctl policy set job-rate /full=1/h,5");
	for (int i = 0; i < 10; i++)
		ret[2] += nop_submit(fd, 0, NULL) == -EAGAIN;
	close(fd);
	burst(&dev);
}

static void refunded(void)
{
	int *busy = shared(PAGE), *ret = busy + 1;
	pid_t pid;

	accelctl("set job-rate rate=1/h,5 /busy=max /full=max mode=refuse");
	latency(ACCEL_SOFT_LATENCY_MAX);
	pid = tenant("/busy", occupy, busy);
	while (!*busy || engine("running") != 1)
		usleep(1000);
	tap_is(cancelled("/idle"), 5, "behind a long job: the burst is queued");
	tap_is(cgroup_figure("job-rate", "cgroups", "/idle", "jobs"), 0, "  and cancelled");
	tap_is(cancelled("/idle"), 5, "  so its tokens are there again");
	latency(0);
	kill(pid, SIGKILL);
	tenant_end(pid);
	*refused = 0;
	tap_is(tenant_end(tenant("/full", full_file, ret)), 0, "a file is full: %d jobs",
	       ret[0]);
	tap_is(ret[1], 0, "  a limit is set");
	tap_is(ret[2], 10, "  more jobs in this file fail");
	tap_is(*refused, JOBS - 5, "  which cost no token");
}

int main(void)
{
	policy_begin();
	refused = shared(sizeof(*refused));
	for (int i = 0; i < 8; i++) {
		static const char *const tenants[] = {
			"/red", "/blue", "/green", "/yellow", "/files", "/busy", "/idle", "/full",
		};
		char path[64];

		snprintf(path, sizeof(path), CGROUPS "%s", tenants[i]);
		mkdir(path, 0755);
	}
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	refusing();
	holding();
	pacing();
	many_files();
	refunded();
	accelctl("set job-rate rate=100/s,10");
	tap_is(policy_figure("job-rate", "own.interval_ns"), 10000000, "a hundred a second");
	accelctl_fails("set job-rate rate=fast", 2, "no number of jobs a second");
	accelctl_fails("set job-rate rate=10/week", 2, "or an hour (10/h), nor max");
	accelctl_fails("set job-rate mode=wait", 2, "neither refuse nor hold");
	hold_ms("30000");
	accelctl("unload job-rate");
	return tap_done();
}
