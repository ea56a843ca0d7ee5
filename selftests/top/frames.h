/* SPDX-License-Identifier: GPL-2.0-only */
/* The frames that accel-top --json writes, as they come. */
#ifndef SELFTESTS_TOP_FRAMES_H
#define SELFTESTS_TOP_FRAMES_H

#include <inttypes.h>

#include "child.h"
#include "json_read.h"
#include "tap.h"

static const char * const kinds[] = { "ioctl", "job_wait", "job_run", "mem_pin", "dma_map" };

#define KINDS	5

/* What all frames together have counted of intervals. */
struct seen {
	uint64_t frames;
	uint64_t intervals[KINDS];
	double max_util;
	bool valid;
};

static void watch_util(struct seen *s, const struct json_node *row)
{
	double util = json_double_at(row, "util");

	if (util > s->max_util)
		s->max_util = util;
	if (util < 0)
		s->max_util = 1e9;
}

static void watch(struct seen *s, const struct json_node *frame)
{
	const struct json_node *dev, *sub;
	char path[64];

	s->frames++;
	for (dev = json_at(frame, "devices.0"); dev; dev = dev->next) {
		for (int k = 0; k < KINDS; k++) {
			uint64_t n;

			snprintf(path, sizeof(path), "latency.%s.interval.count", kinds[k]);
			n = json_u64_at(dev, path);
			if (n == UINT64_MAX)
				s->valid = false;
			else
				s->intervals[k] += n;
		}
		watch_util(s, dev);
		for (sub = json_at(dev, "engines.0"); sub; sub = sub->next)
			watch_util(s, sub);
	}
	for (sub = json_at(frame, "contexts.0"); sub; sub = sub->next)
		watch_util(s, sub);
}

/* The next frame; the caller frees it. */
__attribute__((unused))
static struct json_node *next_frame(struct child *top, struct seen *s)
{
	const char *line = child_line(top);
	struct json_node *frame = line ? json_parse(line) : NULL;

	if (!frame)
		tap_bail("accel-top: no frame or no JSON: %.80s", line ? line : "(end)");
	watch(s, frame);
	return frame;
}

/* The first frame that was made after now. */
__attribute__((unused))
static struct json_node *fresh_frame(struct child *top, struct seen *s)
{
	struct timespec ts;
	uint64_t now;

	clock_gettime(CLOCK_REALTIME, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	for (;;) {
		struct json_node *frame = next_frame(top, s);

		if (json_u64_at(frame, "time_ns") > now)
			return frame;
		json_free(frame);
	}
}

/* Of all devices of a frame or of a load's report. */
__attribute__((unused))
static uint64_t sum(const struct json_node *frame, const char *path)
{
	uint64_t total = 0;

	for (const struct json_node *d = json_at(frame, "devices.0"); d; d = d->next)
		total += json_u64_at(d, path);
	return total;
}

/* Calls of all ioctls of a device in a load's report. */
__attribute__((unused))
static uint64_t ioctl_calls(const struct json_node *device)
{
	uint64_t calls = 0;

	for (const struct json_node *op = json_at(device, "ioctls")->first; op; op = op->next)
		calls += json_u64_at(op, "calls");
	return calls;
}

#endif
