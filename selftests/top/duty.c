// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1,engines=2" TIMEOUT=120 */
/*
 * An engine that is kept busy for half of the time is shown as 50 % busy, +- 2.
 * On a machine with too much to do the load misses its 50 %; what it says to have
 * kept the engine busy, in the time of each frame, is what counts. It says so of jobs that
 * have ended, twice a second: where the machine stands still at a frame's end, that frame
 * and the next do not agree with it.
 */
#include <inttypes.h>
#include <math.h>

#include "child.h"
#include "json_read.h"
#include "tap.h"

#define SECONDS		"120"	/* longer than it takes on a busy machine; then it is ended */
#define FRAMES		10
#define STOPPED		4	/* of them may be beside a stop */
#define MAX_REPORTS	256

/* How long the engine had been busy, and when that was so. */
static struct {
	double at;
	double busy;
} reports[MAX_REPORTS];
static int nr_reports;

static void read_reports(struct child *load)
{
	double busy = 0;
	const char *line;

	while (nr_reports < MAX_REPORTS - 1 && (line = child_line(load))) {
		struct json_node *r = json_parse(line);
		const char *kind = json_text_at(r, "kind");

		if (kind && !strcmp(kind, "interval")) {
			if (!nr_reports)
				reports[nr_reports++].at = json_double_at(r, "from_ns") / 1e9;
			busy += json_double_at(r, "devices.0.busy_ns") / 1e9;
			reports[nr_reports].at = json_double_at(r, "to_ns") / 1e9;
			reports[nr_reports++].busy = busy;
		}
		json_free(r);
	}
}

/* Between two reports it went on evenly. */
static double busy_at(double at)
{
	for (int i = 1; i < nr_reports; i++)
		if (at <= reports[i].at)
			return reports[i].busy - (reports[i].busy - reports[i - 1].busy) *
			       (reports[i].at - at) / (reports[i].at - reports[i - 1].at);
	return NAN;
}

static double realtime_offset(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9 - now_s();
}

struct look {
	double end, interval, util, other, dev;
};

static void take_looks(struct look *looks)
{
	char *const argv[] = { "accel-top", "--json", "-d", "2", "-n", "10", NULL };
	struct child top;

	if (!child_start(&top, argv))
		tap_bail("accel-top: %s", strerror(errno));
	for (int i = 0; i < FRAMES; i++) {
		const char *line = child_line(&top);
		struct json_node *frame = line ? json_parse(line) : NULL;
		const struct json_node *soft;

		soft = json_find(json_at(frame, "devices"), "driver", "accel_soft");
		if (!soft)
			tap_bail("accel-top: no frame");
		looks[i] = (struct look){
			.end = json_double_at(frame, "time_ns") / 1e9 - realtime_offset(),
			.interval = json_double_at(frame, "interval_s"),
			.util = json_double_at(soft, "engines.0.util"),
			.other = json_double_at(soft, "engines.1.util"),
			.dev = json_double_at(soft, "util"),
		};
		json_free(frame);
	}
	child_end(&top, 0);
}

int main(void)
{
	char *const argv[] = {
		LOAD, "--json", "-D", "soft", "--duty", "50", "-d", SECONDS, "-i", "0.5", NULL
	};
	struct look looks[FRAMES];
	struct child load;
	int good = 0;

	if (!child_start(&load, argv))
		tap_bail("load: %s", strerror(errno));
	usleep(700000);
	take_looks(looks);
	/* it has reported what the last frame showed by then, and ends in good order */
	usleep(1500000);
	kill(load.pid, SIGTERM);
	read_reports(&load);
	for (int i = 0; i < FRAMES; i++) {
		const struct look *l = &looks[i];
		double want = (busy_at(l->end) - busy_at(l->end - l->interval)) / l->interval;

		if (fabs(want - 0.5) > 0.02)
			tap_diag("the load managed %.2f %%, not 50", want * 100);
		tap_diag("the engine: %.2f %% (the load: %.2f %%)", l->util * 100, want * 100);
		good += fabs(l->util - want) <= 0.02;
		tap_ok(l->other < 0.001, "the other engine: %.2f %%", l->other * 100);
		tap_ok(fabs(l->dev - l->util / 2) < 0.001, "the device, their mean: %.2f %%",
		       l->dev * 100);
	}
	tap_ok(good >= FRAMES - STOPPED, "the engine, within 2 %%: in %d of %d frames", good,
	       FRAMES);
	tap_is(child_end(&load, 0), 0, "load: exit code");
	return tap_done();
}
