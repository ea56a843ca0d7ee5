// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" TIMEOUT=60 */
/*
 * The histogram against the load's own figures of the same jobs: as many, the
 * same sum, and percentiles within one slot.
 */
#include "device.h"
#include "trace.h"

#define LOAD	"/usr/lib/accelerator/selftests/load/load"
#define REPORT	"/tmp/load.json"

static const struct json_node *final;

/* @a and @b are one histogram step apart at most, and a step of the load's own. */
static void near(uint64_t a, uint64_t b, const char *what)
{
	uint64_t off = a > b ? a - b : b - a;

	tap_ok(off <= b / 16 + b / 256 + 1, "%s: %llu, and %llu by the load's own count", what,
	       (unsigned long long)a, (unsigned long long)b);
}

static void compare(const struct json_node *row, void *arg)
{
	bool start = !strcmp(json_text_at(row, "event"), "job_start");
	const char *path = start ? "devices.0.latency.queue" : "devices.0.latency.run";
	const struct json_node *own = json_at(final, path);

	++*(int *)arg;
	if (!tap_ok(own != NULL, "the load has figures of %s", path))
		return;
	tap_is(json_u64_at(row, "calls"), json_u64_at(final, "jobs"), "%s: jobs", path);
	tap_is(json_u64_at(row, "timed"), json_u64_at(own, "count"), "%s: all of them timed", path);
	tap_is(json_u64_at(row, "total_ns"),
	       json_u64_at(final, start ? "devices.0.wait_ns" : "devices.0.busy_ns"),
	       "%s: the sum, to the nanosecond", path);
	near(json_u64_at(row, "p50_ns"), json_u64_at(own, "p50_ns"), "p50");
	near(json_u64_at(row, "p90_ns"), json_u64_at(own, "p90_ns"), "p90");
	near(json_u64_at(row, "p99_ns"), json_u64_at(own, "p99_ns"), "p99");
	tap_is(json_u64_at(row, "max_ns"), json_u64_at(own, "max_ns"), "%s: the largest", path);
}

int main(void)
{
	struct json_node *report = NULL;
	struct trace_end end;
	struct dev_info dev;
	char *line = NULL;
	size_t size = 0;
	int rows = 0;
	FILE *f;

	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	tap_is(trace_run("hist -e job_start,job_done " LOAD " --json -D %s -C 2 -d 3 >" REPORT,
			 dev.name), 0, "accel-trace hist runs the load");
	f = fopen(REPORT, "r");
	while (f && getline(&line, &size, f) > 0) {
		struct json_node *node = json_parse(line);
		const char *kind = node ? json_text_at(node, "kind") : NULL;

		if (kind && !strcmp(kind, "final"))
			report = node;
	}
	if (!report)
		tap_bail("no report of the load");
	final = report;
	tap_ok(trace_read(&end, compare, &rows), "valid JSON");
	tap_is(rows, 2, "a row for waits and one for runs");
	tap_is(end.lost, 0, "nothing lost");
	tap_is(end.emitted, 2 * json_u64_at(final, "jobs"), "two events for each job");
	return tap_done();
}
