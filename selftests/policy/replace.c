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

static void under_load(void)
{
	static struct caller callers[THREADS];
	struct policy two[2];
	unsigned long long pins = 0, jobs = 0, ioctls = 0;
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
	for (int i = 0; i < THREADS; i++)
		pthread_create(&callers[i].thread, NULL, call, &callers[i]);
	for (int i = 1; i <= ROUNDS; i++) {
		usleep(5000);
		failed += bpf_link__update_map(two[0].link, two[i % 2].ops) != 0;
	}
	stop = 1;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(callers[i].thread, NULL);
		pins += callers[i].pins;
		jobs += callers[i].jobs;
		ioctls += callers[i].ioctls;
	}
	tap_is(failed, 0, "replaced %d times", ROUNDS);
#define BOTH(hook) (two[0].probe->calls[hook] + two[1].probe->calls[hook])
	tap_is(BOTH(PROBE_OPEN), THREADS, "open: the two versions' calls are those that were made");
	tap_is(BOTH(PROBE_IOCTL), ioctls, "ioctl");
	tap_is(BOTH(PROBE_MEM_PIN), pins, "mem_pin");
	tap_is(BOTH(PROBE_DMA_MAP), pins, "dma_map");
	tap_is(BOTH(PROBE_MEM_UNPIN), pins, "mem_unpin: also of what the other version allowed");
	tap_is(BOTH(PROBE_JOB_SUBMIT), jobs, "job_submit");
	tap_is(BOTH(PROBE_JOB_DONE), jobs, "job_done");
	tap_is(BOTH(PROBE_CONTEXT_CLOSE), THREADS, "context_close");
	tap_ok(two[0].probe->calls[PROBE_MEM_PIN] && two[1].probe->calls[PROBE_MEM_PIN],
	       "both versions were asked: %llu and %llu pins", two[0].probe->calls[PROBE_MEM_PIN],
	       two[1].probe->calls[PROBE_MEM_PIN]);
	tap_is(policy_figure("version", "hooks.mem_pin.calls"), pins, "the kernel's count goes on");
	policy_close(&two[0]);
	policy_close(&two[1]);
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
	usleep(200000);
	tap_is(dev_ioctl(fd, ACCEL_IOCTL_JOB_WAIT, &wait), -ETIMEDOUT, "a job is held back");
	tap_ok(p.probe->calls[PROBE_JOB_START] > 3, "and is asked about again: %llu times",
	       p.probe->calls[PROBE_JOB_START]);
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

int main(void)
{
	policy_begin();
	page = pages(PAGE);
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	under_load();
	other_name();
	links();
	held();
	return tap_done();
}
