// SPDX-License-Identifier: GPL-2.0-only
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf_util.h"
#include "events.h"
#include "opts.h"

static struct opt_list events, pids, devices, contexts, errnos, by;
static struct config conf;

static const char *const by_choices[] = { "device", "ctx", "engine", "op", "process", NULL };
static const char *const sort_choices[] = {
	"time", "calls", "errors", "avg", "p99", "max", "name", NULL
};

static const struct opt table[] = {
	OPTS_GROUP("Which events"),
	OPT('e', "event", OPT_LIST, &events, "EXPR",
	  "these only: names or classes (ioctl, pin, dma, mem, map, job, policy, context, device, all), separated by commas; '!' in front takes them away; default: all but ioctl_enter",
	  .choices = event_words),
	OPT('p', "pid", OPT_LIST, &pids, "PID[,...]",
	  "of these processes, as callers or as owners of a context"),
	OPT('f', "follow", OPT_FLAG, &conf.follow, NULL, "with -p: their new child processes, too"),
	OPT(0, "device", OPT_LIST, &devices, "DEV[,...]", "of these devices: acc0 or 0"),
	OPT(0, "ctx", OPT_LIST, &contexts, "ID[,...]", "of these contexts"),
	OPT(0, "cgroup", OPT_STRING, &conf.cgroup, "PATH",
	  "of contexts opened in this cgroup or in one that is below it as the trace begins"),
	OPT(0, "min-lat", OPT_DURATION, &conf.min_lat_ns, "TIME", "that took at least this long: 10us, 1.5ms",
	  .min = 1),
	OPT(0, "errno", OPT_LIST, &errnos, "ERR[,...]", "that failed so: EINVAL or 22"),
	OPT('z', "successful-only", OPT_FLAG, &conf.only_ok, NULL, "that succeeded"),
	OPT('Z', "failed-only", OPT_FLAG, &conf.only_failed, NULL, "that failed"),
	OPTS_GROUP("What is shown"),
	OPT('c', "summary", OPT_FLAG, NULL, NULL,
	  "count and time events instead of showing them, and print a table at the end"),
	OPT('S', "sort", OPT_ENUM, &conf.sort, "KEY",
	  "of the table: time (default), calls, errors, avg, p99, max, name", .choices = sort_choices),
	OPT(0, "by", OPT_LIST, &by, "KEY[,...]",
	  "separate rows or histograms for each device, ctx, engine, op, process",
	  .choices = by_choices),
	OPT('t', "time", OPT_COUNT, &conf.times, NULL,
	  "time of day; -tt with microseconds; -ttt seconds since 1970"),
	OPT('r', "relative", OPT_FLAG, &conf.relative, NULL, "time since the line before"),
	OPT('T', "exact", OPT_FLAG, &conf.exact, NULL, "durations in seconds to the nanosecond"),
	OPT('k', "stack", OPT_FLAG, &conf.stack, NULL, "the kernel's stack below each event"),
	OPT(0, "json", OPT_FLAG, &conf.json, NULL, "one JSON object on each line"),
	OPT('o', "output", OPT_STRING, &conf.output, "FILE", "write to FILE instead of stdout"),
	OPTS_GROUP("When it ends"),
	OPT(0, "duration", OPT_DURATION, &conf.duration_ns, "TIME", "after this time: 5 (seconds), 500ms",
	  .min = 1),
	OPT('n', "events", OPT_INT, &conf.max_events, "N", "after N events", .min = 1, .max = INT64_MAX),
	OPTS_GROUP("How"),
	OPT(0, "buffer", OPT_SIZE, &conf.buffer, "SIZE",
	  "of the ring of each processor, rounded up to a power of two (default 1M)",
	  .min = 4096, .max = 1ULL << 30),
	OPT(0, "groups", OPT_INT, &conf.groups, "N",
	  "rows that a summary may have (default 4096); events beyond are counted as lost",
	  .min = 1, .max = 1 << 20),
	OPT(0, "strict", OPT_FLAG, &conf.strict, NULL, "exit with 5 when events were lost"),
	OPT('v', "verbose", OPT_FLAG, &conf.verbose, NULL, "show the messages of libbpf"),
	{ .type = OPT_END }
};

static const char *const usage[] = {
	"[OPTION...]",
	"[OPTION...] [--] COMMAND [ARG...]",
	"-c [OPTION...] [[--] COMMAND [ARG...]]",
	"hist [OPTION...] [[--] COMMAND [ARG...]]",
	NULL
};

static const struct opt_command commands[] = {
	{ "hist", "draw histograms of latencies" },
	{ NULL, NULL }
};

static const struct opts_spec spec = {
	.name = "accel-trace",
	.summary = "Traces what processes do with compute accelerators, and what these do for them:\n"
		   "of all processes, of some (-p), or of COMMAND and its children.",
	.usage = usage,
	.opts = table,
	.commands = commands,
	.epilog = "Each event that passes the filter is delivered or counted as lost; the last line on\n"
		  "stderr says how many. Begun before the trace, a call has no duration.\n"
		  "\n"
		  "Examples:\n"
		  "  accel-trace -e job --device acc0           jobs of one device, as they go\n"
		  "  accel-trace -Z                             what fails, for whom, and how\n"
		  "  accel-trace -c ./train                     where the time of a program goes\n"
		  "  accel-trace hist -e job --by device        queue wait and run time\n"
		  "\n"
		  "Exit status: 0 ok, 1 failed, 2 usage, 3 no device, 4 no permission or no BPF, 5 events\n"
		  "lost (with --strict); that of COMMAND when it fails, 128+N when signal N ended it.\n",
	.stop_at_operand = true,
	.features = bpf_util_features,
};

/* A whole number, all of @text. */
static int number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno || *end || *value > max ? -1 : 0;
}

static int bad(const char *option, const char *word, const char *accepted)
{
	return opts_usage_error(&spec, "%s: '%s' is not accepted; give %s", option, word, accepted);
}

static int too_many(const char *option)
{
	return opts_usage_error(&spec, "%s: more than %d", option, MAX_FILTER);
}

static int take_events(void)
{
	const char *word, *closest;

	conf.events_given = events.count;
	if (!events.count) {
		conf.events = conf.mode == MODE_HIST ? EVENTS_TIMED : EVENTS_DEFAULT;
		return OPTS_GO_ON;
	}
	word = events_parse(&events, &conf.events);
	if (word) {
		closest = opts_closest(word + (*word == '!'), event_words);
		return opts_usage_error(&spec,
			"-e/--event: no event or class '%s'%s%s%s; there are ioctl, pin, dma, mem, map, job, policy, context, device, all, and each tracepoint's name",
			word, closest ? " (did you mean '" : "", closest ? closest : "",
			closest ? "'?)" : "");
	}
	if (!conf.events)
		return opts_usage_error(&spec, "-e/--event: nothing is left to trace");
	return OPTS_GO_ON;
}

static int take_numbers(void)
{
	uint64_t value;

	conf.pids = calloc(pids.count + 1, sizeof(*conf.pids));
	if (!conf.pids)
		return EXIT_FAILED;
	for (size_t i = 0; i < pids.count; i++) {
		if (number(pids.items[i], INT32_MAX, &value) || !value)
			return bad("-p/--pid", pids.items[i], "process ids separated by commas");
		conf.pids[conf.num_pids++] = value;
	}
	for (size_t i = 0; i < devices.count; i++) {
		const char *word = devices.items[i];

		if (!strncmp(word, "/dev/accelerator/", 17))
			word += 17;
		if (!strncmp(word, "acc", 3))
			word += 3;
		if (number(word, UINT32_MAX, &value))
			return bad("--device", devices.items[i], "names such as acc0");
		if (conf.num_devices == MAX_FILTER)
			return too_many("--device");
		conf.devices[conf.num_devices++] = value;
	}
	for (size_t i = 0; i < contexts.count; i++) {
		if (number(contexts.items[i], UINT64_MAX, &value) || !value)
			return bad("--ctx", contexts.items[i], "ids of contexts, as accelctl ctx list shows them");
		if (conf.num_contexts == MAX_FILTER)
			return too_many("--ctx");
		conf.contexts[conf.num_contexts++] = value;
	}
	return OPTS_GO_ON;
}

static int take_errnos(void)
{
	for (size_t i = 0; i < errnos.count; i++) {
		const char *word = errnos.items[i], *name;
		uint64_t value = 0;

		if (number(word, 4095, &value)) {
			for (int e = 1; e < 4096 && !value; e++) {
				name = strerrorname_np(e);
				if (name && !strcasecmp(name, word))
					value = e;
			}
		}
		if (!value)
			return bad("--errno", word, "names or numbers of errors such as EINVAL or 22");
		if (conf.num_errnos == MAX_FILTER)
			return too_many("--errno");
		conf.errnos[conf.num_errnos++] = value;
	}
	return OPTS_GO_ON;
}

static int take_by(void)
{
	static const uint32_t bits[] = {
		ACCEL_BY_DEVICE, ACCEL_BY_CONTEXT | ACCEL_BY_DEVICE, ACCEL_BY_ENGINE,
		ACCEL_BY_OP | ACCEL_BY_NAME, ACCEL_BY_PROCESS
	};

	conf.by = conf.mode == MODE_SUMMARY ? ACCEL_BY_NAME : 0;
	for (size_t i = 0; i < by.count; i++) {
		int k = 0;

		while (by_choices[k] && strcmp(by.items[i], by_choices[k]))
			k++;
		if (!by_choices[k])
			return bad("--by", by.items[i], "device, ctx, engine, op, process");
		conf.by |= bits[k];
	}
	return OPTS_GO_ON;
}

int config_parse(struct config *c, int argc, char **argv)
{
	static bool summary;
	struct opt opts[sizeof(table) / sizeof(*table)];
	struct opts_spec with_summary = spec;
	int (*const takes[])(void) = { take_events, take_numbers, take_errnos, take_by };
	int first, code;

	/* -c chooses the mode, which is no bool. */
	memcpy(opts, table, sizeof(table));
	for (struct opt *o = opts; o->type != OPT_END; o++)
		if (o->short_name == 'c')
			o->value = &summary;
	with_summary.opts = opts;

	conf.buffer = 1 << 20;
	conf.groups = 4096;
	code = opts_parse(&with_summary, argc, argv, &first);
	if (code != OPTS_GO_ON)
		return code;
	if (first < argc && !strcmp(argv[first], "hist") && strcmp(argv[first - 1], "--")) {
		conf.mode = MODE_HIST;
		argc -= first;
		argv += first;
		code = opts_parse(&with_summary, argc, argv, &first);
		if (code != OPTS_GO_ON)
			return code;
	}
	if (first < argc)
		conf.command = argv + first;

	if (summary && conf.mode == MODE_HIST)
		return opts_usage_error(&spec, "-c and hist are two different outputs: give one");
	if (summary)
		conf.mode = MODE_SUMMARY;
	for (size_t i = 0; i < sizeof(takes) / sizeof(*takes); i++) {
		code = takes[i]();
		if (code != OPTS_GO_ON)
			return code;
	}
	if (conf.only_ok && conf.only_failed)
		return opts_usage_error(&spec, "-z and -Z together leave nothing");
	if (conf.command && conf.num_pids)
		return opts_usage_error(&spec, "-p and COMMAND are two different things to trace: give one");
	if (conf.follow && !conf.num_pids && !conf.command)
		return opts_usage_error(&spec, "-f follows the children of -p's processes: give -p");
	if (by.count && conf.mode == MODE_STREAM)
		return opts_usage_error(&spec, "--by is for -c and hist");
	if (conf.stack && conf.mode != MODE_STREAM)
		return opts_usage_error(&spec, "-k shows stacks of single events, not of a summary");
	*c = conf;
	return OPTS_GO_ON;
}

void config_free(struct config *c)
{
	free(c->pids);
	opts_list_free(&events);
	opts_list_free(&pids);
	opts_list_free(&devices);
	opts_list_free(&contexts);
	opts_list_free(&errnos);
	opts_list_free(&by);
}
