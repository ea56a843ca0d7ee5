/* SPDX-License-Identifier: GPL-2.0-only */
/* A driver without hardware, whose jobs end when a test says so. */
#ifndef _ACCEL_TESTS_FAKE_H
#define _ACCEL_TESTS_FAKE_H

#include <kunit/test.h>
#include <kunit/visibility.h>
#include <linux/dma-resv.h>

#include "../core/core.h"

struct fake_device {
	struct accel_device accel;
	struct accel_engine *engine;
	struct accel_engine *hasty;	/* its jobs may take one millisecond */
	struct accel_engine *busy;	/* its run does the work itself, until cancelled */
	struct accel_engine *prompt;	/* its jobs do prompt_work and end */
	int (*prompt_work)(struct accel_job *job);
	spinlock_t lock;		/* running */
	struct accel_job *running;
	struct completion started;
	unsigned int opened, closed, ran, cancelled, freed, doubled;
	bool overslept;			/* a job of @busy ended for another reason */
	int open_error;
	int cancel_error;		/* of jobs of @engine and @hasty */
	bool open_submits;
};

/* The argument of the fake ioctls. */
struct fake_arg {
	__u64 in;
	__u64 out;
	__u64 added_later;
};

#define FAKE_IOCTL_DOUBLE	_IOWR(ACCEL_IOCTL_TYPE, 0x40, struct fake_arg)
#define FAKE_IOCTL_ANY_STATE	_IOWR(ACCEL_IOCTL_TYPE, 0x41, struct fake_arg)
#define FAKE_IOCTL_READ		_IOR(ACCEL_IOCTL_TYPE, 0x42, struct fake_arg)

extern const struct accel_driver fake_driver;

static inline struct fake_device *to_fake(struct accel_device *adev)
{
	return container_of(adev, struct fake_device, accel);
}

struct device *fake_parent(struct kunit *test);
struct fake_device *fake_alloc(struct kunit *test, struct device *parent);
struct fake_device *fake_register(struct kunit *test);
void fake_unregister(struct kunit *test, struct fake_device *fake);
struct accel_context *fake_open(struct kunit *test, struct fake_device *fake);
struct accel_context *fake_open_node(struct kunit *test, struct fake_device *fake,
				     unsigned int node);
int fake_submit(struct accel_context *ctx, struct accel_engine *engine, u64 *id);
int fake_submit_mem(struct accel_context *ctx, struct accel_engine *engine, u64 mem,
		    u32 access, u64 *id);
void fake_finish(struct fake_device *fake, int status, u64 result);
struct dma_fence *fake_fence(struct kunit *test, struct dma_resv *resv,
			     enum dma_resv_usage usage);

#endif
