/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tests of shared memory share: they end where these fail. */
#ifndef SELFTESTS_SHARE_H
#define SELFTESTS_SHARE_H

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "device.h"
#include "tap.h"

static inline int open_dev(const struct dev_info *dev)
{
	int fd = dev_open(dev->name);

	if (fd < 0)
		tap_bail("cannot open %s: %s", dev->name, strerror(-fd));
	return fd;
}

static inline uint8_t *anon(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		tap_bail("no memory: %s", strerror(errno));
	return p;
}

static inline void randomize(uint8_t *p, size_t n, uint64_t seed)
{
	while (n--)
		*p++ = dev_random(&seed) >> 32;
}

static inline void set_latency(const struct dev_info *dev, uint64_t ns)
{
	int ret = dev_soft_latency(dev->name, ns);

	if (ret)
		tap_bail("%s: its latency: %s", dev->name, strerror(-ret));
}

/* A job that fills region @dst from its beginning. */
static inline int fill(int fd, uint32_t engine, uint64_t dst, size_t length,
		       uint64_t pattern, uint64_t *job)
{
	struct accel_soft_submit submit = {
		.op = ACCEL_SOFT_OP_FILL, .engine = engine, .dst_mem = dst, .length = length,
		.pattern = pattern,
	};
	int ret = dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &submit);

	*job = submit.job_id;
	return ret;
}

/* How a job ends that is waited for. */
static inline int job_status(int fd, uint64_t job)
{
	struct accel_job_wait wait;

	return dev_wait(fd, job, &wait) ?: wait.status;
}

#endif
