// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=3" TIMEOUT=600 */
/*
 * 10,000 times a policy is attached and detached, while processes open, pin, map, submit and
 * close, one of them files whose jobs a policy holds back, and while a device that is in use
 * goes and comes back. Each detach waits for the hooks that run: a grace period, which is
 * hurried here.
 *
 * One half of it with no other policy, so that each is the first that a hook has, and
 * the last. In the other half one stays, and is told of each byte that it has allowed.
 */
#include "../storm/storm.h"
#include "policy.h"

#define DRIVER	"/sys/bus/platform/drivers/accel_soft/"
#define CYCLES	10000
#define USERS	3
#define HELD	3	/* jobs of a file that a policy holds back */

enum { HOLDER = USERS, UNBINDER, PROCESSES };

/* What all processes see. */
struct shared {
	int stop;
	unsigned int turn;	/* of the storm's */
	unsigned long long done[PROCESSES];
};

static volatile struct shared *shared;
static struct dev_info devs[3];
static char *page;

static unsigned long long used(void)
{
	return shared->done[0] + shared->done[1] + shared->done[2];
}

/* How it was used, or NULL: well. */
static const char *use(const struct dev_info *dev)
{
	struct accel_job_wait wait;
	uint64_t mem, job;
	int fd = dev_open(dev->name);
	void *map;

	if (fd < 0 || dev_pin(fd, page, PAGE, RW, &mem) || dev_unpin(fd, mem) ||
	    dev_pin(fd, (void *)0x10000, 3 * PAGE, RW, NULL) != -EFAULT ||
	    dev_pin(fd, page, PAGE, RW, &mem))
		return "open, pin and unpin";
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED || nop_submit(fd, 0, &job) || nop_submit(fd, 1, NULL) ||
	    dev_wait(fd, job, &wait) || wait.status)
		return "map, submit and wait";
	munmap(map, PAGE);
	close(fd);
	return NULL;
}

/* Closed while its jobs are in the queue, held back or not yet come to. */
static const char *hold(const struct dev_info *dev)
{
	int fd = dev_open(dev->name);

	if (fd < 0)
		return "open";
	for (int i = 0; i < HELD; i++)
		if (nop_submit(fd, i % 2, NULL))
			return "submit";
	/* the engine has asked for the first by then, as a rule */
	usleep(1000);
	close(fd);
	return NULL;
}

/* It goes with a region pinned and a job in flight, and comes back. */
static const char *unbind(const struct dev_info *dev)
{
	struct dev_info mine;
	uint64_t mem, job;
	int fd;

	(void)dev;
	/* the third: the others' numbers are lower, and stay */
	if (dev_find("soft", 2, &mine))
		return "find";
	fd = dev_open(mine.name);
	if (fd < 0 || dev_pin(fd, page, PAGE, RW, &mem) || nop_submit(fd, 0, &job))
		return "open, pin and submit";
	if (dev_write(DRIVER "unbind", "accel_soft.2"))
		return "unbind";
	if (dev_unpin(fd, mem) != -ENODEV)
		return "it does not answer ENODEV";
	close(fd);
	return dev_write(DRIVER "bind", "accel_soft.2") ? "bind" : NULL;
}

static void process(int n)
{
	const char *(*const does)(const struct dev_info *dev) =
		n == HOLDER ? hold : n == UNBINDER ? unbind : use;
	const char *wrong = NULL;
	unsigned int last;

	while (!shared->stop) {
		wrong = does(&devs[n % 2]);
		if (wrong) {
			fprintf(stderr, "process %d: %s\n", n, wrong);
			shared->stop = 1;
			_exit(1);
		}
		shared->done[n]++;
		/*
		 * By the storm's turns, not by the clock: on a busy host who waits for a
		 * moment has always waited, and the storm then gets what they leave.
		 */
		last = shared->turn;
		while (!shared->stop && shared->turn - last < (n == UNBINDER ? 50 : 10))
			usleep(3000);
	}
	_exit(0);
}

static void begin(pid_t *pids)
{
	shared->stop = 0;
	for (int n = 0; n < PROCESSES; n++) {
		shared->done[n] = 0;
		pids[n] = fork();
		if (pids[n] < 0)
			tap_bail("fork: %s", strerror(errno));
		if (!pids[n])
			process(n);
	}
}

static void end(const pid_t *pids, const char *name)
{
	static const char * const what[] = {
		"used a device", "used a device", "used a device",
		"closed files with jobs in the queue", "unbound and bound a device in use",
	};
	int status;

	shared->stop = 1;
	for (int n = 0; n < PROCESSES; n++) {
		if (waitpid(pids[n], &status, 0) != pids[n])
			status = -1;
		tap_is(status, 0, "%s: a process %s, all the time", name, what[n]);
		tap_ok(shared->done[n], "  %llu times", shared->done[n]);
	}
}

/*
 * The one for all devices, and in each other turn the one for one of them, too, which comes
 * and goes while the first is there or the other way round. How many failed.
 */
static int turns(struct policy *all, struct policy *one, int cycles)
{
	int failed = 0, turn, i;

	for (turn = i = 0; i < cycles; turn++) {
		bool both = turn % 2, nested = turn % 4 == 3;

		failed += policy_attach(all) != 0;
		if (both)
			failed += policy_attach(one) != 0;
		policy_detach(nested ? one : all);
		if (both)
			policy_detach(nested ? all : one);
		i += 1 + both;
		shared->turn++;
	}
	return failed;
}

static unsigned long long hooks_of(const struct policy *p)
{
	unsigned long long calls = 0;

	for (int hook = 0; hook < PROBE_HOOKS; hook++)
		calls += p->probe->calls[hook];
	return calls;
}

/* @cycles with all at work; @one sees only what the holder does, and holds back its jobs. */
static void storm(struct policy *all, struct policy *one, int cycles, const char *name)
{
	unsigned long long calls = hooks_of(all), held = one->probe->refused[PROBE_JOB_START];
	pid_t pids[PROCESSES];
	int failed;

	one->probe->answer[PROBE_JOB_START] = 0;
	begin(pids);
	one->probe->tgid = pids[HOLDER];
	one->probe->answer[PROBE_JOB_START] = -EAGAIN;
	failed = turns(all, one, cycles);
	/* Each has its turn, however slow they are beside the storm. */
	while (!shared->stop &&
	       (used() < 100 || !shared->done[HOLDER] || !shared->done[UNBINDER] ||
		hooks_of(all) - calls < 100 || one->probe->refused[PROBE_JOB_START] == held))
		failed += turns(all, one, 4);
	end(pids, name);
	tap_is(failed, 0, "%s: a policy was attached and detached %d times", name, cycles);
	tap_ok(used() >= 100, "%s: beside %llu files that were used; %llu hooks ran", name, used(),
	       hooks_of(all) - calls);
	tap_ok(one->probe->refused[PROBE_JOB_START] > held, "%s: jobs were held back %llu times", name,
	       one->probe->refused[PROBE_JOB_START] - held);
}

int main(void)
{
	int i;
	static struct storm before;
	struct policy p[2], stays;

	policy_begin();
	page = pages(PAGE);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < 3; i++)
		if (dev_find("soft", i, &devs[i]))
			tap_bail("no three soft devices");
	dev_write("/sys/kernel/rcu_expedited", "1");
	for (i = 0; i < 2; i++) {
		policy_open(&p[i], "probe.bpf.o");
		policy_set(&p[i], i ? "one" : "all", i ? devs[HOLDER % 2].name : "", i);
		if (policy_load(&p[i]))
			tap_bail("%s", policy_log);
	}
	turns(&p[0], &p[1], 10);
	if (unbind(NULL))
		tap_bail("a device cannot be unbound and bound");
	policy_open(&stays, "unpinned.bpf.o");
	policy_set(&stays, "stays", "", 1);
	if (policy_load(&stays))
		tap_bail("%s", policy_log);
	storm_before(&before, "accel_soft");

	storm(&p[0], &p[1], CYCLES / 2, "alone");
	tap_is(policy_attach(&stays), 0, "one more is attached, and stays");
	storm(&p[0], &p[1], CYCLES / 2, "beside one that stays");
	tap_is(stays.books->back, stays.books->allowed, "it was told of %llu bytes: all",
	       stays.books->allowed);
	tap_is(stays.books->allowed, (used() * 5 + shared->done[UNBINDER]) * PAGE,
	       "  and asked about all");
	policy_detach(&stays);

	for (i = 0; i < 2; i++)
		tap_is(policy_attach(&p[i]), 0, "it can be attached again");
	for (i = 0; i < 2; i++)
		policy_detach(&p[i]);
	/* before was with all three loaded */
	storm_after_within(&before, "attach and detach", CYCLES, 0);
	dev_write("/sys/kernel/rcu_expedited", "0");
	for (i = 0; i < 2; i++)
		policy_close(&p[i]);
	policy_close(&stays);
	storm_after_kmemleak(&before, "attach and detach");
	return tap_done();
}
