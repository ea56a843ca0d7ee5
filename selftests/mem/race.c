// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=120 */
/*
 * Pins beside what changes the memory: munmap() and mmap() of the range, two processes
 * on the same pages, a kill at any moment, a fork beside a pin. Whatever a pin answers,
 * nothing of it is left afterwards.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "mem.h"

#define PAGES	64
#define PINS	400	/* of each of the two, on the slow kernel a quarter */
#define KILLS	60

static struct dev_info dev;
static int fd, pins = PINS, kills = KILLS;
static uint8_t *range;
static volatile int stop, rounds;

/* Takes the range away and puts it back, whole or in part. */
static void *change(void *arg)
{
	uint64_t seed = 1;

	(void)arg;
	while (!stop) {
		size_t at = dev_random(&seed) % PAGES, n = 1 + dev_random(&seed) % (PAGES - at);

		munmap(range + at * PAGE, n * PAGE);
		mmap(range + at * PAGE, n * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		rounds++;
	}
	return NULL;
}

static void test_munmap(void)
{
	struct clean before = clean_read();
	int good = 0, hole = 0, other = 0;
	pthread_t thread;
	uint64_t mem;

	range = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (range == MAP_FAILED || pthread_create(&thread, NULL, change, NULL))
		tap_bail("mmap or thread");
	while (!rounds)
		sched_yield();
	/* until both have been seen, and often enough, of a range that has changed as often */
	for (int i = 0; i < pins || ((!good || !hole || rounds < 20) && i < 1000 * pins); i++) {
		int ret = dev_pin(fd, range, PAGES * PAGE, READ | WRITE, &mem);

		good += !ret;
		hole += ret == -EFAULT;
		other += ret && ret != -EFAULT;
		if (!ret && dev_unpin(fd, mem))
			other++;
	}
	stop = 1;
	pthread_join(thread, NULL);
	tap_is(other, 0, "munmap beside a pin: it answers 0 or EFAULT");
	tap_ok(good && hole, "both were seen");
	tap_diag("%d good, %d EFAULT, %d changes", good, hole, rounds);
	tap_is(charged(), 0, "nothing stays charged");
	munmap(range, PAGES * PAGE);
	clean_check(&before, "pins beside munmap");
}

static int pin_again_and_again(uint8_t *p)
{
	int file = dev_open(dev.name), bad = file < 0;
	uint64_t mem;

	for (int i = 0; i < pins && !bad; i++) {
		uint32_t flags = i % 3 ? READ | WRITE : READ;

		bad = dev_pin(file, p, PAGES * PAGE, flags, &mem) != 0 ||
		      (!(i % 5) && device_fill(file, mem, 0, PAGE, 1) != (flags & WRITE ? 0 : -EACCES)) ||
		      charged() != PAGES * PAGE || dev_unpin(file, mem) != 0;
	}
	bad |= charged() != 0;
	close(file);
	return bad;
}

static void test_two_processes(void)
{
	struct clean before = clean_read();
	uint8_t *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			  -1, 0);
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(pin_again_and_again(p));
	tap_is(pin_again_and_again(p), 0, "two processes, the same pages: this one");
	waitpid(pid, &status, 0);
	tap_is(status, 0, "and the other; each is charged for itself");
	munmap(p, PAGES * PAGE);
	clean_check(&before, "both");
}

/* Killed while it pins, forks, unpins: wherever it is. */
static void test_kill(void)
{
	struct clean before = clean_read();
	uint64_t seed = 3;
	int wrong = 0;

	for (int i = 0; i < kills; i++) {
		int ready[2], status;
		pid_t pid;
		char c;

		if (pipe(ready))
			tap_bail("pipe");
		pid = fork();
		if (!pid) {
			int file = dev_open(dev.name);
			uint8_t *p = mmap(NULL, 8 * HUGE, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			uint64_t mem;

			c = file >= 0 && p != MAP_FAILED;
			if (write(ready[1], &c, 1) != 1)
				_exit(1);
			for (;;) {
				dev_pin(file, p, 8 * HUGE, READ | WRITE, &mem);
				if (!fork())
					_exit(0);
				dev_unpin(file, mem);
			}
		}
		wrong += read(ready[0], &c, 1) != 1 || c != 1;
		usleep(dev_random(&seed) % 4096);
		kill(pid, SIGKILL);
		wrong += waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status);
		close(ready[0]);
		close(ready[1]);
	}
	tap_is(wrong, 0, "%d processes killed while they pin 16 MiB and fork", kills);
	/* their children may still be on their way out */
	for (int i = 0; i < 600 && dev_attr(dev.name, "contexts") > before.contexts; i++)
		usleep(100000);
	clean_check(&before, "them");
}

int main(void)
{
	if (!access("/sys/kernel/debug/kmemleak", F_OK)) {
		pins /= 4;
		kills /= 4;
	}
	fd = open_first("soft", &dev);
	test_munmap();
	test_two_processes();
	close(fd);
	test_kill();
	return tap_done();
}
