// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=2" MEM=3G TIMEOUT=300 */
/*
 * 10,000 contexts at once, each with its own figures, in records of at most 8 KiB: for root, with
 * programs of accel-top's own, and for an ordinary user, with those that "observe on" has pinned.
 */
#include <fcntl.h>
#include <sys/resource.h>

#include "../top/frames.h"
#include "accel_stats.h"
#include "observe.h"

#define MANY	10000

static int fds[MANY];
static struct dev_info dev;

/* As many calls as nobody else next to it makes. */
static void open_many(void)
{
	struct accel_job_wait wait = { .job_id = UINT64_MAX };

	for (int i = 0; i < MANY; i++) {
		fds[i] = dev_open(dev.name);
		if (fds[i] < 0)
			tap_bail("open %d: %s", i, strerror(-fds[i]));
	}
	for (int i = 0; i < MANY; i++)
		for (int k = 0; k <= i % 5; k++)
			if (dev_ioctl(fds[i], ACCEL_IOCTL_JOB_WAIT, &wait) != -ENOENT)
				tap_bail("ioctl on %d", i);
}

/* Others' contexts are not the ordinary user's to see: their names and the core's own counts. */
static void look(char *const argv[], bool root, const char *who)
{
	uint64_t right = 0, wrong = 0, runs = 0;
	struct json_node *frame;
	struct seen seen = { 0 };
	struct child top;

	if (!child_start(&top, argv))
		tap_bail("cannot start accel-top");
	json_free(next_frame(&top, &seen));
	open_many();
	frame = fresh_frame(&top, &seen);
	tap_is(json_u64_at(frame, "totals.contexts"), MANY, "%s: contexts in a frame", who);
	for (const struct json_node *c = json_at(frame, "contexts.0"); c; c = c->next) {
		uint64_t n = json_u64_at(c, "latency.ioctl.total.count");
		uint64_t calls = json_u64_at(c, "ops.ioctl.calls");

		runs += n;
		if (n >= 1 && n <= 5 && calls == (root ? n : UINT64_MAX))
			right++;
		else
			wrong++;
	}
	tap_is(right, MANY, "%s: contexts with as many latencies as calls", who);
	tap_is(wrong, 0, "%s: and none that has another's", who);
	tap_is(runs, 3 * MANY, "%s: all latencies", who);
	tap_is(json_u64_at(frame, "self.lost_no_room"), 0, "%s: nothing lost", who);
	tap_is(json_u64_at(frame, "self.contexts_no_room"), 0, "%s: room for all", who);
	json_free(frame);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	tap_is(child_end(&top, SIGTERM), 0, "%s: accel-top: exit code", who);
}

int main(void)
{
	struct rlimit files = { MANY + 100, MANY + 100 };
	char *const root[] = {
		"accel-top", "--json", "-d", "2", "--contexts", "10240", NULL
	};
	char *const alice[] = {
		"su", "alice", "-c", "exec accel-top --json -d 2", NULL
	};

	tap_ok(sizeof(struct accel_stats_ctx) <= 8192, "a context's record has %zu bytes",
	       sizeof(struct accel_stats_ctx));
	if (dev_find("soft", 0, &dev) || setrlimit(RLIMIT_NOFILE, &files))
		tap_bail("no device, or not so many files");
	look(root, true, "root");
	tap_is(shell("accelctl observe on --contexts 10240"), 0, "observe on, with room for them");
	look(alice, false, "alice");
	tap_is(shell("accelctl observe off"), 0, "observe off");
	return tap_done();
}
