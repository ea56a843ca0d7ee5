/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tests of regions by IOVA begin with, and what must be left in the end. */
#ifndef MEM_RIG_H
#define MEM_RIG_H

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "iommufd.h"
#include "tap.h"

#define PAGE	4096UL
#define MIB	(1024 * 1024UL)
#define RW	(ACCEL_MEM_READ | ACCEL_MEM_WRITE)

/* A device, an IOAS, and the one bound to the other. */
struct rig {
	struct dev_info dev;
	int fd, iommufd, ioas;
};

static inline void rig_open(struct rig *rig, const char *driver, int nth)
{
	if (dev_find(driver, nth, &rig->dev))
		tap_bail("no %s device %d", driver, nth);
	rig->fd = dev_open(rig->dev.name);
	rig->iommufd = iommufd_open();
	rig->ioas = iommufd_ioas(rig->iommufd);
	if (rig->fd < 0 || rig->iommufd < 0 || rig->ioas < 0)
		tap_bail("%s: %d, iommufd: %d, IOAS: %d", rig->dev.name, rig->fd, rig->iommufd,
			 rig->ioas);
}

static inline void rig_bind(struct rig *rig)
{
	int ret = iommufd_bind(rig->fd, rig->iommufd, rig->ioas);

	if (ret < 0)
		tap_bail("bind: %s", strerror(-ret));
}

static inline void rig_close(struct rig *rig)
{
	close(rig->fd);
	close(rig->iommufd);
}

/* Memory that is there, each page with its number. */
static inline void *pages_new(size_t length)
{
	unsigned char *p = mmap(NULL, length, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		tap_bail("mmap of %zu bytes", length);
	for (size_t i = 0; i < length; i += sizeof(uint32_t))
		*(uint32_t *)(p + i) = (uint32_t)((uintptr_t)p >> 12) + (uint32_t)i;
	return p;
}

/* Bytes that this process is charged for as pinned. */
static inline long long pinned_vm(void)
{
	return dev_charged_kb(0) * 1024LL;
}

struct left {
	long long foll, vm;
};

static inline struct left left_now(void)
{
	return (struct left) { dev_foll_pins(), pinned_vm() };
}

static inline void left_check(const struct left *before, const char *after)
{
	struct left now = left_now();

	/* A close does not wait for ever for what iommufd has to give back. */
	for (int i = 0; i < 600 && (now.foll != before->foll || now.vm != before->vm); i++) {
		usleep(100000);
		now = left_now();
	}
	tap_is(now.foll, before->foll, "no page is pinned after %s", after);
	tap_is(now.vm, before->vm, "nor charged for");
}

/* Fixed time of each job on all engines of @name, by its control node. */
static inline void soft_latency(const char *name, uint64_t ns)
{
	struct accel_soft_config config = { .engine = ACCEL_SOFT_ENGINE_ANY, .latency_ns = ns };
	char node[DEV_NAME_LEN + 1];
	int fd, ret;

	snprintf(node, sizeof(node), "%.30sc", name);
	fd = dev_open(node);
	ret = dev_ioctl(fd, ACCEL_SOFT_IOCTL_CONFIG, &config);
	if (fd < 0 || ret)
		tap_bail("%s: cannot be configured", node);
	close(fd);
}

static inline int soft_copy(int fd, uint64_t src, uint64_t src_offset, uint64_t dst,
			    uint64_t dst_offset, uint64_t length)
{
	struct accel_soft_submit submit = {
		.op = ACCEL_SOFT_OP_COPY, .engine = ACCEL_SOFT_ENGINE_ANY, .length = length,
		.src_mem = src, .src_offset = src_offset,
		.dst_mem = dst, .dst_offset = dst_offset,
	};

	return dev_soft(fd, &submit, NULL);
}

/* A job that reads the first page of @mem; its id in *@job. */
static inline int soft_read(int fd, uint32_t engine, uint64_t mem, uint64_t *job)
{
	struct accel_soft_submit submit = {
		.op = ACCEL_SOFT_OP_CRC32C, .engine = engine, .src_mem = mem, .length = PAGE,
	};
	int ret = dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &submit);

	*job = submit.job_id;
	return ret;
}

/* How a job ended, by now (@deadline 0) or at last (INT64_MAX). */
static inline int job_status(int fd, uint64_t job, int64_t deadline)
{
	struct accel_job_wait wait = { .job_id = job, .deadline_ns = deadline };
	int ret = dev_ioctl(fd, ACCEL_IOCTL_JOB_WAIT, &wait);

	return ret ? ret : wait.status;
}

#endif
