// SPDX-License-Identifier: GPL-2.0-only
/* Sources of snapshots: what all have in common, and the one made of fixtures. */
#include "model_source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint64_t accel_monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

void accel_source_init(struct accel_source *src, const struct accel_source_ops *ops)
{
	src->ops = ops;
	src->parts = ~0u;
}

int accel_source_fail(struct accel_source *src, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(src->error, sizeof(src->error), fmt, ap);
	va_end(ap);
	return err;
}

int accel_source_open(struct accel_source **out)
{
	int ret = accel_source_open_netlink(out);

	return ret == -ENODEV ? accel_source_open_sysfs(out, NULL) : ret;
}

void accel_source_close(struct accel_source *src)
{
	if (src)
		src->ops->close(src);
}

enum accel_source_kind accel_source_kind(const struct accel_source *src)
{
	return src->ops->kind;
}

void accel_source_select(struct accel_source *src, unsigned int parts)
{
	src->parts = parts ? parts : ~0u;
}

void accel_source_restrict(struct accel_source *src, uint64_t dev_id)
{
	src->only = dev_id;
}

const char *accel_source_error(const struct accel_source *src)
{
	return src->error;
}

int accel_snapshot_read(struct accel_source *src, struct accel_snapshot **out)
{
	struct accel_snapshot *snap = accel_snapshot_new(src->ops->kind);
	int ret;

	src->error[0] = '\0';
	*out = NULL;
	if (!snap)
		return -ENOMEM;
	snap->begin_ns = accel_monotonic_ns();
	ret = src->ops->read(src, snap);
	if (ret) {
		accel_snapshot_free(snap);
		return ret;
	}
	if (src->ops->kind != ACCEL_SOURCE_FIXTURES)
		snap->end_ns = accel_monotonic_ns();
	accel_snapshot_finish(snap);
	*out = snap;
	return 0;
}

/* ----------------------------------------------------------------- fixtures */

struct fixtures {
	struct accel_source src;
	const struct accel_snapshot *const *snaps;
	size_t num;
	size_t next;
};

static int fixtures_read(struct accel_source *src, struct accel_snapshot *snap)
{
	struct fixtures *f = (struct fixtures *)src;
	struct accel_snapshot *copy;

	if (!f->num)
		return -ENODEV;
	copy = accel_snapshot_copy(f->snaps[f->next]);
	if (!copy)
		return -ENOMEM;
	if (f->next + 1 < f->num)
		f->next++;
	/* the caller's structure takes over what the copy holds */
	*snap = *copy;
	free(copy);
	return 0;
}

static void fixtures_close(struct accel_source *src)
{
	free(src);
}

static const struct accel_source_ops fixtures_ops = {
	.kind = ACCEL_SOURCE_FIXTURES,
	.read = fixtures_read,
	.close = fixtures_close,
};

int accel_source_open_fixtures(struct accel_source **out,
			       const struct accel_snapshot *const *snaps, size_t num)
{
	struct fixtures *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	accel_source_init(&f->src, &fixtures_ops);
	f->snaps = snaps;
	f->num = num;
	*out = &f->src;
	return 0;
}
