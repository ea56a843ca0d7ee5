// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=2,engines=3" */
/*
 * The soft driver does what its header says: every byte of 10,000 random jobs, in
 * all engines at a time, against a copy of the memory that this program keeps.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crc32c.h"
#include "device.h"
#include "tap.h"

#define JOBS		10000
#define INFLIGHT	6
#define REGION		(1UL << 20)
#define PART		(REGION / INFLIGHT / 8 * 8)	/* each job in flight writes to one */
#define MAX_LENGTH	(96UL << 10)
#define RW		(ACCEL_MEM_READ | ACCEL_MEM_WRITE)

static int fd = -1;
static struct dev_info dev;
static uint8_t *src, *dst, *model;	/* model: what dst must be */
static uint64_t src_id, dst_id;
static uint64_t seed = 42;

static uint8_t *memory(size_t n)
{
	uint8_t *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		tap_bail("no memory: %s", strerror(errno));
	return p;
}

static void fill(uint8_t *p, size_t n, uint64_t pattern)
{
	for (size_t i = 0; i < n; i++)
		p[i] = pattern >> (8 * (i % 8));
}

static size_t first_difference(const uint8_t *a, const uint8_t *b, size_t n)
{
	size_t i = 0;

	while (i < n && a[i] == b[i])
		i++;
	return i;
}

/* ------------------------------------------------------------- random jobs */

struct job {
	struct accel_soft_submit submit;
	uint64_t expected;
};

static size_t random_length(void)
{
	static const size_t up_to[] = { 8, 300, 9000, MAX_LENGTH };

	return 1 + dev_random(&seed) % up_to[dev_random(&seed) % 4];
}

/* What the job has to do is done to the model at once. */
static int start(struct job *job, unsigned int part)
{
	struct accel_soft_submit *s = &job->submit;
	uint8_t *to;

	*s = (struct accel_soft_submit) { .length = random_length() };
	s->engine = dev_random(&seed) % 4;
	if (s->engine == 3)
		s->engine = ACCEL_SOFT_ENGINE_ANY;
	s->src_mem = src_id;
	s->src_offset = dev_random(&seed) % (REGION - s->length + 1);
	s->dst_mem = dst_id;
	s->dst_offset = part * PART + dev_random(&seed) % (PART - s->length + 1);
	to = model + s->dst_offset;
	job->expected = 0;
	s->op = ACCEL_SOFT_OP_COPY + dev_random(&seed) % 4;
	switch (s->op) {
	case ACCEL_SOFT_OP_COPY:
		memcpy(to, src + s->src_offset, s->length);
		break;
	case ACCEL_SOFT_OP_FILL:
		s->src_mem = s->src_offset = 0;
		s->pattern = dev_random(&seed);
		fill(to, s->length, s->pattern);
		break;
	case ACCEL_SOFT_OP_COMPARE:
		if (dev_random(&seed) % 4) {
			size_t at = dev_random(&seed) % s->length;

			memcpy(to, src + s->src_offset, s->length);
			if (dev_random(&seed) & 1)
				to[at]++;
			memcpy(dst + s->dst_offset, to, s->length);
		}
		job->expected = first_difference(to, src + s->src_offset, s->length);
		break;
	case ACCEL_SOFT_OP_CRC32C:
		s->dst_mem = s->dst_offset = 0;
		s->pattern = (uint32_t)dev_random(&seed);
		job->expected = crc32c(s->pattern, src + s->src_offset, s->length);
		break;
	}
	return dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, s);
}

static void test_random(void)
{
	unsigned int submitted = 0, ended = 0, failed = 0, wrong = 0, bytes_wrong = 0;
	struct job jobs[INFLIGHT];
	struct accel_job_wait wait;

	memcpy(model, dst, REGION);
	while (ended < JOBS) {
		struct job *job = &jobs[ended % INFLIGHT];
		unsigned int part;

		if (submitted < JOBS && submitted - ended < INFLIGHT) {
			part = submitted % INFLIGHT;
			if (start(&jobs[part], part))
				break;
			submitted++;
			continue;
		}
		part = ended++ % INFLIGHT;
		if (dev_wait(fd, job->submit.job_id, &wait) || wait.status)
			failed++;
		else if (wait.result != job->expected)
			wrong++;
		/* all of the part, and so the bytes around the job's, too */
		if (memcmp(dst + part * PART, model + part * PART, PART))
			bytes_wrong++;
	}
	tap_is(ended, JOBS, "random jobs were taken and have ended");
	tap_is(failed, 0, "all of them well");
	tap_is(wrong, 0, "each result is right");
	tap_is(bytes_wrong, 0, "each byte is right, inside and around what was written");
	tap_ok(!memcmp(dst, model, REGION), "the whole region is, in the end");
}

/* -------------------------------------------------------------- known cases */

static struct accel_soft_submit crc_of(size_t offset, size_t n, uint64_t before)
{
	return (struct accel_soft_submit) {
		.op = ACCEL_SOFT_OP_CRC32C, .engine = ACCEL_SOFT_ENGINE_ANY,
		.src_mem = src_id, .src_offset = offset, .length = n, .pattern = before,
	};
}

static struct accel_soft_submit copy_of(uint64_t from, uint64_t at, uint64_t to, uint64_t to_at,
					size_t n)
{
	return (struct accel_soft_submit) {
		.op = ACCEL_SOFT_OP_COPY, .engine = ACCEL_SOFT_ENGINE_ANY,
		.src_mem = from, .src_offset = at, .dst_mem = to, .dst_offset = to_at,
		.length = n,
	};
}

static void test_known(void)
{
	struct accel_soft_submit s;
	uint64_t result = 0, whole = 0;

	memcpy(src + 4090, "123456789", 9);
	s = crc_of(4090, 9, 0);
	tap_is(dev_soft(fd, &s, &result), 0, "crc32c over the edge of a page");
	tap_is(result, 0xe3069283, "is the standard's");
	s = crc_of(4090, 4, 0);
	dev_soft(fd, &s, &result);
	s = crc_of(4094, 5, result);
	dev_soft(fd, &s, &whole);
	tap_is(whole, 0xe3069283, "crc32c continues from that of the piece before");

	s = (struct accel_soft_submit) { .op = ACCEL_SOFT_OP_NOP, .engine = 0 };
	result = 1;
	tap_is(dev_soft(fd, &s, &result), 0, "a nop ends well");
	tap_is(result, 0, "with 0");

	s = copy_of(dst_id, 0, dst_id, 5000, 5000);
	tap_is(dev_soft(fd, &s, NULL), 0, "a copy next to its source, in one region");
	tap_ok(!memcmp(dst, dst + 5000, 5000), "is one");
	s = copy_of(dst_id, 0, dst_id, 4999, 5000);
	tap_is(dev_soft(fd, &s, NULL), -EINVAL, "over the last byte of its source: EINVAL");
	s = copy_of(dst_id, 4999, dst_id, 0, 5000);
	tap_is(dev_soft(fd, &s, NULL), -EINVAL, "over the first one: EINVAL");
	s = copy_of(src_id, 0, dst_id, 0, REGION);
	tap_is(dev_soft(fd, &s, NULL), 0, "a copy of a whole region");
	tap_ok(!memcmp(src, dst, REGION), "is one");
	s.op = ACCEL_SOFT_OP_COMPARE;
	tap_is(dev_soft(fd, &s, &result), 0, "compared with it");
	tap_is(result, REGION, "there is no difference");
}

static void test_refusals(void)
{
	const struct accel_soft_submit good = copy_of(src_id, 0, dst_id, 0, 64);
	struct accel_soft_submit s;

#define REFUSED(error, what, ...) do {							\
	s = good;									\
	__VA_ARGS__;									\
	tap_is(dev_soft(fd, &s, NULL), error, what);					\
} while (0)
	REFUSED(0, "a copy", (void)s);
	REFUSED(-EINVAL, "unknown operation", s.op = 5);
	REFUSED(-EINVAL, "operation 2^32 - 1", s.op = UINT32_MAX);
	REFUSED(-EINVAL, "engine that is not there", s.engine = 3);
	REFUSED(-EINVAL, "flags", s.flags = 1);
	REFUSED(-EINVAL, "reserved", s.reserved = 1);
	REFUSED(-EINVAL, "length 0", s.length = 0);
	REFUSED(-EINVAL, "a copy with a pattern", s.pattern = 1);
	REFUSED(-EINVAL, "a fill with a source", s.op = ACCEL_SOFT_OP_FILL);
	REFUSED(-EINVAL, "a crc32c with a destination", s.op = ACCEL_SOFT_OP_CRC32C);
	REFUSED(-EINVAL, "a crc32c that continues from more than 32 bits",
		s = crc_of(0, 64, 1ULL << 32));
	REFUSED(-EINVAL, "a nop with regions", s.op = ACCEL_SOFT_OP_NOP);
	REFUSED(-ENOENT, "no such source", s.src_mem = 12345678);
	REFUSED(-ENOENT, "no destination", s.dst_mem = 0);
	REFUSED(-ERANGE, "source's end outside", s.src_offset = REGION - 63);
	REFUSED(-ERANGE, "destination's start outside", s.dst_offset = REGION);
	REFUSED(-ERANGE, "offset 2^64 - 1", s.src_offset = UINT64_MAX);
	REFUSED(-ERANGE, "length 2^63", s.length = 1ULL << 63);
	REFUSED(-EACCES, "write to what is only read", s = copy_of(dst_id, 0, src_id, 0, 64));
#undef REFUSED
}

/* ----------------------------------------------------- status page, control */

static void test_status_page(void)
{
	const volatile struct accel_soft_status *status;
	struct accel_soft_submit s = crc_of(0, 1000, 0);
	uint64_t jobs, bytes;
	void *p;

	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (!tap_ok(p != MAP_FAILED, "the status page can be mapped"))
		return;
	status = p;
	tap_is(status->version, 1, "its version");
	tap_is(status->engines, 3, "its engines");
	jobs = status->jobs_done;
	bytes = status->bytes_done;
	dev_soft(fd, &s, NULL);
	tap_is(status->jobs_done - jobs, 1, "it counts a job");
	tap_is(status->bytes_done - bytes, 1000, "and its bytes");
	tap_ok(mprotect(p, 4096, PROT_READ | PROT_WRITE) && errno == EACCES,
	       "it cannot be made writable");
	munmap(p, 4096);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	tap_ok(p == MAP_FAILED && errno == EACCES, "nor mapped so");
	p = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
	tap_ok(p == MAP_FAILED && errno == EINVAL, "two pages: EINVAL");
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096);
	tap_ok(p == MAP_FAILED && errno == EINVAL, "the page after it: EINVAL");
}

static int config(int control, uint32_t engine, uint64_t latency_ns, uint64_t bandwidth)
{
	struct accel_soft_config arg = {
		.engine = engine, .latency_ns = latency_ns, .bandwidth = bandwidth,
	};

	return dev_ioctl(control, ACCEL_SOFT_IOCTL_CONFIG, &arg);
}

static uint64_t run_ns(struct accel_soft_submit *s)
{
	struct accel_job_wait wait = { 0 };

	if (dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, s) || dev_wait(fd, s->job_id, &wait))
		return 0;
	return wait.run_ns;
}

static void test_control(void)
{
	struct accel_soft_submit nop = { .op = ACCEL_SOFT_OP_NOP, .engine = 1 };
	struct accel_soft_submit crc = crc_of(0, REGION, 0);
	struct accel_soft_config arg = { .engine = 0, .flags = 1 };
	char node[64], path[128];
	struct stat st;
	int control, status;
	pid_t pid;

	snprintf(node, sizeof(node), "%sc", dev.name);
	snprintf(path, sizeof(path), "/dev/accelerator/%s", node);
	tap_ok(!stat(path, &st) && (st.st_mode & 0777) == 0600, "the control node is root's only");
	control = dev_open(node);
	if (!tap_ok(control >= 0, "and can be opened"))
		return;
	tap_is(config(control, 1, 5000000, 0), 0, "engine 1 takes 5 ms");
	tap_ok(run_ns(&nop) >= 5000000, "a nop on it does");
	nop.engine = 0;
	tap_is(config(control, ACCEL_SOFT_ENGINE_ANY, 0, 100000000), 0,
	       "all engines do 100 MB a second");
	tap_ok(run_ns(&crc) >= REGION * 10, "1 MiB takes at least 10 ms");
	tap_is(config(control, ACCEL_SOFT_ENGINE_ANY, 0, 0), 0, "and as fast as they can again");

	tap_is(config(control, 3, 0, 0), -EINVAL, "engine that is not there");
	tap_is(config(control, 0, ACCEL_SOFT_LATENCY_MAX + 1, 0), -EINVAL, "more than a minute");
	tap_is(dev_ioctl(control, ACCEL_SOFT_IOCTL_CONFIG, &arg), -EINVAL, "flags");
	tap_is(config(fd, 0, 0, 0), -ENOTTY, "the compute node has no such ioctl");
	tap_is(dev_ioctl(control, ACCEL_SOFT_IOCTL_SUBMIT, &nop), -ENOTTY,
	       "the control node takes no jobs");
	tap_is(dev_pin(control, src, 4096, ACCEL_MEM_READ, NULL), -ENOTTY, "and pins nothing");
	tap_ok(mmap(NULL, 4096, PROT_READ, MAP_SHARED, control, 0) == MAP_FAILED,
	       "and cannot be mapped");

	pid = fork();
	if (!pid) {
		if (setgid(1001) || setuid(1001))
			_exit(99);
		_exit(-config(control, 0, 0, 0));
	}
	waitpid(pid, &status, 0);
	tap_is(WEXITSTATUS(status), EPERM, "who is not root gets EPERM, even with the file open");
	close(control);
}

/* A job that would take a minute ends when its file is closed. */
static void test_cancel(void)
{
	struct accel_soft_submit s;
	char path[128], node[64];
	long long before, errors, jobs;
	int control, other;
	uint64_t id;

	snprintf(node, sizeof(node), "%sc", dev.name);
	snprintf(path, sizeof(path), "engines/eng2/errors");
	control = dev_open(node);
	other = dev_open(dev.name);
	before = dev_attr(dev.name, path);
	jobs = dev_attr(dev.name, "engines/eng2/jobs");
	tap_is(dev_pin(other, dst, REGION, RW, &id), 0, "another file pins the region");
	config(control, 2, ACCEL_SOFT_LATENCY_MAX, 0);
	s = (struct accel_soft_submit) {
		.op = ACCEL_SOFT_OP_FILL, .engine = 2, .dst_mem = id, .length = REGION,
	};
	tap_is(dev_ioctl(other, ACCEL_SOFT_IOCTL_SUBMIT, &s), 0, "and starts a long job");
	tap_is(dev_ioctl(other, ACCEL_SOFT_IOCTL_SUBMIT, &s), 0, "and one behind it");
	/* or until it has ended, which it must not */
	while (dev_attr(dev.name, "engines/eng2/running") == 0 &&
	       dev_attr(dev.name, "engines/eng2/jobs") == jobs)
		usleep(1000);
	close(other);
	errors = dev_attr(dev.name, path);
	tap_is(errors - before, 2, "its close cancels both");
	config(control, 2, 0, 0);
	close(control);
}

int main(void)
{
	long long pins = dev_foll_pins();
	struct dev_info second;

	if (dev_find("soft", 0, &dev) || dev_find("soft", 1, &second))
		tap_bail("no two soft devices here: load accel_soft with devices=2");
	fd = dev_open(dev.name);
	if (fd < 0)
		tap_bail("cannot open %s: %s", dev.name, strerror(-fd));
	src = memory(REGION);
	dst = memory(REGION);
	model = memory(REGION);
	for (size_t i = 0; i < REGION; i += 8) {
		uint64_t r = dev_random(&seed);

		memcpy(src + i, &r, 8);
	}
	tap_is(dev_pin(fd, src, REGION, ACCEL_MEM_READ, &src_id), 0, "pin the source");
	tap_is(dev_pin(fd, dst, REGION, RW, &dst_id), 0, "pin the destination");
	tap_is(dev_attr(dev.name, "pinned_bytes"), 2 * REGION, "sysfs says so");

	test_known();
	test_refusals();
	test_random();
	test_status_page();
	test_control();
	test_cancel();

	tap_is(dev_unpin(fd, src_id), 0, "unpin the source");
	close(fd);
	tap_is(dev_attr(dev.name, "pinned_bytes"), 0, "the close unpins the rest");
	tap_is(dev_foll_pins(), pins, "no page is left pinned");
	return tap_done();
}
