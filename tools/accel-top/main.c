// SPDX-License-Identifier: GPL-2.0-only
/* accel-top: accelerators, and the processes that use them. */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf_util.h"
#include "options.h"
#include "opts.h"
#include "proc.h"
#include "rows.h"

volatile sig_atomic_t stop_signal;
sigset_t wait_mask;

static struct options options;
static struct view view;
static uint64_t delay_ns = 1000000000;
static int sort_index = SORT_UTIL;
static long long pid, contexts;
static const char *user, *filter;

static const char *sort_choices[SORT_NR + 1];

static const struct opt table[] = {
	OPTS_GROUP("What to show"),
	{ 'd', "delay", OPT_DURATION, &delay_ns, "SEC",
	  "time between two frames", .min = 100000000, .max = 3600000000000 },
	{ 'n', "frames", OPT_INT, &options.frames, "N",
	  "quit after N frames", .min = 1, .max = 1000000000 },
	{ 'p', "pid", OPT_INT, &pid, "PID",
	  "only contexts of this process", .min = 1, .max = 4194304 },
	{ 'u', "user", OPT_STRING, &user, "USER",
	  .help = "only contexts of this user, by name or number" },
	{ 'F', "filter", OPT_STRING, &filter, "TEXT",
	  .help = "only contexts with TEXT in command, user, cgroup, container or device" },
	{ 's', "sort", OPT_ENUM, &sort_index, "KEY",
	  .help = "sort contexts by util, jobs, bytes, pinned, mapped, wait, run, ioctl, pin, "
	  "errors, age, ctx, dev, pid, user, cgroup or command", .choices = sort_choices },
	{ 'r', "reverse", OPT_FLAG, &view.reverse, .help = "the other way round" },
	{ 't', "tree", OPT_FLAG, &view.tree, .help = "contexts below their device" },
	{ 'e', "engines", OPT_FLAG, &view.expand, .help = "a line for each engine" },
	OPTS_GROUP("How"),
	{ 'b', "batch", OPT_FLAG, &options.batch,
	  .help = "plain text, frame after frame; the first after one delay" },
	{ 'j', "json", OPT_FLAG, &options.json,
	  .help = "one JSON object a line for each frame; schema: docs/accel-top.md" },
	{ 'w', "width", OPT_INT, &options.width, "COLUMNS",
	  "width of batch output; default: the terminal's, else all columns",
	  .min = VIEW_MIN_WIDTH, .max = 1000 },
	{ 'C', "no-color", OPT_FLAG, &options.no_color,
	  .help = "no colors (as with NO_COLOR set)" },
	{ 0, "readonly", OPT_FLAG, &view.readonly, .help = "no key can kill a process" },
	{ 0, "no-latency", OPT_FLAG, &options.no_latency,
	  .help = "load no BPF programs; latencies are not known then" },
	{ 0, "require-latency", OPT_FLAG, &options.require_latency,
	  .help = "exit 4 if BPF cannot be had, instead of doing without" },
	{ 0, "contexts", OPT_INT, &contexts, "N",
	  "room for latencies of N contexts, 8 KiB each (default 2048)",
	  .min = 1, .max = 65536 },
	{ .type = OPT_END },
};

static const char * const usage[] = {
	"[OPTION...]",
	"-b | --json [-n N] [-d SEC] [OPTION...]",
	NULL
};

static const struct opts_spec spec = {
	.name = "accel-top",
	.summary = "accelerators, and the processes that use them",
	.usage = usage,
	.opts = table,
	.features = bpf_util_features,
	.epilog =
	"Devices are never opened. Latencies (p50, p99) need root, or accelctl observe on\n"
	"and its group; everything else does not. The key h shows all keys.\n"
	"\n"
	"Exit codes: 0 done, 1 failed (also: no usable terminal), 2 bad usage, 3 no\n"
	"accelerator subsystem, 4 no latencies with --require-latency.\n",
};

int complain(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("accel-top: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_FAILED;
}

static void on_signal(int sig)
{
	stop_signal = sig;
}

/* Blocked but while we wait: nothing is ever half painted or half written. */
static void catch_signals(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t block;

	sigemptyset(&block);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		sigaddset(&block, ends[i]);
		sigaction(ends[i], &sa, NULL);
	}
	sigprocmask(SIG_BLOCK, &block, &wait_mask);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigdelset(&wait_mask, ends[i]);
}

/* -u: the name that the frame will have for it. */
static int take_user(void)
{
	char *end;
	unsigned long uid;

	if (!user)
		return 0;
	errno = 0;
	uid = strtoul(user, &end, 10);
	if (!*end && !errno && uid < UINT32_MAX && user[0] != '-')
		user = proc_user((uid_t)uid);
	else if (!getpwnam(user))
		return opts_usage_error(&spec, "-u %s: no such user", user);
	snprintf(view.user, sizeof(view.user), "%s", user);
	return 0;
}

static int take_options(int argc, char **argv)
{
	int first, ret;

	for (int i = 0; i < SORT_NR; i++)
		sort_choices[i] = sort_name((enum sort_key)i);
	ret = opts_parse(&spec, argc, argv, &first);
	if (ret != OPTS_GO_ON)
		return ret;
	if (first < argc)
		return opts_usage_error(&spec, "'%s': nothing is expected but options", argv[first]);
	if (options.batch && options.json)
		return opts_usage_error(&spec, "-b and --json: choose one");
	if (options.no_latency && options.require_latency)
		return opts_usage_error(&spec, "--no-latency and --require-latency: choose one");
	if (filter && strlen(filter) >= sizeof(view.filter))
		return opts_usage_error(&spec, "-F: at most %zu bytes", sizeof(view.filter) - 1);
	ret = take_user();
	if (ret)
		return ret;
	if (filter)
		strcpy(view.filter, filter);
	view.pid = (uint32_t)pid;
	view.sort = (enum sort_key)sort_index;
	view.delay = (double)delay_ns / 1e9;
	view.plain = options.batch;
	options.room.contexts = (uint32_t)contexts;
	return OPTS_GO_ON;
}

int main(int argc, char **argv)
{
	struct collect *collect = NULL;
	const char *no_color, *why_not;
	char why[256];
	int ret, err;

	setlocale(LC_CTYPE, "");	/* and nothing else: no commas in JSON */
	view_init(&view);
	ret = take_options(argc, argv);
	if (ret != OPTS_GO_ON)
		return ret;
	view.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	no_color = getenv("NO_COLOR");
	if (no_color && *no_color)
		options.no_color = true;

	catch_signals();
	err = collect_open(&collect, why, sizeof(why));
	if (err) {
		complain("%s", why);
		return err == -ENODEV ? EXIT_NO_DEVICE : EXIT_FAILED;
	}
	if (options.no_latency)
		collect_do_without(collect);
	if (options.require_latency && !collect_attach(collect, &options.room, &why_not)) {
		complain("%s", why_not);
		ret = EXIT_NO_BPF;
	} else if (options.batch || options.json) {
		ret = batch_run(collect, &view, &options);
	} else {
		ret = screen_run(collect, &view, &options);
	}
	collect_close(collect);
	return ret;
}
