// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" TIMEOUT=120 */
/*
 * delivered + lost = emitted = what the work did: with buffers large and tiny, in
 * the stream, the summary and the histogram, also when the rows run out.
 */
#include "device.h"
#include "trace.h"

#define THREADS	4

static struct dev_info dev;

struct stream {
	uint64_t last_ns;
	uint64_t backwards;
	uint64_t calls;
};

static void look(const struct json_node *e, void *arg)
{
	uint64_t ts = json_u64_at(e, "ts_ns"), calls = json_u64_at(e, "calls");
	struct stream *s = arg;

	if (ts != UINT64_MAX) {
		s->backwards += ts < s->last_ns;
		s->last_ns = ts;
	}
	if (calls != UINT64_MAX)
		s->calls += calls;
}

static void stream(const char *buffer, long ioctls, long jobs, bool all_fit, bool none_fit)
{
	uint64_t work = THREADS * (8 + ioctls + 5 * jobs);
	struct stream s = { 0 };
	struct trace_end end;
	int code;

	code = trace_run("--strict --buffer %s " AREA "/work %s %d %ld %ld", buffer, dev.name,
			 THREADS, ioctls, jobs);
	tap_ok(trace_read(&end, look, &s), "buffer %s: valid JSON, with an end", buffer);
	tap_is(end.emitted, work, "buffer %s: emitted is what the work did", buffer);
	tap_is(end.delivered + end.lost, end.emitted, "buffer %s: delivered + lost = emitted",
	       buffer);
	tap_is(end.lost_by_event, end.lost, "buffer %s: lost, by event", buffer);
	tap_is(end.lost_by_cpu, end.lost, "buffer %s: lost, by processor's ring", buffer);
	tap_is(end.lines, end.delivered, "buffer %s: as many lines as delivered", buffer);
	tap_is(end.missed, 0, "buffer %s: no program was skipped", buffer);
	/* A processor of a test machine may stand still for longer than is waited for it. */
	tap_ok(s.backwards <= 5 + end.lines / 1000, "buffer %s: in the order of time, but for %llu",
	       buffer, (unsigned long long)s.backwards);
	if (all_fit)
		tap_is(end.lost, 0, "buffer %s: nothing lost", buffer);
	if (none_fit)
		tap_ok(end.lost > 0, "buffer %s: some lost (%llu)", buffer,
		       (unsigned long long)end.lost);
	tap_is(code, end.lost ? 5 : 0, "buffer %s: exit code", buffer);
	tap_ok(trace_said(end.lost ? "--buffer makes it larger" : " 0 lost"),
	       "buffer %s: stderr tells the same", buffer);
	tap_diag("buffer %s: %llu emitted, %llu delivered, %llu lost", buffer,
		 (unsigned long long)end.emitted, (unsigned long long)end.delivered,
		 (unsigned long long)end.lost);
}

static void summary(const char *how, const char *options, bool lossless)
{
	uint64_t work = THREADS * (8 + 2000 + 5 * 200);
	struct stream s = { 0 };
	struct trace_end end;
	int code;

	code = trace_run("%s %s " AREA "/work %s %d 2000 200", how, options, dev.name, THREADS);
	tap_is(code, 0, "%s %s: exit code", how, options);
	tap_ok(trace_read(&end, look, &s), "%s %s: valid JSON", how, options);
	tap_is(end.emitted, work, "%s %s: emitted is what the work did", how, options);
	tap_is(end.delivered + end.lost, end.emitted, "%s %s: counted + lost = emitted", how,
	       options);
	tap_is(s.calls, end.delivered, "%s %s: the rows' calls are what was counted", how, options);
	if (lossless)
		tap_is(end.lost, 0, "%s %s: nothing lost", how, options);
	else
		tap_ok(end.lost > 0, "%s %s: rows ran out", how, options);
}

int main(void)
{
	struct stream s = { 0 };
	struct trace_end end;

	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	stream("4K", 10000, 500, false, true);
	stream("64K", 10000, 500, false, false);
	stream("16M", 10000, 500, true, false);
	summary("-c", "", true);
	summary("-c", "--by device,ctx,engine,op,process", true);
	summary("-c", "--groups 3", false);
	summary("hist", "-e all,!ioctl_enter --by op", true);

	/* Exactly N, although many run at once. */
	tap_is(trace_run("-n 100 " AREA "/work %s %d 1000 0", dev.name, THREADS), 0, "-n 100");
	tap_ok(trace_read(&end, look, &s), "-n 100: valid JSON");
	tap_is(end.emitted, 100, "-n 100: emitted");
	tap_is(end.delivered, 100, "-n 100: delivered");
	return tap_done();
}
