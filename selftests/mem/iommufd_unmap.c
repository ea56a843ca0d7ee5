// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=full DEVICES="soft=1,engines=2" */
/*
 * IOMMU_IOAS_UNMAP takes memory away from a device that is using it: when it returns,
 * the device does not reach the memory, its jobs have ended, and nothing is pinned. So it
 * is, too, of a region that is just being pinned.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "rig.h"
#include "trap.h"

#define BATCH	(512 * PAGE)	/* what is asked of iommufd at a time */
#define IOVA	0x40000000UL
#define FAR	0x80000000UL
#define JOBS	20
#define WRITERS	8
#define ROUNDS	400

static struct rig rig;

static void test_idle(char *p)
{
	struct left before = left_now();
	uint64_t mem, job;

	if (iommufd_map(rig.iommufd, rig.ioas, p, 4 * PAGE, IOVA, RW) ||
	    iommufd_pin(rig.fd, IOVA + PAGE, PAGE, RW, &mem))
		tap_bail("no region");
	tap_is(iommufd_unmap(rig.iommufd, rig.ioas, IOVA + PAGE, PAGE), -ENOENT,
	       "a part of a mapping cannot be unmapped");
	tap_is(iommufd_unmap(rig.iommufd, rig.ioas, IOVA, 4 * PAGE), 0, "a mapping with a region");
	tap_is(soft_read(rig.fd, 0, mem, &job), -ENOENT, "its handle names nothing any more");
	tap_is(dev_unpin(rig.fd, mem), -ENOENT, "nor can it be unpinned");
	tap_is(dev_attr(rig.dev.name, "pinned_bytes"), 0, "the device has nothing pinned");
	tap_is(dev_attr(rig.dev.name, "mapped_bytes"), 0, "nor mapped");
	left_check(&before, "unmapping");
	tap_is(iommufd_unbind(rig.fd), 0, "the file can be unbound");
	rig_bind(&rig);
}

static void test_busy(char *p)
{
	uint64_t mem, far, jobs[JOBS], far_job, back;
	struct left before = left_now();
	int wrong = 0;

	if (iommufd_map(rig.iommufd, rig.ioas, p, 4 * PAGE, IOVA, RW) ||
	    iommufd_map(rig.iommufd, rig.ioas, p, 4 * PAGE, FAR, RW) ||
	    iommufd_pin(rig.fd, IOVA, 4 * PAGE, RW, &mem) ||
	    iommufd_pin(rig.fd, FAR, 4 * PAGE, RW, &far))
		tap_bail("no regions");
	soft_latency(rig.dev.name, ACCEL_SOFT_LATENCY_MAX);
	/* one that runs, and many that wait, of one engine; the other's is of no concern */
	for (int i = 0; i < JOBS; i++)
		if (soft_read(rig.fd, 0, mem, &jobs[i]))
			tap_bail("no job");
	if (soft_read(rig.fd, 1, far, &far_job))
		tap_bail("no job");
	tap_is(iommufd_unmap(rig.iommufd, rig.ioas, IOVA, 4 * PAGE), 0,
	       "a mapping that %d jobs use or wait for", JOBS);
	for (int i = 0; i < JOBS; i++)
		wrong += job_status(rig.fd, jobs[i], 0) != -EFAULT;
	tap_is(wrong, 0, "all of them have ended with EFAULT");
	tap_is(job_status(rig.fd, far_job, 0), -ETIMEDOUT, "a job on another mapping has not");
	tap_is(dev_attr(rig.dev.name, "pinned_bytes"), 4 * PAGE, "and its region is still there");
	tap_is(pinned_vm() - before.vm, 4 * PAGE, "and charged for");
	tap_is(iommufd_unmap(rig.iommufd, rig.ioas, 0, UINT64_MAX), 0, "unmap all");
	tap_is(job_status(rig.fd, far_job, 0), -EFAULT, "then it has");
	left_check(&before, "unmapping");
	soft_latency(rig.dev.name, 0);

	if (iommufd_map(rig.iommufd, rig.ioas, p, 4 * PAGE, IOVA, RW))
		tap_bail("IOAS_MAP");
	tap_is(iommufd_pin(rig.fd, IOVA, 4 * PAGE, RW, &back), 0, "the same address again");
	tap_is(soft_copy(rig.fd, back, 0, back, PAGE, PAGE), 0, "and a job");
	iommufd_unmap(rig.iommufd, rig.ioas, 0, UINT64_MAX);
}

/* Jobs that write are in the middle of it; not after the unmap. How many were ended by it. */
static int unmap_written(char *p, size_t length)
{
	struct accel_soft_submit fill = {
		.op = ACCEL_SOFT_OP_FILL, .engine = ACCEL_SOFT_ENGINE_ANY, .length = length,
		.pattern = 0x1111111111111111,
	};
	uint64_t jobs[WRITERS], mem;
	int ended = 0, status;

	if (iommufd_map(rig.iommufd, rig.ioas, p, length, IOVA, RW) ||
	    iommufd_pin(rig.fd, IOVA, length, RW, &mem))
		tap_bail("no region");
	fill.dst_mem = mem;
	for (int i = 0; i < WRITERS; i++) {
		if (dev_ioctl(rig.fd, ACCEL_SOFT_IOCTL_SUBMIT, &fill))
			tap_bail("no job");
		jobs[i] = fill.job_id;
	}
	if (iommufd_unmap(rig.iommufd, rig.ioas, IOVA, length))
		tap_bail("IOAS_UNMAP: %s", strerror(errno));
	memset(p, 0xa5, length);
	for (int i = 0; i < WRITERS; i++) {
		status = job_status(rig.fd, jobs[i], INT64_MAX);
		if (status && status != -EFAULT)
			tap_bail("a job's status is %d", status);
		ended += !!status;
	}
	for (size_t i = 0; i < length; i++)
		if (p[i] != (char)0xa5)
			return -EIO;
	return ended;
}

static void test_written(void)
{
	char *p = pages_new(BATCH);
	int ended = 0, late = 0, ret;

	for (int i = 0; i < 10 || (!ended && i < 1000); i++) {
		ret = unmap_written(p, BATCH);
		if (ret < 0)
			late++;
		else
			ended += ret;
	}
	tap_is(late, 0, "no job writes after the unmap has returned");
	tap_ok(ended, "which has ended %d of them", ended);
	munmap(p, BATCH);
}

/* One thread maps and unmaps, others pin, submit and unpin what they get. */
struct racer {
	pthread_t thread;
	int fd;
	unsigned long pinned, jobs, not_mapped, revoked, faulted, strange;
};

static atomic_bool racing;

static void race_once(struct racer *r)
{
	struct accel_soft_submit submit = {
		.op = ACCEL_SOFT_OP_CRC32C, .engine = ACCEL_SOFT_ENGINE_ANY, .length = 64 * PAGE,
	};
	uint64_t mem;
	int ret = iommufd_pin(r->fd, IOVA, 64 * PAGE, RW, &mem);

	if (ret == -ENOENT || ret == -EAGAIN) {
		__atomic_fetch_add(ret == -ENOENT ? &r->not_mapped : &r->revoked, 1, __ATOMIC_RELAXED);
		return;
	}
	if (ret) {
		tap_diag("pin: %s", strerror(-ret));
		r->strange++;
		return;
	}
	r->pinned++;
	submit.src_mem = mem;
	ret = dev_soft(r->fd, &submit, NULL);
	if (!ret)
		r->jobs++;
	else if (ret == -ENOENT || ret == -EFAULT)
		r->faulted++;
	else
		r->strange++;
	ret = dev_unpin(r->fd, mem);
	if (ret && ret != -ENOENT) {
		tap_diag("unpin: %s", strerror(-ret));
		r->strange++;
	}
}

static void *race(void *arg)
{
	while (atomic_load(&racing))
		race_once(arg);
	return NULL;
}

static bool seen(const unsigned long *a, const unsigned long *b)
{
	return __atomic_load_n(a, __ATOMIC_RELAXED) || __atomic_load_n(b, __ATOMIC_RELAXED);
}

/* Each of a pin's answers, by one racer or the other. */
static bool seen_all(const struct racer *r)
{
	return seen(&r[0].not_mapped, &r[1].not_mapped) && seen(&r[0].revoked, &r[1].revoked);
}

/*
 * Two files, each with a thread, pin the same address of one IOAS. 64 pages are one batch:
 * what is unmapped meanwhile is taken from a pin that iommufd is through with, or has
 * refused. A pin of several batches: test_between_batches().
 */
static void test_race(char *p)
{
	struct left before = left_now();
	struct racer racers[2] = { 0 };
	unsigned long failed = 0, pinned;
	int rounds;

	atomic_store(&racing, true);
	for (int i = 0; i < 2; i++) {
		racers[i].fd = dev_open(rig.dev.name);
		if (racers[i].fd < 0 || iommufd_bind(racers[i].fd, rig.iommufd, rig.ioas) < 0)
			tap_bail("no racer");
		pthread_create(&racers[i].thread, NULL, race, &racers[i]);
	}
	/* until each answer was seen */
	for (rounds = 0; rounds < ROUNDS || (!seen_all(racers) && rounds < 1000 * ROUNDS); rounds++) {
		failed += !!iommufd_map(rig.iommufd, rig.ioas, p, 64 * PAGE, IOVA, RW);
		/* at least every other time somebody has got it */
		pinned = racers[rounds % 2].pinned;
		while (rounds % 4 < 2 &&
		       __atomic_load_n(&racers[rounds % 2].pinned, __ATOMIC_RELAXED) == pinned)
			sched_yield();
		failed += !!iommufd_unmap(rig.iommufd, rig.ioas, IOVA, 64 * PAGE);
	}
	atomic_store(&racing, false);
	for (int i = 0; i < 2; i++) {
		pthread_join(racers[i].thread, NULL);
		tap_is(racers[i].strange, 0,
		       "racer %d: %lu pins, %lu jobs, %lu lost their region, %lu pins ENOENT, %lu EAGAIN",
		       i, racers[i].pinned, racers[i].jobs, racers[i].faulted, racers[i].not_mapped,
		       racers[i].revoked);
		close(racers[i].fd);
	}
	tap_is(failed, 0, "%d times mapped and unmapped meanwhile", rounds);
	tap_ok(racers[0].pinned && racers[1].pinned, "both have pinned");
	tap_ok(seen_all(racers), "of pins, ENOENT and EAGAIN were seen");
	left_check(&before, "the race");
}

struct call {
	pthread_t thread;
	pid_t tid;
	int ret;
	uint64_t mem;
};

static void *do_pin(void *arg)
{
	struct call *call = arg;

	call->ret = iommufd_pin(rig.fd, IOVA, 3 * BATCH, RW, &call->mem);
	return NULL;
}

static void *do_unmap(void *arg)
{
	struct call *call = arg;

	__atomic_store_n(&call->tid, gettid(), __ATOMIC_RELEASE);
	call->ret = iommufd_unmap(rig.iommufd, rig.ioas, IOVA, 3 * BATCH);
	return NULL;
}

/* Until a thread waits in the kernel, uninterruptibly, as for a lock of iommufd's. */
static void wait_asleep(const pid_t *tid)
{
	char path[64], state = 0;
	FILE *f;

	while (!__atomic_load_n(tid, __ATOMIC_ACQUIRE))
		sched_yield();
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", *tid);
	while (state != 'D') {
		f = fopen(path, "re");
		if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			tap_bail("%s: %s", path, strerror(errno));
		fclose(f);
		if (state != 'D')
			usleep(1000);
	}
}

/* An unmap is waiting when the second batch of three has its pages. What the pin answers. */
static int between_batches(char *p)
{
	struct left before = left_now();
	struct call pin = { 0 }, unmap = { 0 };

	memset(p, 1, 3 * BATCH);
	trap_arm(p + BATCH + 9 * PAGE);
	if (iommufd_map(rig.iommufd, rig.ioas, p, 3 * BATCH, IOVA, RW))
		tap_bail("IOAS_MAP: %s", strerror(errno));
	pthread_create(&pin.thread, NULL, do_pin, &pin);
	trap_wait();
	pthread_create(&unmap.thread, NULL, do_unmap, &unmap);
	wait_asleep(&unmap.tid);
	trap_release();
	pthread_join(unmap.thread, NULL);
	pthread_join(pin.thread, NULL);
	if (unmap.ret || (pin.ret && pin.ret != -EAGAIN) || dev_foll_pins() != before.foll ||
	    pinned_vm() != before.vm || dev_attr(rig.dev.name, "pinned_bytes") ||
	    (!pin.ret && dev_unpin(rig.fd, pin.mem) != -ENOENT)) {
		tap_diag("unmap: %d, pin: %d, %lld pages and %lld bytes left", unmap.ret, pin.ret,
			 dev_foll_pins() - before.foll, pinned_vm() - before.vm);
		return -EINVAL;
	}
	return pin.ret;
}

/*
 * An unmap of which a pin hears between two of its batches. The unmap waits for a lock that
 * each batch takes anew, and the pin may get it once more: then there was a region, which
 * the unmap has taken away. So it is tried until the unmap was first.
 */
static void test_between_batches(void)
{
	char *p = pages_new(3 * BATCH);
	int ret, tries = 0;

	do
		ret = between_batches(p);
	while (!ret && ++tries < 200);
	tap_is(ret, -EAGAIN, "unmapped between two batches of a pin: EAGAIN, nothing is left");
	tap_diag("%d times the pin was first", tries);
	munmap(p, 3 * BATCH);
}

int main(void)
{
	struct left before = left_now();
	char *p = pages_new(64 * PAGE);

	rig_open(&rig, "soft", 0);
	rig_bind(&rig);
	test_idle(p);
	test_busy(p);
	test_written();
	test_race(p);
	test_between_batches();
	rig_close(&rig);
	left_check(&before, "all");
	return tap_done();
}
