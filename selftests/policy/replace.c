// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=180 */
/*
 * A policy is replaced, and detached, while it is being asked: no call is lost, none is
 * counted twice. It goes with its link: closed, cut, or with the process that held it.
 */
#include <pthread.h>

#include "policy.h"

#define THREADS	3
#define ROUNDS	60

static struct dev_info dev;
static volatile int stop;
static char *page;

struct caller {
	pthread_t thread;
	unsigned long long pins, jobs, ioctls;
	bool broken;		/* off at a call that did not do as it should */
};

/* Calls, counted by who makes them. */
static void *call(void *arg)
{
	struct caller *c = arg;
	struct accel_job_wait wait;
	uint64_t mem, job;
	int fd = dev_open(dev.name);

	while (!stop) {
		if (dev_pin(fd, page, PAGE, RW, &mem))
			break;
		dev_unpin(fd, mem);
		c->pins++;
		c->ioctls += 2;
		if (nop_submit(fd, 0, &job))
			break;
		dev_wait(fd, job, &wait);
		c->jobs++;
		c->ioctls += 2;
	}
	close(fd);
	return NULL;
}

static struct caller callers[THREADS];

static void begin_calls(void *(*what)(void *arg))
{
	stop = 0;
	memset(callers, 0, sizeof(callers));
	for (int i = 0; i < THREADS; i++)
		pthread_create(&callers[i].thread, NULL, what, &callers[i]);
}

/* What all of them have made. */
static struct caller end_calls(void)
{
	struct caller all = { 0 };

	stop = 1;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(callers[i].thread, NULL);
		all.pins += callers[i].pins;
		all.jobs += callers[i].jobs;
		all.ioctls += callers[i].ioctls;
	}
	return all;
}

/* @calls, of one policy or of two that have replaced each other, are those that were made. */
static void made(const char *who, const struct caller *all, const unsigned long long *calls)
{
	tap_is(calls[PROBE_OPEN], THREADS, "%s: open", who);
	tap_is(calls[PROBE_IOCTL], all->ioctls, "%s: ioctl", who);
	tap_is(calls[PROBE_MEM_PIN], all->pins, "%s: mem_pin", who);
	tap_is(calls[PROBE_DMA_MAP], all->pins, "%s: dma_map", who);
	tap_is(calls[PROBE_MEM_UNPIN], all->pins, "%s: mem_unpin", who);
	tap_is(calls[PROBE_JOB_SUBMIT], all->jobs, "%s: job_submit", who);
	tap_is(calls[PROBE_JOB_DONE], all->jobs, "%s: job_done", who);
	tap_is(calls[PROBE_CONTEXT_CLOSE], THREADS, "%s: context_close", who);
}

static void under_load(void)
{
	unsigned long long both[PROBE_HOOKS];
	struct policy two[2];
	struct caller all;
	int failed = 0;

	for (int i = 0; i < 2; i++) {
		policy_open(&two[i], "probe.bpf.o");
		policy_set(&two[i], "version", NULL, i);
		if (policy_load(&two[i]))
			tap_bail("%s", policy_log);
		two[i].probe->tgid = getpid();
	}
	if (policy_attach(&two[0]))
		tap_bail("%s", policy_log);
	begin_calls(call);
	for (int i = 1; i <= ROUNDS; i++) {
		usleep(5000);
		failed += bpf_link__update_map(two[0].link, two[i % 2].ops) != 0;
	}
	all = end_calls();
	tap_is(failed, 0, "replaced %d times", ROUNDS);
	for (int hook = 0; hook < PROBE_HOOKS; hook++)
		both[hook] = two[0].probe->calls[hook] + two[1].probe->calls[hook];
	made("the two versions' calls are those that were made", &all, both);
	tap_ok(two[0].probe->calls[PROBE_MEM_PIN] && two[1].probe->calls[PROBE_MEM_PIN],
	       "both versions were asked: %llu and %llu pins", two[0].probe->calls[PROBE_MEM_PIN],
	       two[1].probe->calls[PROBE_MEM_PIN]);
	tap_is(policy_figure("version", "hooks.mem_pin.calls"), all.pins, "the kernel's count goes on");
	policy_close(&two[0]);
	policy_close(&two[1]);
}

/* Regions that are made and end, and some that cannot be made; counted by who does so. */
static void *pin_only(void *arg)
{
	struct caller *c = arg;
	int fd = dev_open(dev.name);
	uint64_t mem;

	while (!stop || !c->pins) {
		if (dev_pin(fd, page, PAGE, RW, &mem) || dev_unpin(fd, mem) ||
		    dev_pin(fd, (void *)0x10000, PAGE, RW, &mem) != -EFAULT) {
			c->broken = true;
			break;
		}
		c->pins += 2;
	}
	close(fd);
	return NULL;
}

/*
 * One that is told of each region's end, and one that is told in bulk, take each other's place.
 * Whichever has allowed a region, one of them is told of its end, and one only.
 */
static void both_ways(void)
{
	struct policy each, bulk;
	int failed = 0, uneven = 0;

	policy_open(&each, "probe.bpf.o");
	policy_set(&each, "version", NULL, 0);
	policy_open(&bulk, "unpinned.bpf.o");
	policy_set(&bulk, "version", NULL, 0);
	if (policy_load(&each) || policy_load(&bulk) || policy_attach(&each))
		tap_bail("%s", policy_log);
	for (int i = 0; i < 5; i++) {
		begin_calls(pin_only);
		for (int k = 0; k < times(40, 8); k++) {
			failed += bpf_link__update_map(each.link, bulk.ops) != 0;
			usleep(1000);
			failed += bpf_link__update_map(each.link, each.ops) != 0;
			usleep(1000);
		}
		end_calls();
		for (int k = 0; k < THREADS; k++)
			failed += callers[k].broken;
		uneven += each.probe->calls[PROBE_MEM_PIN] + bulk.books->allowed / PAGE !=
			  each.probe->calls[PROBE_MEM_UNPIN] + bulk.books->back / PAGE;
	}
	tap_is(failed, 0, "each in the place of the one in bulk, and the other way round");
	tap_is(uneven, 0, "all regions' ends are told: of %llu and %llu, %llu and %llu",
	       each.probe->calls[PROBE_MEM_PIN], bulk.books->allowed / PAGE,
	       each.probe->calls[PROBE_MEM_UNPIN], bulk.books->back / PAGE);
	tap_ok(bulk.books->told > 0 && each.probe->calls[PROBE_MEM_UNPIN] > 0, "in both ways");
	policy_close(&each);
	policy_close(&bulk);
}

/* What is owed to the old one is told to it before it is replaced. */
static void owed(void)
{
	struct policy each, bulk;
	int fd = dev_open(dev.name);
	uint64_t mem;

	policy_open(&bulk, "unpinned.bpf.o");
	policy_set(&bulk, "version", NULL, 0);
	policy_open(&each, "probe.bpf.o");
	policy_set(&each, "version", NULL, 0);
	if (policy_load(&each) || policy_load(&bulk) || policy_attach(&bulk))
		tap_bail("%s", policy_log);
	dev_pin(fd, page, PAGE, RW, &mem);
	dev_unpin(fd, mem);
	tap_is(bulk.books->told, 0, "the old one is owed an end");
	tap_is(bpf_link__update_map(bulk.link, each.ops), 0, "it is replaced by one that is told each");
	tap_is(bulk.books->back, PAGE, "and was told before");
	tap_is(each.probe->calls[PROBE_MEM_UNPIN], 0, "the new one was not");
	close(fd);
	policy_close(&each);
	policy_close(&bulk);
}

/* One comes and goes beside, before and behind one that stays. */
static void beside(int priority)
{
	static const enum probe_hook pairs[][2] = {
		{ PROBE_OPEN, PROBE_CONTEXT_CLOSE }, { PROBE_MEM_PIN, PROBE_MEM_UNPIN },
		{ PROBE_JOB_SUBMIT, PROBE_JOB_DONE },
	};
	struct policy stays, comes;
	int failed = 0, doubled = 0;
	struct caller all;

	probe_attach(&stays, "stays", NULL, 0);
	stays.probe->tgid = getpid();
	policy_open(&comes, "probe.bpf.o");
	policy_set(&comes, "comes", NULL, priority);
	if (policy_load(&comes))
		tap_bail("%s", policy_log);
	comes.probe->tgid = getpid();
	begin_calls(call);
	for (int i = 0; i < ROUNDS; i++) {
		usleep(2000);
		failed += policy_attach(&comes) != 0;
		usleep(2000);
		policy_detach(&comes);
	}
	all = end_calls();
	tap_is(failed, 0, "one came and went %d times, priority %d", ROUNDS, priority);
	made("the one that stayed", &all, stays.probe->calls);
	tap_ok(comes.probe->calls[PROBE_MEM_PIN] > 0 &&
	       comes.probe->calls[PROBE_MEM_PIN] <= all.pins, "the other: %llu of %llu pins",
	       comes.probe->calls[PROBE_MEM_PIN], all.pins);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		doubled += comes.probe->calls[pairs[i][1]] > comes.probe->calls[pairs[i][0]];
	tap_is(doubled, 0, "and it was told of no end but of what it had allowed");
	policy_close(&comes);
	policy_close(&stays);
}

static void other_name(void)
{
	struct policy a, b;
	int fd;

	probe_attach(&a, "a", NULL, 0);
	policy_open(&b, "probe.bpf.o");
	policy_set(&b, "b", NULL, 0);
	if (policy_load(&b))
		tap_bail("%s", policy_log);
	tap_is(bpf_link__update_map(a.link, b.ops), -EINVAL, "another name replaces nothing");
	fd = dev_open(dev.name);
	tap_is(a.probe->calls[PROBE_OPEN], 1, "and the old one stays");
	close(fd);
	policy_close(&a);
	policy_close(&b);
}

static bool attached(const char *name)
{
	struct json_node *all = policy_json(name);
	bool there = all != NULL;

	json_free(all);
	return there;
}

/* The kernel closes a dead process' link in its own time. */
static bool goes(const char *name)
{
	for (int i = 0; i < 100; i++) {
		if (!attached(name))
			return true;
		usleep(50000);
	}
	return false;
}

static void links(void)
{
	struct policy p;
	int ready[2];
	pid_t pid;
	char c;

	probe_attach(&p, "closed", NULL, 0);
	tap_ok(attached("closed"), "attached");
	bpf_link__destroy(p.link);
	p.link = NULL;
	tap_ok(goes("closed"), "goes when its link is closed");
	policy_close(&p);

	probe_attach(&p, "cut", NULL, 0);
	bpf_link__detach(p.link);
	tap_ok(!attached("cut"), "goes at once when its link is cut");
	policy_close(&p);

	if (pipe(ready))
		tap_bail("pipe");
	pid = fork();
	if (!pid) {
		probe_attach(&p, "orphan", NULL, 0);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		pause();
		_exit(1);
	}
	if (read(ready[0], &c, 1) != 1)
		tap_bail("no child");
	tap_ok(attached("orphan"), "another process has attached one");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tap_ok(goes("orphan"), "goes when that process is killed");
}

/* What is pinned stays, and what holds a job back for too long is overruled. */
static void held(void)
{
	struct accel_job_wait wait;
	struct policy p;
	uint64_t job;
	int fd;

	probe_attach(&p, "holder", NULL, 0);
	fd = dev_open(dev.name);
	p.probe->answer[PROBE_JOB_START] = -EAGAIN;
	nop_submit(fd, 0, &job);
	wait = (struct accel_job_wait) { .job_id = job };
	while (*(volatile unsigned long long *)&p.probe->calls[PROBE_JOB_START] <= 3 &&
	       dev_ioctl(fd, ACCEL_IOCTL_JOB_WAIT, &wait) == -ETIMEDOUT)
		usleep(1000);
	tap_is(dev_ioctl(fd, ACCEL_IOCTL_JOB_WAIT, &wait), -ETIMEDOUT,
	       "a job is held back, and asked about again");
	p.probe->answer[PROBE_JOB_START] = 0;
	tap_is(dev_wait(fd, job, &wait), 0, "it starts when it may");
	tap_is(policy_figure("holder", "overruled"), 0, "nobody was overruled");

	dev_write("/sys/module/accelerator/parameters/policy_hold_ms", "100");
	p.probe->answer[PROBE_JOB_START] = -EAGAIN;
	nop_submit(fd, 0, &job);
	tap_is(dev_wait(fd, job, &wait), 0, "after policy_hold_ms it starts all the same");
	tap_ok(wait.queue_ns >= 100000000, "not before: %llu ns", (unsigned long long)wait.queue_ns);
	tap_is(policy_figure("holder", "overruled"), 1, "that is counted");
	dev_write("/sys/module/accelerator/parameters/policy_hold_ms", "30000");

	nop_submit(fd, 0, &job);
	policy_close(&p);
	tap_is(dev_wait(fd, job, &wait), 0, "what was held starts when the policy goes");
	close(fd);
}

struct unbind {
	pthread_t thread;
	volatile int done;
};

static void *unbind(void *arg)
{
	struct unbind *u = arg;

	dev_write("/sys/bus/platform/drivers/accel_soft/unbind", "accel_soft.0");
	u->done = 1;
	return NULL;
}

/*
 * A policy that holds a job back is taken away, and its device, at the same time and one after
 * the other: nothing waits for the job, or for the policy.
 */
static void unloaded_while_held(void)
{
	struct unbind u = { 0 };
	struct policy p;
	int fd;

	/* so that nothing starts, and nobody is overruled */
	dev_write("/sys/module/accelerator/parameters/policy_hold_ms", "3600000");
	for (int order = 0; order < 3; order++) {
		u.done = 0;
		probe_attach(&p, "holder", NULL, 0);
		fd = dev_open(dev.name);
		p.probe->answer[PROBE_JOB_START] = -EAGAIN;
		for (int i = 0; i < 5; i++)
			nop_submit(fd, 0, NULL);
		while (!*(volatile unsigned long long *)&p.probe->calls[PROBE_JOB_START])
			usleep(1000);
		if (order == 0)
			policy_close(&p);
		pthread_create(&u.thread, NULL, unbind, &u);
		if (order == 1)
			policy_close(&p);
		pthread_join(u.thread, NULL);
		tap_ok(u.done, "jobs are held: the device goes %s", order == 0 ? "after the policy" :
		       order == 1 ? "while the policy does" : "before the policy");
		if (order == 2) {
			tap_is(p.probe->calls[PROBE_JOB_DONE], 5, "  which hears of its jobs' end");
			policy_close(&p);
		}
		close(fd);
		dev_write("/sys/bus/platform/drivers/accel_soft/bind", "accel_soft.0");
		if (dev_find("soft", 0, &dev))
			tap_bail("the device did not come back");
	}
	dev_write("/sys/module/accelerator/parameters/policy_hold_ms", "30000");
}

int main(void)
{
	policy_begin();
	page = pages(PAGE);
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	under_load();
	both_ways();
	owed();
	beside(-1);
	beside(1);
	other_name();
	links();
	held();
	unloaded_while_held();
	return tap_done();
}
