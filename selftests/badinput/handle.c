// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=2" */
/*
 * Handles of others, handles of what is gone, and what is left to a process whose
 * fellow was killed while it waited.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clean.h"

#define PAGE	4096UL
#define RW	(ACCEL_MEM_READ | ACCEL_MEM_WRITE)

static struct dev_info dev;
static int control;
static uint8_t *memory;

static int fill(int fd, uint32_t engine, uint64_t mem, uint64_t *job)
{
	struct accel_soft_submit submit = {
		.op = ACCEL_SOFT_OP_FILL, .engine = engine, .dst_mem = mem, .length = PAGE,
		.pattern = 0x1122334455667788,
	};
	int ret = dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &submit);

	if (!ret && job)
		*job = submit.job_id;
	return ret;
}

static int fill_and_wait(int fd, uint32_t engine, uint64_t mem)
{
	struct accel_job_wait wait;
	uint64_t job;
	int ret;

	memset(memory, 0, PAGE);
	ret = fill(fd, engine, mem, &job);
	if (!ret)
		ret = dev_wait(fd, job, &wait);
	if (!ret)
		ret = wait.status;
	return ret ? ret : memory[0] == 0x88 && memory[PAGE - 1] == 0x11 ? 0 : -EBADMSG;
}

/* Is it still running? Does not wait. */
static int look(int fd, uint64_t job)
{
	struct accel_job_wait wait = { .job_id = job };

	return dev_ioctl(fd, ACCEL_IOCTL_JOB_WAIT, &wait);
}

static void slow(uint32_t engine, int on)
{
	struct accel_soft_config config = {
		.engine = engine, .latency_ns = on ? ACCEL_SOFT_LATENCY_MAX : 0,
	};

	if (dev_ioctl(control, ACCEL_SOFT_IOCTL_CONFIG, &config))
		tap_bail("cannot set the speed of %s", dev.name);
}

static void test_others(void)
{
	struct clean before = clean_read();
	int a = dev_open(dev.name), b = dev_open(dev.name), other;
	struct accel_job_wait wait;
	struct dev_info second;
	uint64_t mem, job;
	int status;
	pid_t pid;

	tap_is(dev_pin(a, memory, PAGE, RW, &mem), 0, "a region of one file");
	tap_is(dev_unpin(b, mem), -ENOENT, "another cannot unpin it: ENOENT");
	tap_is(fill(b, 0, mem, NULL), -ENOENT, "nor use it: ENOENT");
	tap_is(fill(a, 0, mem, &job), 0, "a job of one file");
	tap_is(dev_wait(b, job, &wait), -ENOENT, "another cannot wait for it: ENOENT");
	tap_is(dev_wait(a, job, &wait), 0, "its own can");
	tap_is(dev_wait(a, job, &wait), -ENOENT, "once: ENOENT");
	tap_is(look(a, 0), -ENOENT, "job 0: ENOENT");
	tap_is(look(a, UINT64_MAX), -ENOENT, "job 2^64 - 1: ENOENT");
	tap_is(look(a, mem), -ENOENT, "a region is no job: ENOENT");

	/* a process of its own, with files of its own */
	pid = fork();
	if (!pid) {
		int fd;

		close(a);
		close(b);
		fd = dev_open(dev.name);
		_exit(fd < 0 ? 1 : dev_unpin(fd, mem) != -ENOENT ? 2 :
		      fill(fd, 0, mem, NULL) != -ENOENT ? 3 : look(fd, job) != -ENOENT ? 4 : 0);
	}
	waitpid(pid, &status, 0);
	tap_is(status, 0, "another process's handles: ENOENT");

	if (!dev_find("soft", 1, &second)) {
		other = dev_open(second.name);
		tap_is(dev_unpin(other, mem), -ENOENT, "another device's: ENOENT");
		tap_is(fill(other, 0, mem, NULL), -ENOENT, "and there is no job for it: ENOENT");
		close(other);
	}
	tap_is(fill_and_wait(a, 0, mem), 0, "the owner's is as good as before");
	tap_is(dev_unpin(a, mem), 0, "until it is unpinned");
	tap_is(fill(a, 0, mem, NULL), -ENOENT, "a closed handle: ENOENT");
	close(a);
	tap_is(dev_unpin(a, mem), -EBADF, "a closed file: EBADF");
	close(b);
	clean_check(&before, "them");
}

/* ----------------------------------------------------------------- SIGKILL */

/* Until the task sleeps in an ioctl: what it is doing cannot be told from outside else. */
static void wait_in_ioctl(pid_t pid, pid_t tid)
{
	char path[64], text[32], state;
	FILE *f;

	for (;;) {
		int nr = -1;

		snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
		f = fopen(path, "re");
		if (f && fgets(text, sizeof(text), f))
			nr = atoi(text);
		if (f)
			fclose(f);
		snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
		f = fopen(path, "re");
		if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			tap_bail("task %d of %d is not there", tid, pid);
		fclose(f);
		if (nr == SYS_ioctl && state == 'S')
			return;
		usleep(2000);
	}
}

struct victim {
	int fd;
	uint64_t mem, job;
	bool unpin;		/* waits for the region, not for the job */
	_Atomic int tid;
};

static void *victim_thread(void *arg)
{
	struct victim *v = arg;
	struct accel_job_wait wait;

	v->tid = syscall(SYS_gettid);
	if (v->unpin)
		dev_unpin(v->fd, v->mem);
	else
		dev_wait(v->fd, v->job, &wait);
	return NULL;
}

/* A child with two threads; one waits, one submits. Both are killed by a signal to the first. */
static void kill_waiter(int fd, uint64_t mem, uint64_t job, bool unpin)
{
	struct victim *v = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				-1, 0);
	int status;
	pid_t pid;

	*v = (struct victim) { .fd = fd, .mem = mem, .job = job, .unpin = unpin };
	pid = fork();
	if (!pid) {
		struct accel_soft_submit nop = { .op = ACCEL_SOFT_OP_NOP, .engine = 1 };
		pthread_t thread;

		pthread_create(&thread, NULL, victim_thread, v);
		for (;;)
			dev_soft(fd, &nop, NULL);
	}
	while (!v->tid)
		usleep(1000);
	wait_in_ioctl(pid, v->tid);
	syscall(SYS_tgkill, pid, v->tid, SIGKILL);
	waitpid(pid, &status, 0);
	tap_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	       "a thread that waits for %s is killed, and with it one that submits",
	       unpin ? "a region" : "a job");
	munmap(v, PAGE);
}

static void test_sigkill(void)
{
	struct clean before = clean_read();
	int fd = dev_open(dev.name);
	struct accel_job_wait wait;
	uint64_t mem, job;

	slow(0, 1);
	dev_pin(fd, memory, PAGE, RW, &mem);
	tap_is(fill(fd, 0, mem, &job), 0, "a job that takes long");
	kill_waiter(fd, mem, job, false);
	tap_is(look(fd, job), -ETIMEDOUT, "the job still runs");
	tap_is(fill_and_wait(fd, 1, mem), 0, "who shares the file submits on, and gets its result");

	kill_waiter(fd, mem, job, true);
	tap_is(dev_attr(dev.name, "pinned_bytes") - before.pinned, PAGE, "the region is still there");
	tap_is(fill_and_wait(fd, 1, mem), 0, "and of use");
	tap_is(look(fd, job), -ETIMEDOUT, "the job still runs");
	wait = (struct accel_job_wait) { .job_id = job, .deadline_ns = 1 };
	tap_is(dev_ioctl(fd, ACCEL_IOCTL_JOB_WAIT, &wait), -ETIMEDOUT,
	       "a deadline long ago: ETIMEDOUT");
	close(fd);
	slow(0, 0);
	clean_check(&before, "all of it after the close");
}

/* A process that is killed with jobs that wait and run, and pins of its own. */
static void test_sigkill_owner(void)
{
	struct clean before = clean_read();
	int ready = eventfd(0, 0), status;
	uint64_t one = 1;
	pid_t pid;

	slow(0, 1);
	pid = fork();
	if (!pid) {
		int fd = dev_open(dev.name);
		uint64_t mem;

		if (fd < 0 || dev_pin(fd, memory, PAGE, RW, &mem))
			_exit(1);
		for (int i = 0; i < 20; i++)
			if (fill(fd, i % 2, mem, NULL))
				_exit(2);
		if (write(ready, &one, sizeof(one)) < 0)
			_exit(3);
		for (;;)
			pause();
	}
	if (read(ready, &one, sizeof(one)) < 0)
		tap_bail("eventfd: %s", strerror(errno));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	/* the file's last close is behind the process's end, but on its way */
	while (dev_attr(dev.name, "contexts") != before.contexts)
		usleep(1000);
	slow(0, 0);
	clean_check(&before, "a process that was killed with 20 jobs");
	close(ready);
}

/* No more than so many jobs that nobody waits for. */
static void test_too_many(void)
{
	struct clean before = clean_read();
	struct accel_soft_submit nop = { .op = ACCEL_SOFT_OP_NOP, .engine = 0 };
	int fd = dev_open(dev.name), n = 0, ret;
	struct accel_job_wait wait;
	uint64_t first = 0;

	while (!(ret = dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &nop)) && ++n < 100000)
		if (!first)
			first = nop.job_id;
	tap_is(ret, -EAGAIN, "too many jobs that nobody waited for: EAGAIN");
	tap_is(n, 4096, "after 4096");
	tap_is(dev_wait(fd, first, &wait), 0, "wait for one");
	tap_is(dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &nop), 0, "and there is room for one");
	tap_is(dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &nop), -EAGAIN, "not for two");
	close(fd);
	clean_check(&before, "them");
}

int main(void)
{
	char node[64];

	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device here");
	snprintf(node, sizeof(node), "%sc", dev.name);
	control = dev_open(node);
	if (control < 0)
		tap_bail("cannot open %s", node);
	/* shared with children, so that what a job writes is seen by all */
	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		tap_bail("no memory");
	test_others();
	test_sigkill();
	test_sigkill_owner();
	test_too_many();
	close(control);
	return tap_done();
}
