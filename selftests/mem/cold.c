// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=120 */
/*
 * Memory that is not there yet, or is there in part, or is another's until it is written to,
 * or goes again while it is faulted in. A pin has what the processor would have.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "mem.h"

/* so many that a number which doubles with each of them would be none any more */
#define MANY		200
#define SERVED		100	/* of these, to who is killed then */
#define TRAP_LENGTH	(MANY * PAGE)

#include "trap.h"

#define PAGES	1100	/* two batches, and a part of one */
#define LENGTH	(PAGES * PAGE)
#define PATTERN	0x0102030405060708ULL
#define PINS	100

static struct dev_info dev;
static int fd;

static uint8_t *fresh(size_t length)
{
	uint8_t *p = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || madvise(p, length, MADV_NOHUGEPAGE))
		tap_bail("mmap: %s", strerror(errno));
	return p;
}

/* What the device reads is what the processor reads; and the other way round. */
static void is_same(uint8_t *p, size_t length, const char *what)
{
	uint64_t mem;
	uint32_t crc;

	tap_is(dev_pin(fd, p, length, READ | WRITE, &mem), 0, "%s: pinned", what);
	tap_is(device_crc(fd, mem, length, &crc), 0, "%s: read by the device", what);
	tap_ok(crc == crc32c(0, p, length), "%s: what the device reads is there", what);
	tap_is(device_fill(fd, mem, 0, length, PATTERN), 0, "%s: written by the device", what);
	tap_ok(is_filled(p, length, PATTERN), "%s: what the device writes is seen", what);
	dev_unpin(fd, mem);
}

static void test_parts(void)
{
	uint8_t *p = fresh(LENGTH), *none = fresh(LENGTH);

	is_same(none, LENGTH, "nothing is there");
	for (size_t at = 0; at < PAGES; at += 1 + at % 7)
		memset(p + at * PAGE, at, PAGE);
	is_same(p, LENGTH, "some pages are there");
	munmap(p, LENGTH);
	munmap(none, LENGTH);
}

/* A child's pages are its parent's until it writes, and the device's writes are its own. */
static void test_shared(void)
{
	uint8_t *p = fresh(LENGTH);
	pid_t child;
	int status;

	fill(p, LENGTH / 2, 1);
	child = fork();
	if (!child) {
		uint64_t mem;
		int bad;

		fd = dev_open(dev.name);
		bad = dev_pin(fd, p, LENGTH, READ | WRITE, &mem) ||
		      device_fill(fd, mem, 0, LENGTH, PATTERN) ||
		      !is_filled(p, LENGTH, PATTERN);
		_exit(bad);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		tap_bail("fork: %s", strerror(errno));
	tap_is(status, 0, "a child's copy is pinned, and written by the device");
	is_same(p, LENGTH, "the parent's");
	munmap(p, LENGTH);
}

/* As a file's pages come in another way than others, and not all may be pinned. */
static void test_mixed(void)
{
	uint8_t *p = fresh(LENGTH);
	int file = memfd_create("cold", MFD_CLOEXEC);

	if (file < 0 || ftruncate(file, 300 * PAGE) ||
	    mmap(p + 100 * PAGE, 300 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 file, 0) == MAP_FAILED)
		tap_bail("memfd: %s", strerror(errno));
	is_same(p, LENGTH, "a file in between");
	close(file);
	munmap(p, LENGTH);
}

static void test_end(void)
{
	uint8_t *p = fresh(LENGTH);
	uint64_t mem;
	char text[64];

	if (mprotect(p + 700 * PAGE, PAGE, PROT_READ))
		tap_bail("mprotect: %s", strerror(errno));
	tap_is(dev_pin(fd, p, LENGTH, READ | WRITE, &mem), -EFAULT, "a page may not be written to");
	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)(uintptr_t)(p + 700 * PAGE));
	tap_ok(strstr(last_error(fd), text), "it is named: %s", last_error(fd));
	munmap(p, LENGTH);
}

/* Each page is a mapping of its own. */
static void test_pieces(void)
{
	uint8_t *p = fresh(MANY * PAGE);

	for (size_t at = 0; at < MANY; at += 2)
		if (madvise(p + at * PAGE, PAGE, MADV_DONTFORK))
			tap_bail("madvise: %s", strerror(errno));
	is_same(p, MANY * PAGE, "many mappings");
	munmap(p, MANY * PAGE);
}

/* Gives a fault's page what it is to have. */
static void serve(const uint8_t *content, int pages)
{
	for (int i = 0; i < pages; i++) {
		struct uffdio_copy copy = { .len = PAGE };
		struct uffd_msg msg;

		if (read(uffd, &msg, sizeof(msg)) != sizeof(msg))
			tap_bail("userfaultfd: no fault: %s", strerror(errno));
		copy.dst = msg.arg.pagefault.address & -PAGE;
		copy.src = (uintptr_t)content + copy.dst - (uintptr_t)trap;
		if (ioctl(uffd, UFFDIO_COPY, &copy))
			tap_bail("UFFDIO_COPY: %s", strerror(errno));
	}
}

static void *serve_all(void *content)
{
	serve(content, MANY);
	return NULL;
}

/* The lock of all mappings is let go in the fault, each time. */
static void test_served(void)
{
	uint8_t *content = fresh(TRAP_LENGTH);
	pthread_t thread;

	fill(content, TRAP_LENGTH, 2);
	trap_set();
	if (pthread_create(&thread, NULL, serve_all, content))
		tap_bail("no thread");
	is_same((uint8_t *)trap, TRAP_LENGTH, "each page is brought by somebody");
	pthread_join(thread, NULL);
	trap_release();
	munmap(trap, TRAP_LENGTH);
	munmap(content, TRAP_LENGTH);
}

static int told[2];

static void *serve_some(void *content)
{
	serve(content, SERVED);
	trap_wait();
	if (write(told[1], "", 1) != 1)
		tap_bail("write: %s", strerror(errno));
	return NULL;
}

/* Who waits for a page that does not come can be killed. */
static void test_killed(void)
{
	uint8_t *content = fresh(TRAP_LENGTH);
	pthread_t thread;
	uint64_t mem;
	pid_t child;
	char byte;
	int status;

	if (pipe(told))
		tap_bail("pipe: %s", strerror(errno));
	child = fork();
	if (!child) {
		fd = dev_open(dev.name);
		trap_set();
		if (pthread_create(&thread, NULL, serve_some, content))
			tap_bail("no thread");
		_exit(dev_pin(fd, trap, TRAP_LENGTH, READ | WRITE, &mem) ? 1 : 0);
	}
	if (child < 0 || read(told[0], &byte, 1) != 1 || kill(child, SIGKILL) ||
	    waitpid(child, &status, 0) != child)
		tap_bail("a child: %s", strerror(errno));
	tap_ok(WIFSIGNALED(status), "who waits for its %dth page is killed", SERVED + 1);
	close(told[0]);
	close(told[1]);
	munmap(content, TRAP_LENGTH);
}

static volatile int stop, rounds;

static void *throw_away(void *p)
{
	while (!stop) {
		madvise(p, 64 * PAGE, MADV_DONTNEED);
		rounds++;
	}
	return NULL;
}

/* What has been faulted in is gone when it is to be pinned. */
static void test_thrown_away(void)
{
	uint8_t *p = fresh(64 * PAGE);
	int bad = 0, pins = PINS;
	pthread_t thread;
	uint64_t mem;

	if (pthread_create(&thread, NULL, throw_away, p))
		tap_bail("no thread");
	while (!rounds)
		sched_yield();
	for (int i = 0; i < pins || (rounds < 20 && i < 1000 * pins); i++)
		bad += dev_pin(fd, p, 64 * PAGE, READ | WRITE, &mem) || dev_unpin(fd, mem);
	stop = 1;
	pthread_join(thread, NULL);
	tap_is(bad, 0, "pins that fail while pages are thrown away");
	munmap(p, 64 * PAGE);
}

int main(void)
{
	struct clean before;

	fd = open_first("soft", &dev);
	before = clean_read();
	test_parts();
	test_shared();
	test_mixed();
	test_end();
	test_pieces();
	test_served();
	test_killed();
	test_thrown_away();
	clean_check(&before, "all of them");
	close(fd);
	return tap_done();
}
