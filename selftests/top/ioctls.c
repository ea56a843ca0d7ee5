// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=60 */
/*
 * The time of an ioctl as accel-top has it: of each percentile not more than the
 * caller's own, which has all of it in it, and not less than the call was told to
 * wait, but for a slot of the histogram. Few calls wait for long, more of them than
 * p99 leaves out: what the scheduler does to some, inside the ioctl or around it,
 * changes neither. Errors are counted, every one.
 */
#include <fcntl.h>
#include <inttypes.h>

#include <linux/accelerator_soft.h>

#include "device.h"
#include "frames.h"

#define CALLS	2000
#define WAIT_NS	500000
#define LONG_NS	4000000
#define LONG_ONE_IN	32
#define P50	(CALLS / 2 - 1)
#define P99	(CALLS * 99 / 100 - 1)

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Wait each time for a job that does not end; without one, for one that there is not. */
static int call_often(int fd, uint64_t job_id, uint64_t *ns)
{
	int refused = 0;

	for (int i = 0; i < CALLS; i++) {
		uint64_t wait_ns = i % LONG_ONE_IN ? WAIT_NS : LONG_NS, begin = now_ns();
		struct accel_job_wait wait = {
			.job_id = job_id, .deadline_ns = (int64_t)(begin + wait_ns),
		};
		int ret = dev_ioctl(fd, ACCEL_IOCTL_JOB_WAIT, &wait);

		ns[i] = now_ns() - begin;
		refused += ret == (job_id == UINT64_MAX ? -ENOENT : -ETIMEDOUT);
	}
	qsort(ns, CALLS, sizeof(ns[0]), cmp);
	return refused;
}

static void close_to(const struct json_node *ctx, const char *key, uint64_t own, uint64_t wait)
{
	char path[64];
	uint64_t top;

	snprintf(path, sizeof(path), "latency.ioctl.total.%s", key);
	top = json_u64_at(ctx, path);
	tap_ok(top != UINT64_MAX && top <= own + own / 16 && wait <= top + top / 16,
	       "%s: %" PRIu64 " ns, the caller has %" PRIu64 " ns, of which it waits %" PRIu64,
	       key, top, own, wait);
}

int main(void)
{
	char *const argv[] = { "accel-top", "--json", "-d", "0.2", NULL };
	struct accel_soft_submit job = { .engine = ACCEL_SOFT_ENGINE_ANY };
	static uint64_t ns[CALLS];
	const struct json_node *ctx, *soft;
	struct seen seen = { 0 };
	struct json_node *frame;
	struct dev_info dev;
	struct child top;
	char pid[16];
	int fd;

	if (dev_find("soft", 0, &dev))
		tap_bail("no device");
	fd = dev_open(dev.name);
	if (fd < 0)
		tap_bail("cannot open %s", dev.name);
	if (dev_soft_latency(dev.name, ACCEL_SOFT_LATENCY_MAX) ||
	    dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &job))
		tap_bail("no job that lasts");
	tap_is(call_often(fd, UINT64_MAX, ns), CALLS, "calls that nobody sees");
	if (!child_start(&top, argv) || !child_line(&top))
		tap_bail("cannot start accel-top");
	tap_is(call_often(fd, job.job_id, ns), CALLS, "calls that were refused");
	frame = fresh_frame(&top, &seen);
	snprintf(pid, sizeof(pid), "%d", getpid());
	ctx = json_find(json_at(frame, "contexts"), "pid", pid);
	soft = json_find(json_at(frame, "devices"), "name", dev.name);
	tap_is(json_u64_at(ctx, "latency.ioctl.total.count"), CALLS, "latencies of all calls");
	tap_is(json_u64_at(ctx, "ops.ioctl.calls"), 2 * CALLS + 1, "calls, also the unseen ones");
	tap_is(json_u64_at(ctx, "ops.ioctl.errors"), 2 * CALLS, "failed calls");
	tap_is(json_u64_at(ctx, "errors"), 2 * CALLS, "errors of the context");
	tap_ok(json_u64_at(soft, "errors") >= 2 * CALLS, "errors of the device");
	close_to(ctx, "p50_ns", ns[P50], WAIT_NS);
	close_to(ctx, "p99_ns", ns[P99], LONG_NS);
	json_free(frame);
	dev_soft_latency(dev.name, 0);
	close(fd);
	tap_is(child_end(&top, SIGINT), 0, "accel-top: exit code after SIGINT");
	return tap_done();
}
