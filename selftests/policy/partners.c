// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" TIMEOUT=120 */
/*
 * Whoever allowed a thing hears of its end, once; nobody else does. In every way in which
 * a thing can end: by its handle, with its file, with its device, because a later policy
 * refused, because the operation itself failed. And nothing of what is older.
 */
#include "policy.h"

static struct dev_info dev;
static char *page;

/* That p has heard of the end of all it has allowed, and of nothing else. */
static void balanced(const struct policy *p, const char *when)
{
	static const int pairs[][2] = {
		{ PROBE_OPEN, PROBE_CONTEXT_CLOSE }, { PROBE_MEM_PIN, PROBE_MEM_UNPIN },
		{ PROBE_JOB_SUBMIT, PROBE_JOB_DONE },
	};
	static const char *const names[] = { "files", "regions", "jobs" };

	for (int i = 0; i < 3; i++)
		tap_is(p->probe->calls[pairs[i][1]], p->probe->allowed[pairs[i][0]],
		       "%s: %s that have ended are those that were allowed", when, names[i]);
}

static void wait_for(volatile unsigned long long *count, unsigned long long want)
{
	for (int i = 0; i < 6000 && *count < want; i++)
		usleep(10000);
}

static void plain(void)
{
	struct policy p;
	uint64_t mem, job;
	struct accel_job_wait wait;
	int fd;

	probe_attach(&p, "plain", NULL, 0);
	fd = dev_open(dev.name);
	tap_is(dev_pin(fd, page, PAGE, RW, &mem), 0, "pin");
	tap_is(p.probe->last_bytes, PAGE, "  of which it sees the length");
	tap_is(nop_submit(fd, 0, &job), 0, "submit");
	tap_is(p.probe->last_id[PROBE_JOB_SUBMIT], job, "  of which it sees the id");
	dev_wait(fd, job, &wait);
	tap_is(p.probe->calls[PROBE_JOB_DONE], 1, "job_done");
	tap_is(p.probe->last_id[PROBE_JOB_DONE], job, "  of that job");
	dev_unpin(fd, mem);
	tap_is(p.probe->last_id[PROBE_MEM_UNPIN], mem, "mem_unpin of that region");
	dev_pin(fd, page, PAGE, RW, &mem);
	nop_submit(fd, 0, &job);
	close(fd);
	tap_is(p.probe->calls[PROBE_CONTEXT_CLOSE], 1, "context_close");
	balanced(&p, "by handle and by close");
	policy_close(&p);
}

static void failed(void)
{
	struct policy p;
	uint64_t mem;
	int fd;

	probe_attach(&p, "failed", NULL, 0);
	fd = dev_open(dev.name);
	tap_is(dev_pin(fd, (void *)0x10000, PAGE, RW, &mem), -EFAULT,
	       "a pin that was allowed, and fails");
	tap_is(p.probe->allowed[PROBE_MEM_PIN], 1, "was allowed");
	tap_is(p.probe->calls[PROBE_MEM_UNPIN], 1, "is told to have ended");
	tap_is(dev_pin(fd, page, PAGE - 1, RW, &mem), -EINVAL, "what is wrong by itself");
	tap_is(p.probe->calls[PROBE_MEM_PIN], 1, "is not asked about");
	p.probe->answer[PROBE_DMA_MAP] = -ENOSPC;
	tap_is(dev_pin(fd, page, PAGE, RW, &mem), -ENOSPC, "a pin whose dma_map is refused");
	tap_is(p.probe->calls[PROBE_MEM_UNPIN], 2, "is told to have ended, too");
	close(fd);
	balanced(&p, "failed");
	policy_close(&p);
}

/* The device with a limit of jobs that nobody waits for: submission fails after the policy. */
static void too_many(void)
{
	struct policy p;
	unsigned long long n = 0;
	int fd, ret;

	probe_attach(&p, "many", NULL, 0);
	fd = dev_open(dev.name);
	do {
		ret = nop_submit(fd, 0, NULL);
		n++;
	} while (!ret && n < 100000);
	tap_is(ret, -EAGAIN, "job %llu is one too many", n);
	wait_for(&p.probe->calls[PROBE_JOB_DONE], n);
	tap_is(p.probe->calls[PROBE_JOB_DONE], n, "each is told to have ended, that one, too");
	close(fd);
	balanced(&p, "too many jobs");
	policy_close(&p);
}

static void later_refusal(void)
{
	struct policy first, second;
	uint64_t mem;
	int fd;

	probe_attach(&first, "first", NULL, 0);
	probe_attach(&second, "second", NULL, 1);
	fd = dev_open(dev.name);
	second.probe->answer[PROBE_OPEN] = -EACCES;
	tap_is(dev_open(dev.name), -EACCES, "open: a later policy refuses");
	tap_is(first.probe->calls[PROBE_CONTEXT_CLOSE], 1, "  the first hears that it came to nothing");
	tap_is(second.probe->calls[PROBE_CONTEXT_CLOSE], 0, "  who refused does not");
	second.probe->answer[PROBE_MEM_PIN] = -EACCES;
	tap_is(dev_pin(fd, page, PAGE, RW, &mem), -EACCES, "pin: a later policy refuses");
	tap_is(first.probe->calls[PROBE_MEM_UNPIN], 1, "  the first hears that it came to nothing");
	second.probe->answer[PROBE_JOB_SUBMIT] = -EACCES;
	tap_is(nop_submit(fd, 0, NULL), -EACCES, "job: a later policy refuses");
	tap_is(first.probe->calls[PROBE_JOB_DONE], 1, "  the first hears that it came to nothing");
	tap_is(second.probe->calls[PROBE_JOB_DONE], 0, "  who refused does not");
	close(fd);
	balanced(&first, "first");
	balanced(&second, "second");
	policy_close(&first);
	policy_close(&second);
}

/* Of things that are older than it, a policy hears nothing. */
static void older(void)
{
	int fd = dev_open(dev.name), held;
	struct policy p;
	uint64_t mem, job;

	dev_pin(fd, page, PAGE, RW, &mem);
	/* until it is cancelled by the close */
	dev_soft_latency(dev.name, ACCEL_SOFT_LATENCY_MAX);
	nop_submit(fd, 0, &job);
	probe_attach(&p, "younger", NULL, 0);
	held = dev_open(dev.name);
	close(fd);
	for (int i = PROBE_CONTEXT_CLOSE; i <= PROBE_JOB_DONE; i++)
		tap_is(p.probe->calls[i], 0, "hook %d: nothing is told of what is older", i);
	close(held);
	dev_soft_latency(dev.name, 0);
	balanced(&p, "younger");
	policy_close(&p);
}

/* Its device goes while the file is open: regions and jobs end then, the file later. */
static void unplug(void)
{
	struct policy p;
	struct dev_info gone;
	uint64_t mem, job;
	int fd;

	if (dev_find("soft", 1, &gone))
		tap_bail("no second soft device");
	probe_attach(&p, "unplug", gone.name, 0);
	fd = dev_open(gone.name);
	dev_pin(fd, page, PAGE, RW, &mem);
	dev_soft_latency(gone.name, 10000000000ULL);
	nop_submit(fd, 0, &job);
	nop_submit(fd, 0, &job);
	/* the control node's file, too, has been told of */
	dev_write("/sys/bus/platform/drivers/accel_soft/unbind", "accel_soft.1");
	tap_is(p.probe->calls[PROBE_MEM_UNPIN], 1, "unplug: the region has ended");
	tap_is(p.probe->calls[PROBE_JOB_DONE], 2, "  and the jobs");
	tap_ok(p.probe->last_status < 0, "  badly: %d", p.probe->last_status);
	close(fd);
	balanced(&p, "unplug with the file open");
	dev_write("/sys/bus/platform/drivers/accel_soft/bind", "accel_soft.1");
	policy_close(&p);
}

/* Many processes at once that open, pin, submit, and are killed wherever they are. */
static void killed(void)
{
	struct policy p;
	pid_t pids[8];

	dev_soft_latency(dev.name, 1000000);
	probe_attach(&p, "killed", dev.name, 0);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 8; i++) {
			pids[i] = fork();
			if (pids[i])
				continue;
			for (;;) {
				int fd = dev_open(dev.name);
				uint64_t mem;

				dev_pin(fd, page, PAGE, RW, &mem);
				nop_submit(fd, i % 2, NULL);
				nop_submit(fd, i % 2, NULL);
				close(fd);
			}
		}
		usleep(20000 + 1000 * round);
		for (int i = 0; i < 8; i++)
			kill(pids[i], SIGKILL);
		for (int i = 0; i < 8; i++)
			waitpid(pids[i], NULL, 0);
	}
	tap_ok(p.probe->allowed[PROBE_JOB_SUBMIT] > 100, "killed: %llu files, %llu regions, %llu jobs",
	       p.probe->allowed[PROBE_OPEN], p.probe->allowed[PROBE_MEM_PIN],
	       p.probe->allowed[PROBE_JOB_SUBMIT]);
	wait_for(&p.probe->calls[PROBE_CONTEXT_CLOSE], p.probe->allowed[PROBE_OPEN]);
	balanced(&p, "killed");
	dev_soft_latency(dev.name, 0);
	policy_close(&p);
}

int main(void)
{
	policy_begin();
	page = pages(PAGE);
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	plain();
	failed();
	too_many();
	later_refusal();
	older();
	unplug();
	killed();
	return tap_done();
}
