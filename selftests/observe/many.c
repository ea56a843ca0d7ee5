// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=2" MEM=3G TIMEOUT=240 */
/*
 * 10,000 contexts at once, each with its own figures, in records of at most 8 KiB.
 */
#include <fcntl.h>
#include <sys/resource.h>

#include "../top/frames.h"
#include "accel_stats.h"
#include "device.h"

#define MANY	10000

int main(void)
{
	struct rlimit files = { MANY + 100, MANY + 100 };
	char *const argv[] = {
		"accel-top", "--json", "-d", "2", "--contexts", "10240", NULL
	};
	uint64_t right = 0, wrong = 0, runs = 0;
	static int fds[MANY];
	struct json_node *frame;
	struct seen seen = { 0 };
	struct dev_info dev;
	struct child top;

	tap_ok(sizeof(struct accel_stats_ctx) <= 8192, "a context's record has %zu bytes",
	       sizeof(struct accel_stats_ctx));
	if (dev_find("soft", 0, &dev) || setrlimit(RLIMIT_NOFILE, &files))
		tap_bail("no device, or not so many files");
	if (!child_start(&top, argv))
		tap_bail("cannot start accel-top");
	json_free(next_frame(&top, &seen));
	for (int i = 0; i < MANY; i++) {
		fds[i] = dev_open(dev.name);
		if (fds[i] < 0)
			tap_bail("open %d: %s", i, strerror(-fds[i]));
	}
	/* As many calls as nobody else next to it makes. */
	for (int i = 0; i < MANY; i++)
		for (int k = 0; k <= i % 5; k++) {
			struct accel_job_wait wait = { .job_id = UINT64_MAX };

			if (dev_ioctl(fds[i], ACCEL_IOCTL_JOB_WAIT, &wait) != -ENOENT)
				tap_bail("ioctl on %d", i);
		}
	frame = fresh_frame(&top, &seen);
	tap_is(json_u64_at(frame, "totals.contexts"), MANY, "contexts in a frame");
	for (const struct json_node *c = json_at(frame, "contexts.0"); c; c = c->next) {
		uint64_t n = json_u64_at(c, "latency.ioctl.total.count");

		runs += n;
		if (n == json_u64_at(c, "ops.ioctl.calls") && n >= 1 && n <= 5)
			right++;
		else
			wrong++;
	}
	tap_is(right, MANY, "contexts whose latencies are as many as the core's calls");
	tap_is(wrong, 0, "and none that has another's");
	tap_is(runs, 3 * MANY, "all latencies");
	tap_is(json_u64_at(frame, "self.lost_no_room"), 0, "nothing lost");
	tap_is(json_u64_at(frame, "self.contexts_no_room"), 0, "room for all");
	json_free(frame);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	tap_is(child_end(&top, SIGTERM), 0, "accel-top: exit code");
	return tap_done();
}
