// SPDX-License-Identifier: GPL-2.0-only
/* accelctl: what compute accelerators there are, who uses them, and what is wrong. */
#include "accelctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "opts.h"

#define NAME "accelctl"

int fail(int code, const char *format, ...)
{
	va_list ap;

	fputs(NAME ": ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

int fail_source(const struct accel_source *src, int err)
{
	const char *why = src ? accel_source_error(src) : "";

	if (err == -ENODEV)
		return fail(EXIT_NO_DEVICE, "%s; load it with: modprobe accelerator",
			    *why ? why : "the module accelerator is not loaded");
	if (err == -EPERM || err == -EACCES)
		return fail(EXIT_NO_PERMISSION, "%s", *why ? why : strerror(-err));
	return fail(EXIT_FAILED, "%s", *why ? why : strerror(-err));
}

struct command {
	const char *object;
	const char *verb;	/* NULL: takes none */
	int (*run)(const struct settings *set, const char *dev);
	bool takes_dev;
};

/* The first of an object is what is meant when the verb is left out. */
static const struct command commands[] = {
	{ "dev", "list", cmd_dev_list, true },
	{ "dev", "show", cmd_dev_show, true },
	{ "engine", "list", cmd_engine_list, true },
	{ "ctx", "list", cmd_ctx_list, true },
	{ "stats", NULL, cmd_stats, true },
	{ "monitor", NULL, cmd_monitor, true },
	{ "doctor", NULL, cmd_doctor, false },
	{ "observe", "status", cmd_observe_status, false },
	{ "observe", "on", cmd_observe_on, false },
	{ "observe", "off", cmd_observe_off, false },
};

#define NUM_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static struct settings settings;
static long long contexts, devices;

static const struct opt options[] = {
	{ 'j', "json", OPT_FLAG, .value = &settings.json, .help = "print JSON" },
	{ 'b', "bytes", OPT_FLAG, .value = &settings.bytes,
	  .help = "print exact numbers, in bytes and nanoseconds" },
	{ 'g', "group", OPT_STRING, .value = &settings.group, .arg = "GROUP",
	  .help = "observe on: who may read (default: accel)" },
	{ 0, "contexts", OPT_INT, .value = &contexts, .arg = "N", .min = 1, .max = 65536,
	  .help = "observe on: room for N contexts, 8 KiB each (default 2048)" },
	{ 0, "devices", OPT_INT, .value = &devices, .arg = "N", .min = 1, .max = 4096,
	  .help = "observe on: room for N devices, 19 KiB each (default 256)" },
	{ 0 },
};

static const char *const usage[] = {
	"[-jb] dev [list | show] [DEV]",
	"[-jb] engine [list] [DEV]",
	"[-jb] ctx [list] [DEV]",
	"[-jb] stats [DEV]",
	"[-j] monitor [DEV]",
	"[-j] doctor",
	"[-j] observe [status | off]",
	"observe on [-g GROUP] [--contexts N] [--devices N]",
	"[-jb] policy [list | show NAME | available]",
	"policy load NAME|FILE [KEY=VALUE...] | set NAME KEY=VALUE... | refresh NAME | unload NAME",
	"version",
	NULL,
};

static const struct opt_command help_commands[] = {
	{ "dev", "devices: a table, or all that is known of each" },
	{ "engine", "engines and their counters" },
	{ "ctx", "contexts: who has a device open, and what for" },
	{ "stats", "operations of a device's users, as counted by the core" },
	{ "monitor", "print what changes until interrupted: one line each" },
	{ "doctor", "look for what is missing, and name the command that mends it" },
	{ "observe", "count latencies all the time, for readers without privileges" },
	{ "policy", "what decides on calls: load, set, unload, list with counters, show" },
	{ "version", "print the version" },
	{ NULL, NULL },
};

static const struct opts_spec spec = {
	.name = NAME,
	.summary = "show compute accelerators, their users and their state",
	.usage = usage,
	.opts = options,
	.commands = help_commands,
	.features = bpf_util_features,
	.epilog =
		"DEV is a name (acc0), a number (0) or a path (/dev/accelerator/acc0).\n"
		"No device is ever opened. Contexts of other users are shown to root only.\n"
		"\n"
		"Exit status: 0 ok, 1 failed (doctor: a problem was found), 2 usage,\n"
		"3 no such device or the subsystem is not loaded, 4 no permission.\n",
};

static const struct command *find(const char *object, const char *verb)
{
	size_t i;

	for (i = 0; i < NUM_COMMANDS; i++) {
		if (strcmp(commands[i].object, object))
			continue;
		if (!verb || (commands[i].verb && !strcmp(commands[i].verb, verb)))
			return &commands[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static const char *const objects[] = {
		"dev", "engine", "ctx", "stats", "monitor", "doctor", "observe", "policy",
		"version", NULL,
	};
	const struct command *command, *exact;
	const char *close;
	int first, ret;

	ret = opts_parse(&spec, argc, argv, &first);
	if (ret != OPTS_GO_ON)
		return ret;
	argv += first;
	argc -= first;
	if (!argc)
		return opts_usage_error(&spec, "say what to show: dev, engine, ctx, stats, "
					       "monitor, doctor, observe or policy");
	if (!strcmp(argv[0], "version") && argc == 1) {
		printf(NAME " %s\n", ACCEL_VERSION);
		return EXIT_OK;
	}
	if (!strcmp(argv[0], "policy")) {
		ret = cmd_policy(&settings, argc - 1, argv + 1);
		goto out;
	}
	command = find(argv[0], NULL);
	if (!command) {
		close = opts_closest(argv[0], objects);
		return close ? opts_usage_error(&spec, "no command \"%s\"; did you mean %s?",
						argv[0], close) :
			       opts_usage_error(&spec, "no command \"%s\"", argv[0]);
	}
	if (command->verb && argc > 1) {
		exact = find(argv[0], argv[1]);
		if (exact) {
			command = exact;
			argv++;
			argc--;
		}
	}
	if (argc > 1 && !command->takes_dev)
		return opts_usage_error(&spec, "%s takes no argument, but got \"%s\"",
					command->object, argv[1]);
	if (argc > 2)
		return opts_usage_error(&spec, "too many arguments: \"%s\"", argv[2]);
	settings.contexts = (uint32_t)contexts;
	settings.devices = (uint32_t)devices;
	ret = command->run(&settings, argv[1]);
out:
	if (fflush(stdout) || ferror(stdout))
		return fail(EXIT_FAILED, "cannot write the output: %s", strerror(errno));
	return ret;
}
