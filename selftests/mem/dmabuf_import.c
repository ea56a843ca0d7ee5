// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" */
/*
 * dma-bufs of the kernel's own exporters, used by jobs: what is in them afterwards, in
 * both directions; who waits for whom; what is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "dmabuf.h"
#include "share.h"
#include "tap.h"

#define PAGE	4096UL
#define SIZE	(300 * PAGE)
#define EDU_BYTES	3000
#define READ	ACCEL_MEM_READ
#define WRITE	ACCEL_MEM_WRITE
#define LONG_NS	ACCEL_SOFT_LATENCY_MAX	/* such a job does not end by itself */

static struct dev_info soft[2];

static int copy(int fd, uint64_t dst, uint64_t dst_offset, uint64_t src, uint64_t src_offset,
		uint64_t length)
{
	struct accel_soft_submit submit = {
		.op = ACCEL_SOFT_OP_COPY, .engine = ACCEL_SOFT_ENGINE_ANY,
		.src_mem = src, .src_offset = src_offset,
		.dst_mem = dst, .dst_offset = dst_offset, .length = length,
	};

	return dev_soft(fd, &submit, NULL);
}

/* Whether a job is still there after a look at it. */
static int job_look(int fd, uint64_t job)
{
	struct accel_job_wait wait = { .job_id = job };

	return dev_ioctl(fd, ACCEL_IOCTL_JOB_WAIT, &wait);
}

static int make(bool heap)
{
	int dmabuf = heap ? dmabuf_heap(SIZE, O_RDWR) : dmabuf_udmabuf(SIZE);

	if (dmabuf < 0)
		tap_bail("no %s: %s", heap ? "system heap" : "udmabuf", strerror(-dmabuf));
	return dmabuf;
}

static void test_content(bool heap)
{
	const char *name = heap ? "system heap" : "udmabuf";
	int fd = open_dev(&soft[0]), dmabuf = make(heap);
	uint8_t *cpu = dmabuf_map(dmabuf, SIZE), *user = anon(SIZE), *want = anon(SIZE);
	uint64_t buf, mem, length = 0;

	if (!cpu)
		tap_bail("%s: mmap: %s", name, strerror(errno));
	randomize(cpu, SIZE, 1);
	tap_is(dmabuf_import(fd, dmabuf, READ | WRITE, &buf, &length), 0, "%s: imported", name);
	tap_is(length, SIZE, "%s: all of it", name);
	tap_is(dev_attr(soft[0].name, "pinned_bytes"), 0, "%s: pins nothing", name);
	tap_is(dev_attr(soft[0].name, "mapped_bytes"), SIZE, "%s: is mapped", name);
	dev_pin(fd, user, SIZE, READ | WRITE, &mem);
	tap_is(copy(fd, mem, 0, buf, 0, SIZE), 0, "%s: a job reads it", name);
	tap_ok(!memcmp(user, cpu, SIZE), "%s: what was in it", name);
	randomize(user, SIZE, 2);
	memcpy(want, cpu, SIZE);
	memcpy(want + 5 * PAGE + 7, user + 9, 200 * PAGE);
	tap_is(copy(fd, buf, 5 * PAGE + 7, mem, 9, 200 * PAGE), 0, "%s: a job writes it", name);
	tap_ok(!memcmp(want, cpu, SIZE), "%s: where it should, and nowhere else", name);
	tap_is(copy(fd, buf, 0, buf, 250 * PAGE, 50 * PAGE), 0, "%s: from and to the same", name);
	memcpy(want, want + 250 * PAGE, 50 * PAGE);
	tap_ok(!memcmp(want, cpu, SIZE), "%s: likewise", name);
	/* The descriptor is not needed any more. */
	close(dmabuf);
	randomize(cpu, SIZE, 3);
	tap_is(copy(fd, mem, 0, buf, 0, SIZE), 0, "%s: a job after its descriptor is closed", name);
	tap_ok(!memcmp(user, cpu, SIZE), "%s: still the same memory", name);
	tap_is(dev_unpin(fd, buf), 0, "%s: given back", name);
	tap_is(dev_unpin(fd, buf), -ENOENT, "%s: once", name);
	tap_is(copy(fd, mem, 0, buf, 0, SIZE), -ENOENT, "%s: its handle is nothing now", name);
	munmap(cpu, SIZE);
	munmap(user, SIZE);
	munmap(want, SIZE);
	close(fd);
}

static int edu_dma(int fd, uint64_t mem, uint64_t offset, uint32_t op)
{
	struct accel_edu_dma dma = {
		.mem_id = mem, .offset = offset, .length = EDU_BYTES, .op = op,
	};

	return dev_ioctl(fd, ACCEL_EDU_IOCTL_DMA, &dma) ?: job_status(fd, dma.job_id);
}

static void test_edu(bool heap)
{
	const char *name = heap ? "system heap" : "udmabuf";
	struct dev_info edu;
	uint64_t buf;
	uint8_t *cpu;
	int fd, dmabuf;

	if (dev_find("edu", 0, &edu))
		tap_bail("no edu");
	fd = open_dev(&edu);
	dmabuf = make(heap);
	cpu = dmabuf_map(dmabuf, SIZE);
	randomize(cpu, SIZE, 4);
	tap_is(dmabuf_import(fd, dmabuf, READ | WRITE, &buf, NULL), 0, "%s: edu imports it", name);
	tap_is(edu_dma(fd, buf, 3 * PAGE + 100, ACCEL_EDU_OP_TO_DEVICE), 0, "%s: to the edu", name);
	tap_is(edu_dma(fd, buf, 77 * PAGE + 5, ACCEL_EDU_OP_FROM_DEVICE), 0,
	       "%s: and from it", name);
	tap_ok(!memcmp(cpu + 3 * PAGE + 100, cpu + 77 * PAGE + 5, EDU_BYTES),
	       "%s: the same", name);
	tap_is(edu_dma(fd, buf, SIZE - EDU_BYTES + 1, ACCEL_EDU_OP_TO_DEVICE), -ERANGE,
	       "%s: beyond its end", name);
	munmap(cpu, SIZE);
	close(dmabuf);
	close(fd);
}

static void test_bad_input(void)
{
	struct accel_soft_submit past = {
		.op = ACCEL_SOFT_OP_FILL, .engine = ACCEL_SOFT_ENGINE_ANY, .length = 2,
	};
	int fd = open_dev(&soft[0]), other = open_dev(&soft[0]), good = make(false), ro;
	uint64_t id, mem;

	tap_is(dmabuf_import(fd, -1, READ, &id, NULL), -EBADF, "no descriptor: EBADF");
	tap_is(dmabuf_import(fd, 999, READ, &id, NULL), -EBADF, "none that is open: EBADF");
	tap_is(dmabuf_import(fd, 1, READ, &id, NULL), -EINVAL, "not a dma-buf: EINVAL");
	tap_is(dmabuf_import(fd, fd, READ, &id, NULL), -EINVAL, "the device itself: EINVAL");
	tap_is(dmabuf_import(fd, good, 0, &id, NULL), -EINVAL, "no access: EINVAL");
	tap_is(dmabuf_import(fd, good, 4, &id, NULL), -EINVAL, "an unknown flag: EINVAL");
	ro = dmabuf_heap(PAGE, O_RDONLY);
	tap_is(dmabuf_import(fd, ro, WRITE, &id, NULL), -EACCES, "write to a read-only one: EACCES");
	tap_is(dmabuf_import(fd, ro, READ | WRITE, &id, NULL), -EACCES, "and read it: EACCES");
	tap_is(dmabuf_import(fd, ro, READ, &id, NULL), 0, "read a read-only one");
	past.dst_mem = id;
	tap_is(dev_soft(fd, &past, NULL), -EACCES, "a job that writes what is only read: EACCES");
	close(ro);
	ro = dmabuf_heap(PAGE, O_WRONLY);
	tap_is(dmabuf_import(fd, ro, READ, &id, NULL), -EACCES, "read a write-only one: EACCES");
	close(ro);
	tap_is(dmabuf_import(fd, good, WRITE, &mem, NULL), 0, "a good one");
	past.dst_mem = mem;
	past.dst_offset = SIZE;
	tap_is(dev_soft(fd, &past, NULL), -ERANGE, "a job behind its end: ERANGE");
	past.dst_offset = SIZE - 1;
	tap_is(dev_soft(fd, &past, NULL), -ERANGE, "across its end: ERANGE");
	past.dst_offset = SIZE - 2;
	tap_is(dev_soft(other, &past, NULL), -ENOENT, "another file's: ENOENT");
	tap_is(dev_soft(fd, &past, NULL), 0, "up to its end");
	tap_is(dmabuf_export(fd, mem, 0), -EOPNOTSUPP, "export of an import: EOPNOTSUPP");
	close(good);
	close(other);
	close(fd);
}

/* A job that runs until its file is closed, on engine 0. */
static int block(const struct dev_info *dev)
{
	struct accel_soft_submit nop = { .op = ACCEL_SOFT_OP_NOP };
	int fd = open_dev(dev);

	set_latency(dev, LONG_NS);
	tap_is(dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &nop), 0, "%s: a job that blocks engine 0",
	       dev->name);
	while (dev_attr(dev->name, "engines/eng0/running") != 1)
		sched_yield();
	return fd;
}

/* Not before: that it is said to run does not mean that it has looked how long. */
static void unblock(const struct dev_info *dev, int blocker)
{
	set_latency(dev, 0);
	close(blocker);
}

static void test_fence(void)
{
	int fd = open_dev(&soft[0]), dmabuf = make(false), blocker, before, rd, wr;
	uint64_t buf, job;

	tap_is(dmabuf_import(fd, dmabuf, WRITE, &buf, NULL), 0, "a buffer to see fences of");
	before = dmabuf_fence(dmabuf, true);
	tap_is(dmabuf_status(before), 1, "no job, no fence");
	blocker = block(&soft[0]);
	tap_is(fill(fd, 0, buf, SIZE, 1, &job), 0, "a job that writes waits");
	rd = dmabuf_fence(dmabuf, false);
	wr = dmabuf_fence(dmabuf, true);
	tap_is(dmabuf_status(rd), 0, "a reader has to wait for it");
	tap_is(dmabuf_status(wr), 0, "so has a writer");
	unblock(&soft[0], blocker);
	tap_is(dmabuf_wait(rd), 1, "until it has ended well");
	tap_is(dmabuf_wait(wr), 1, "likewise");
	tap_is(job_status(fd, job), 0, "it has");
	close(rd);
	close(wr);
	close(before);

	/* A job that is cancelled before it has begun, and one that runs. */
	blocker = block(&soft[0]);
	fill(fd, 0, buf, SIZE, 2, &job);
	rd = dmabuf_fence(dmabuf, false);
	fill(fd, 1, buf, SIZE, 3, &job);
	while (dev_attr(soft[0].name, "engines/eng1/running") != 1)
		sched_yield();
	wr = dmabuf_fence(dmabuf, true);
	tap_is(dmabuf_status(rd) | dmabuf_status(wr), 0, "two jobs, one of which runs");
	close(fd);
	tap_is(dmabuf_wait(rd), -ECANCELED, "the fence of one that did not run: ECANCELED");
	tap_is(dmabuf_wait(wr), -ECANCELED, "of one that did: ECANCELED");
	close(rd);
	close(wr);
	unblock(&soft[0], blocker);
	close(dmabuf);
}

/* One device writes, another reads: in the order in which they were told to. */
static void test_order(void)
{
	int w = open_dev(&soft[0]), r = open_dev(&soft[1]), own = open_dev(&soft[1]);
	int dmabuf = make(false), blocker, rd;
	uint8_t *user = anon(SIZE), *cpu = dmabuf_map(dmabuf, SIZE);
	struct accel_soft_submit read = {
		.op = ACCEL_SOFT_OP_COPY, .engine = 0, .length = SIZE,
	}, nop = { .op = ACCEL_SOFT_OP_NOP, .engine = 0 }, other = nop;
	uint64_t wbuf, rbuf, mem, job, later;

	memset(cpu, 0x11, SIZE);
	dmabuf_import(w, dmabuf, READ | WRITE, &wbuf, NULL);
	dmabuf_import(r, dmabuf, READ, &rbuf, NULL);
	dev_pin(r, user, SIZE, WRITE, &mem);
	read.src_mem = rbuf;
	read.dst_mem = mem;
	blocker = block(&soft[0]);
	tap_is(fill(w, 0, wbuf, SIZE, 0x2222222222222222, &job), 0, "a job that writes waits");
	tap_is(dev_ioctl(r, ACCEL_SOFT_IOCTL_SUBMIT, &read), 0, "another device's reads after it");
	tap_is(dev_ioctl(r, ACCEL_SOFT_IOCTL_SUBMIT, &nop), 0, "the next of that file");
	tap_is(dev_soft(own, &other, NULL), 0, "another file's job on that engine overtakes them");
	tap_is(job_look(r, read.job_id), -ETIMEDOUT, "which the reader waits through");
	tap_is(job_look(r, nop.job_id), -ETIMEDOUT, "and what is behind it in its file");
	/* A writer waits for readers. */
	tap_is(fill(w, 1, wbuf, SIZE, 0x3333333333333333, &later), 0, "an overwriting job");
	tap_is(job_look(w, later), -ETIMEDOUT, "waits, too: on another engine of its device");
	rd = dmabuf_fence(dmabuf, true);
	unblock(&soft[0], blocker);
	tap_is(job_status(r, read.job_id), 0, "the reader's turn");
	tap_ok(user[0] == 0x22 && !memcmp(user, user + 1, SIZE - 1), "it sees what was written");
	tap_is(job_status(w, job), 0, "by the first");
	tap_is(job_status(w, later), 0, "the last writer's turn");
	tap_is(job_status(r, nop.job_id), 0, "and that of the one behind the reader");
	tap_ok(cpu[0] == 0x33 && !memcmp(cpu, cpu + 1, SIZE - 1), "the last one wins");
	tap_is(dmabuf_wait(rd), 1, "nobody uses it any more");
	close(rd);

	/* Who waits can be cancelled: by its own file, and for its buffer's sake. */
	blocker = block(&soft[0]);
	fill(w, 0, wbuf, SIZE, 4, &job);
	dev_ioctl(r, ACCEL_SOFT_IOCTL_SUBMIT, &read);
	close(r);
	tap_is(dev_soft(own, &other, NULL), 0, "a reader that waits is gone with its file");
	unblock(&soft[0], blocker);
	tap_is(job_status(w, job), 0, "and the writer does not miss it");
	munmap(cpu, SIZE);
	munmap(user, SIZE);
	close(dmabuf);
	close(own);
	close(w);
}

/* Two buffers in each job, named in both orders at once: nobody waits for ever. */
static void test_two_buffers(void)
{
	int fd[2] = { open_dev(&soft[0]), open_dev(&soft[1]) };
	int a = make(false), b = make(false), bad = 0;
	uint64_t buf[2][2];

	for (int i = 0; i < 2; i++) {
		dmabuf_import(fd[i], a, READ | WRITE, &buf[i][0], NULL);
		dmabuf_import(fd[i], b, READ | WRITE, &buf[i][1], NULL);
	}
	for (int i = 0; i < 200; i++) {
		int k = i & 1;
		struct accel_soft_submit submit = {
			.op = ACCEL_SOFT_OP_COPY, .engine = i / 2 & 1, .length = PAGE,
			.src_mem = buf[k][k], .dst_mem = buf[k][!k],
		};

		bad += !!dev_ioctl(fd[k], ACCEL_SOFT_IOCTL_SUBMIT, &submit);
	}
	tap_is(bad, 0, "200 jobs, alternately of two devices, on two buffers");
	bad = dmabuf_fence(a, true);
	tap_is(dmabuf_wait(bad), 1, "all of them end");
	close(bad);
	/* Twice the same buffer under two names, and in one job. */
	tap_is(copy(fd[0], buf[0][0], 0, buf[0][0], PAGE, PAGE), 0, "one buffer twice");
	close(a);
	close(b);
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	int before = dmabuf_count();
	long long pins = dev_foll_pins();

	if (dev_find("soft", 0, &soft[0]) || dev_find("soft", 1, &soft[1]))
		tap_bail("needs two soft devices");
	if (before < 0)
		tap_bail("no bufinfo: %s", strerror(-before));
	test_content(false);
	test_content(true);
	test_edu(false);
	test_edu(true);
	test_bad_input();
	test_fence();
	test_order();
	test_two_buffers();
	tap_is(dmabuf_count(), before, "no dma-buf is left");
	tap_is(dev_foll_pins(), pins, "no page is pinned");
	return tap_done();
}
