// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=120 */
/*
 * Observing is turned off and on again while somebody reads: nothing of the past is shown
 * as the present, what is counted anew is; and a reader does not keep the module in use.
 */
#include "../top/frames.h"
#include "observe.h"

static struct dev_info dev;

static void job(void)
{
	struct accel_soft_submit nop = {
		.op = ACCEL_SOFT_OP_NOP, .engine = ACCEL_SOFT_ENGINE_ANY,
	};
	int fd = dev_open(dev.name);

	if (fd < 0 || dev_soft(fd, &nop, NULL))
		tap_bail("a job failed");
	close(fd);
}

/* The first frame in which latencies are known, or are not. */
static struct json_node *frame_with(struct child *top, bool known)
{
	for (;;) {
		const char *line = child_line(top);
		struct json_node *frame = line ? json_parse(line) : NULL;

		if (!frame)
			tap_bail("accel-top: no frame");
		if ((json_u64_at(frame, "self.events") != UINT64_MAX) == known)
			return frame;
		json_free(frame);
	}
}

static uint64_t jobs_run(const struct json_node *frame)
{
	return json_u64_at(frame, "devices.0.latency.job_run.total.count");
}

static bool notes(const struct json_node *frame, const char *what)
{
	for (const struct json_node *n = json_at(frame, "notes.0"); n; n = n->next)
		if (n->text && strstr(n->text, what))
			return true;
	return false;
}

/* Until the device's record has @count jobs. */
static bool comes_to(struct child *top, uint64_t count)
{
	for (;;) {
		struct json_node *frame = frame_with(top, true);
		uint64_t n = jobs_run(frame);

		json_free(frame);
		if (n >= count)
			return n == count;
	}
}

static void reader(const char *who, char *const argv[], bool root)
{
	struct json_node *frame;
	struct child top;

	tap_is(shell("accelctl observe on"), 0, "%s: on", who);
	if (!child_start(&top, argv))
		tap_bail("cannot start accel-top");
	json_free(frame_with(&top, true));
	for (int i = 0; i < 5; i++)
		job();
	tap_ok(comes_to(&top, 5), "%s: five jobs are seen", who);
	tap_is(shell("accelctl observe off"), 0, "%s: off", who);
	if (root) {
		/* Its own programs, which have counted nothing yet. */
		tap_ok(comes_to(&top, 0), "%s: then counts by itself, from nothing", who);
	} else {
		frame = frame_with(&top, false);
		tap_is(jobs_run(frame), UINT64_MAX, "%s: then no latencies", who);
		tap_ok(notes(frame, "no latencies"), "%s: and says so", who);
		json_free(frame);
		tap_is(shell("accelctl observe on"), 0, "%s: on again", who);
		json_free(frame_with(&top, true));
		for (int i = 0; i < 3; i++)
			job();
		tap_ok(comes_to(&top, 3), "%s: what is counted since then, and nothing else", who);
		tap_is(shell("accelctl observe off"), 0, "%s: off again", who);
		tap_ok(!said("held"), "%s: and nobody holds the programs", who);
	}
	tap_is(child_end(&top, SIGTERM), 0, "%s: exit code", who);
}

int main(void)
{
	char *const root[] = { "accel-top", "--json", "-d", "0.5", NULL };
	char *const alice[] = { "su", "alice", "-c", "exec accel-top --json -d 0.5", NULL };

	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	reader("alice", alice, false);
	reader("root", root, true);
	return tap_done();
}
