// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=120 */
/*
 * With room for one context of three: the devices have all that happened; what contexts
 * have and what was reported lost are, together, as much; and both are shown.
 */
#include "frames.h"

int main(void)
{
	char *const top_argv[] = {
		"accel-top", "--json", "-d", "0.25", "--contexts", "1", NULL
	};
	char *const text_argv[] = {
		"accel-top", "-b", "-d", "1", "-n", "10", "--contexts", "1", NULL
	};
	char *const load_argv[] = {
		LOAD, "--json", "-D", "soft", "-C", "3", "-n", "200", "--hold", NULL
	};
	struct json_node *before, *frame, *final;
	struct seen seen = { 0 };
	uint64_t events, lost, want, kept = 0;
	char path[64];
	const struct json_node *dev;
	struct child top, load;
	const char *line;
	bool shown = false;

	if (!child_start(&top, top_argv))
		tap_bail("cannot start accel-top");
	before = next_frame(&top, &seen);
	if (!child_start(&load, load_argv))
		tap_bail("cannot start the load");
	while ((line = child_line(&load)) && !strstr(line, "\"final\""))
		;
	final = line ? json_parse(line) : NULL;
	if (!final)
		tap_bail("load: no final report");
	json_free(fresh_frame(&top, &seen));
	frame = fresh_frame(&top, &seen);
	want = sum(final, "latency.queue.count") + sum(final, "latency.run.count") +
	       2 * sum(final, "ioctls.mem_pin.calls");	/* a DMA map is in each */
	for (dev = json_at(final, "devices.0"); dev; dev = dev->next)
		want += ioctl_calls(dev);
	events = json_u64_at(frame, "self.events");
	lost = json_u64_at(frame, "self.lost_no_room") + json_u64_at(frame, "self.lost_busy");
	tap_ok(events > 0, "some were counted: %llu", (unsigned long long)events);
	tap_ok(lost > 0, "some were lost: %llu", (unsigned long long)lost);
	tap_is(events, want, "devices have all");
	for (const struct json_node *x = json_at(frame, "contexts.0"); x; x = x->next)
		for (int k = 0; k < KINDS; k++) {
			snprintf(path, sizeof(path), "latency.%s.total.count", kinds[k]);
			kept += json_u64_at(x, path);
		}
	tap_is(kept + lost, want, "contexts' and lost are all");
	tap_is(json_u64_at(frame, "self.contexts_no_room"), 2, "two found no room");
	tap_ok(json_at(frame, "notes")->count > 0, "a note says so");
	tap_is(json_u64_at(frame, "totals.jobs") - json_u64_at(before, "totals.jobs"),
	       json_u64_at(final, "jobs"), "jobs are counted elsewhere, and exact");
	json_free(before);
	json_free(frame);
	json_free(final);
	tap_is(child_end(&load, 0), 0, "load: exit code");
	tap_is(child_end(&top, SIGTERM), 0, "accel-top: exit code");

	/* The same as text, while work goes on. */
	if (!child_start(&load, (char *const []){ LOAD, "-D", "soft", "-C", "3", "-d", "30", NULL }) ||
	    !child_start(&top, text_argv))
		tap_bail("cannot start");
	while ((line = child_line(&top)))
		shown |= strstr(line, "latencies were lost") != NULL;
	tap_ok(shown, "the note is on the screen");
	tap_is(child_end(&top, 0), 0, "accel-top -b: exit code");
	tap_is(child_end(&load, SIGTERM), 0, "load: exit code");
	return tap_done();
}
