// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=2" TIMEOUT=300 */
/*
 * Contexts that live between two looks: 1,000 of one job each are all in the next frame,
 * each with its job and its owner, and in no later one. With fewer records than that, what
 * was missed is counted. Slots are used again at once, and nobody's figures are another's.
 */
#include <fcntl.h>

#include "../top/frames.h"
#include "device.h"

#define SHORT	1000

static struct dev_info dev;

/* Opens, does @jobs jobs, closes; the context's device is told by the caller. */
static void live(int jobs)
{
	struct accel_soft_submit nop = {
		.op = ACCEL_SOFT_OP_NOP, .engine = ACCEL_SOFT_ENGINE_ANY,
	};
	int fd = dev_open(dev.name);

	if (fd < 0)
		tap_bail("cannot open %s", dev.name);
	for (int i = 0; i < jobs; i++)
		if (dev_soft(fd, &nop, NULL))
			tap_bail("a job failed");
	close(fd);
}

struct ended {
	uint64_t contexts, jobs, runs, ours, odd, last_id;
};

static void count(const struct json_node *frame, struct ended *e)
{
	for (const struct json_node *c = json_at(frame, "contexts.0"); c; c = c->next) {
		const struct json_node *ended = json_at(c, "ended");

		if (!ended || ended->kind != JSON_TRUE)
			continue;
		e->contexts++;
		e->jobs += json_u64_at(c, "jobs");
		e->runs += json_u64_at(c, "latency.job_run.interval.count");
		e->ours += json_u64_at(c, "pid") == (uint64_t)getpid() &&
			   !strcmp(json_text_at(c, "command"), "short");
		/*
		 * job_wait and the submit are ioctls; pinned memory is not known any more, or
		 * was none when the look began
		 */
		e->odd += json_u64_at(c, "latency.ioctl.interval.count") !=
			  2 * json_u64_at(c, "jobs") ||
			  (json_at(c, "pinned_bytes")->kind != JSON_NULL &&
			   json_u64_at(c, "pinned_bytes"));
	}
}

/* All frames until one that was made after now. */
static struct json_node *frames_until_now(struct child *top, struct ended *e)
{
	struct timespec ts;
	uint64_t now;

	clock_gettime(CLOCK_REALTIME, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	for (;;) {
		const char *line = child_line(top);
		struct json_node *frame = line ? json_parse(line) : NULL;

		if (!frame)
			tap_bail("accel-top: no frame");
		count(frame, e);
		if (json_u64_at(frame, "time_ns") > now)
			return frame;
		json_free(frame);
	}
}

static void thousand(const char *how, char *const argv[])
{
	struct ended e = { 0 }, later = { 0 };
	struct json_node *frame;
	struct child top;

	if (!child_start(&top, argv))
		tap_bail("cannot start accel-top");
	json_free(frames_until_now(&top, &later));
	later = (struct ended){ 0 };
	for (int i = 0; i < SHORT; i++)
		live(1);
	frame = frames_until_now(&top, &e);
	tap_is(e.contexts, SHORT, "%s: all are seen", how);
	tap_is(e.jobs, SHORT, "%s: with the job of each", how);
	tap_is(e.runs, SHORT, "%s: and its latency", how);
	tap_is(e.ours, SHORT, "%s: and who it was", how);
	tap_is(e.odd, 0, "%s: and nothing of another", how);
	tap_is(json_u64_at(frame, "self.contexts_missed"), 0, "%s: none was missed", how);
	json_free(frame);
	json_free(frames_until_now(&top, &later));
	json_free(frames_until_now(&top, &later));
	tap_is(later.contexts, 0, "%s: each is in one frame", how);
	tap_is(child_end(&top, SIGTERM), 0, "%s: exit code", how);
}

/* Eight records: three open ones keep theirs, the five others go round. */
static void few(void)
{
	char *const argv[] = { "accel-top", "--json", "-d", "1", "--contexts", "8", NULL };
	struct accel_soft_submit nop = {
		.op = ACCEL_SOFT_OP_NOP, .engine = ACCEL_SOFT_ENGINE_ANY,
	};
	struct ended e = { 0 };
	struct json_node *frame;
	struct child top;
	uint64_t missed;
	int fds[3], good = 0;

	if (!child_start(&top, argv))
		tap_bail("cannot start accel-top");
	json_free(frames_until_now(&top, &e));
	for (int i = 0; i < 3; i++) {
		fds[i] = dev_open(dev.name);
		for (int k = 0; k <= i; k++)
			if (fds[i] < 0 || dev_soft(fds[i], &nop, NULL))
				tap_bail("a job failed");
	}
	json_free(frames_until_now(&top, &e));
	e = (struct ended){ 0 };
	for (int i = 0; i < 100; i++)
		live(2);
	frame = frames_until_now(&top, &e);
	missed = json_u64_at(frame, "self.contexts_missed");
	tap_ok(missed >= 1, "few records: some were missed (%llu)", (unsigned long long)missed);
	tap_is(e.contexts + missed, 100, "few records: seen and missed are all");
	tap_is(e.jobs, 2 * e.contexts, "few records: those that are seen are whole");
	tap_is(e.odd, 0, "few records: and have nothing of another");
	for (const struct json_node *c = json_at(frame, "contexts.0"); c; c = c->next)
		good += json_at(c, "ended")->kind == JSON_FALSE &&
			json_u64_at(c, "latency.job_run.total.count") == json_u64_at(c, "jobs") &&
			json_u64_at(c, "jobs") >= 1 && json_u64_at(c, "jobs") <= 3;
	tap_is(good, 3, "few records: the open ones have their own, and all of it");
	tap_is(json_u64_at(frame, "self.contexts_no_room"), 0, "few records: enough for the open ones");
	tap_is(json_u64_at(json_find(json_at(frame, "devices"), "name", dev.name),
			   "latency.job_run.total.count"), 206, "few records: the device has all");
	json_free(frame);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	tap_is(child_end(&top, SIGTERM), 0, "few records: exit code");
}

int main(void)
{
	char *const own[] = { "accel-top", "--json", "-d", "4", NULL };
	char *const alice[] = { "su", "alice", "-c", "exec accel-top --json -d 4", NULL };

	if (dev_find("soft", 1, &dev))
		tap_bail("no soft device");
	thousand("own programs", own);
	few();
	if (system("accelctl observe on"))
		tap_bail("accelctl observe on failed");
	thousand("pinned", own);
	thousand("pinned, by alice", alice);
	if (system("accelctl observe off"))
		tap_bail("accelctl observe off failed");
	return tap_done();
}
