// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" TIMEOUT=120 */
/*
 * accel-top's figures against the load's own: counts are equal, percentiles are
 * within a slot of the histogram, and nothing is counted twice or not at all.
 */
#include <inttypes.h>
#include <math.h>
#include <sys/stat.h>

#include "device.h"
#include "frames.h"
#include "tap.h"

#define JOBS	"300"

static void same(const struct json_node *got, const struct json_node *want, const char *key,
		 const char *what)
{
	uint64_t g = json_u64_at(got, key), w = json_u64_at(want, key);

	tap_ok(g == w && w != UINT64_MAX, "%s: %s %" PRIu64 " == %" PRIu64, what, key, g, w);
}

/* The same of what came since an earlier frame: devices have a past. */
static void same_since(const struct json_node *before, const struct json_node *got,
		       const struct json_node *want, const char *key, const char *what)
{
	uint64_t g = json_u64_at(got, key) - json_u64_at(before, key);
	uint64_t w = json_u64_at(want, key);

	tap_ok(g == w && w != UINT64_MAX, "%s: %s %" PRIu64 " == %" PRIu64, what, key, g, w);
}

/* A slot is 6.25 % of its lower end wide; the load's own are 0.4 %. */
static void near(const struct json_node *got, const struct json_node *want, const char *got_key,
		 const char *want_key, const char *what)
{
	uint64_t g = json_u64_at(got, got_key), w = json_u64_at(want, want_key);
	double off = g && w ? fabs((double)g - (double)w) / (double)(g < w ? g : w) : 0;

	tap_ok(g != UINT64_MAX && w != UINT64_MAX && off <= 0.067,
	       "%s: %s %" PRIu64 " ns, the load has %" PRIu64 " ns (%.2f %%)", what, want_key,
	       g, w, off * 100);
}

static void compare(const struct json_node *before, const struct json_node *frame,
		    const struct json_node *final)
{
	const struct json_node *want, *got, *past;
	char name[128];

	for (want = json_at(final, "devices.0"); want; want = want->next) {
		const char *dev = json_text_at(want, "device");

		got = json_find(json_at(frame, "devices"), "name", dev);
		past = json_find(json_at(before, "devices"), "name", dev);
		snprintf(name, sizeof(name), "device %s", dev);
		same_since(past, got, want, "jobs", name);
		same_since(past, got, want, "bytes", name);
		same(got, want, "pinned_bytes", name);
		same(got, want, "contexts", name);
		tap_is(json_u64_at(got, "latency.job_wait.total.count"),
		       json_u64_at(want, "latency.queue.count"), "%s: waits", name);
		tap_is(json_u64_at(got, "latency.job_run.total.count"),
		       json_u64_at(want, "latency.run.count"), "%s: runs", name);
		tap_is(json_u64_at(got, "latency.ioctl.total.count"), ioctl_calls(want),
		       "%s: ioctls", name);
		tap_is(json_u64_at(got, "latency.mem_pin.total.count"),
		       json_u64_at(want, "ioctls.mem_pin.calls"), "%s: pins", name);
		near(got, want, "latency.job_wait.total.p50_ns", "latency.queue.p50_ns", name);
		near(got, want, "latency.job_wait.total.p99_ns", "latency.queue.p99_ns", name);
		near(got, want, "latency.job_run.total.p50_ns", "latency.run.p50_ns", name);
		near(got, want, "latency.job_run.total.p99_ns", "latency.run.p99_ns", name);
	}
	for (want = json_at(final, "contexts.0"); want; want = want->next) {
		got = json_find(json_at(frame, "contexts"), "id", json_at(want, "id")->text);
		snprintf(name, sizeof(name), "context %s", json_at(want, "id")->text);
		same(got, want, "pid", name);
		same(got, want, "jobs", name);
		same(got, want, "bytes", name);
		same(got, want, "pinned_bytes", name);
		same(got, want, "busy_ns", name);
		same(got, want, "wait_ns", name);
	}
}

static void owners(const struct json_node *frame)
{
	bool cgroups = true, commands = true, users = true;
	const struct json_node *c;

	for (c = json_at(frame, "contexts.0"); c; c = c->next) {
		const char *cgroup = json_text_at(c, "cgroup");
		const char *command = json_text_at(c, "command");

		cgroups &= cgroup && (!strcmp(cgroup, "/red") || !strcmp(cgroup, "/blue"));
		commands &= command && cgroup && !strncmp(command, cgroup[1] == 'r' ? "alice" : "bob",
							  3);
		users &= json_text_at(c, "user") && !strcmp(json_text_at(c, "user"), "root");
	}
	tap_ok(cgroups, "contexts: cgroups");
	tap_ok(commands, "contexts: commands");
	tap_ok(users, "contexts: users");
}

static void run_filter(char *option, char *value, size_t want)
{
	char *const argv[] = { "accel-top", "--json", "-d", "0.1", "-n", "1", option, value, NULL };
	struct json_node *frame;
	struct seen s = { 0 };
	struct child top;

	if (!child_start(&top, argv))
		tap_bail("accel-top: %s", strerror(errno));
	frame = next_frame(&top, &s);
	tap_is(json_at(frame, "contexts")->count, want, "%s %s: contexts", option, value);
	json_free(frame);
	tap_is(child_end(&top, 0), 0, "%s %s: exit code", option, value);
}

int main(void)
{
	char *const top_argv[] = { "accel-top", "--json", "-d", "0.25", NULL };
	char *const load_argv[] = {
		LOAD, "--json", "-D", "soft", "-T", "alice=red:2", "-T", "bob=blue:1", "-J", "3",
		"-n", JOBS, "--wait-start", "-", "--hold", NULL
	};
	struct seen seen = { .valid = true };
	struct json_node *before, *frame, *final;
	struct child top, load;
	const char *line, *pid;
	struct dev_info dev;
	uint64_t total;

	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	mkdir("/sys/fs/cgroup/red", 0755);
	mkdir("/sys/fs/cgroup/blue", 0755);
	if (!child_start(&top, top_argv))
		tap_bail("cannot start: %s", strerror(errno));
	before = next_frame(&top, &seen);	/* its programs are attached */
	if (!child_start(&load, load_argv))
		tap_bail("cannot start: %s", strerror(errno));
	line = child_line(&load);
	if (!line || !strstr(line, "\"ready\""))
		tap_bail("load: not ready: %s", line ? line : "(end)");
	if (write(load.in, "go\n", 3) != 3)
		tap_bail("load: %s", strerror(errno));
	while ((line = child_line(&load)) && !strstr(line, "\"final\""))
		;
	final = line ? json_parse(line) : NULL;
	if (!final)
		tap_bail("load: no final report");
	tap_is(json_u64_at(final, "wrong"), 0, "load: results");

	json_free(fresh_frame(&top, &seen));
	frame = fresh_frame(&top, &seen);
	same_since(json_at(before, "totals"), json_at(frame, "totals"), final, "jobs", "totals");
	same_since(json_at(before, "totals"), json_at(frame, "totals"), final, "bytes", "totals");
	compare(before, frame, final);
	owners(frame);
	tap_is(json_u64_at(frame, "self.lost_no_room"), 0, "nothing lost: room");
	tap_is(json_u64_at(frame, "self.lost_busy"), 0, "nothing lost: programs");
	tap_is(json_u64_at(frame, "self.untimed"), 0, "nothing began before it looked");
	pid = json_at(frame, "contexts.0.pid")->text;
	run_filter("-p", (char *)pid, 2);
	run_filter("-u", "root", 6);
	run_filter("-u", "bob", 0);
	run_filter("-F", "blue", 6);	/* also in the command of all */
	run_filter("-F", "BOB:", 2);
	json_free(frame);

	/* Closed contexts leave the list, and nothing of what they did is forgotten. */
	tap_is(child_end(&load, 0), 0, "load: exit code");
	json_free(fresh_frame(&top, &seen));
	json_free(fresh_frame(&top, &seen));
	frame = fresh_frame(&top, &seen);
	total = json_u64_at(final, "jobs");
	tap_is(json_at(frame, "contexts")->count, 0, "closed: contexts");
	same_since(json_at(before, "totals"), json_at(frame, "totals"), final, "jobs",
		   "closed: totals");
	tap_is(sum(frame, "latency.job_run.total.count"), total, "closed: runs");
	tap_is(sum(frame, "pinned_bytes"), 0, "closed: pinned");
	tap_ok(seen.valid, "every frame had latencies (%" PRIu64 " frames)", seen.frames);
	tap_is(seen.intervals[1], total, "intervals add up: waits");
	tap_is(seen.intervals[2], total, "intervals add up: runs");
	tap_ok(seen.max_util <= 1, "utilization never over 1: %.3f", seen.max_util);
	/* Runs are timed in some looks only: there has to be one in those. */
	for (int i = 0; i < 1000 && !(json_double_at(frame, "self.bpf_ns_per_event") > 0); i++) {
		json_free(frame);
		close(dev_open(dev.name));
		frame = next_frame(&top, &seen);
	}
	tap_ok(json_double_at(frame, "self.bpf_ns_per_event") > 0, "own cost is measured: %.0f ns",
	       json_double_at(frame, "self.bpf_ns_per_event"));
	json_free(before);
	json_free(frame);
	json_free(final);
	tap_is(child_end(&top, SIGTERM), 0, "accel-top: exit code after SIGTERM");
	return tap_done();
}
