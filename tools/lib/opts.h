/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line: one table of options for each tool. The table drives the
 * parser, --help, the man page's list of options (--help-man) and the bash
 * completion (--help-completion), so that they cannot disagree.
 *
 * Every tool gets -h/--help and -V/--version without asking.
 */
#ifndef TOOLS_LIB_OPTS_H
#define TOOLS_LIB_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * enum opt_type - what an option's argument is, and what its @value points to
 * @OPT_END: the table's last entry
 * @OPT_GROUP: a heading in --help; only @help is used
 * @OPT_FLAG: no argument; bool, set to true
 * @OPT_COUNT: no argument; int, one more each time it is given
 * @OPT_INT: a decimal number in [@min, @max]; long long
 * @OPT_DURATION: "10us", "1.5ms", "2s", "1m", "1h"; a plain number is seconds, as in
 *	sleep(1) and top(1); uint64_t nanoseconds in [@min, @max]
 * @OPT_SIZE: "4096", "64K", "16M", "1G", powers of 1024; uint64_t bytes in [@min, @max]
 * @OPT_STRING: anything but an empty one; const char *
 * @OPT_LIST: comma-separated, adds up when given again; struct opt_list
 * @OPT_ENUM: one of @choices; int, the index in it
 * @OPT_CALL: @parse looks at it; it may be NULL-argumented when @arg is NULL
 */
enum opt_type {
	OPT_END,
	OPT_GROUP,
	OPT_FLAG,
	OPT_COUNT,
	OPT_INT,
	OPT_DURATION,
	OPT_SIZE,
	OPT_STRING,
	OPT_LIST,
	OPT_ENUM,
	OPT_CALL,
};

/* What an OPT_LIST collects; opts_list_free() it. */
struct opt_list {
	char **items;
	size_t count;
};

/**
 * struct opt - one option
 * @short_name: letter, or 0
 * @long_name: without dashes, or NULL
 * @type: see enum opt_type
 * @value: where the value goes; holds the default before
 * @arg: how help calls the argument: "PID", "FILE", "SEC"; NULL when it takes none
 * @help: one sentence, no full stop; long ones are wrapped
 * @min: smallest number; with @max 0 and @min 0, any
 * @max: largest number
 * @choices: of an OPT_ENUM, and what completion offers for an OPT_LIST; NULL-terminated
 * @hidden: works, but help does not show it
 * @parse: of an OPT_CALL: 0, or -1 after opts_bad_value()
 */
struct opt {
	int short_name;
	const char *long_name;
	enum opt_type type;
	void *value;
	const char *arg;
	const char *help;
	uint64_t min;
	uint64_t max;
	const char *const *choices;
	bool hidden;
	int (*parse)(const struct opt *opt, const char *arg);
};

/* OPT(short, long, type, value, arg, help, .min = …) - one entry of a table */
#define OPT(_short, _long, _type, _value, _arg, _help, ...) {			\
	.short_name = (_short), .long_name = (_long), .type = (_type),		\
	.value = (_value), .arg = (_arg), .help = (_help), __VA_ARGS__ }

/* OPTS_GROUP() - a heading before those that follow */
#define OPTS_GROUP(_title)	{ .type = OPT_GROUP, .help = (_title) }

/* A word that may follow the options: a subcommand. */
struct opt_command {
	const char *name;
	const char *help;
};

/**
 * struct opts_spec - a tool's command line
 * @name: the tool's name
 * @summary: one line: what it is
 * @usage: lines after the tool's name, NULL-terminated: "[OPTION...] hist", …
 * @opts: the table
 * @commands: subcommands for help and completion, ends with a NULL name; or NULL
 * @epilog: text at the end of --help: examples, exit codes; or NULL
 * @stop_at_operand: options end at the first word that is none (a command to run
 *	has options of its own); otherwise they may stand anywhere
 * @features: what --version says besides when -v stands with it; or NULL
 */
struct opts_spec {
	const char *name;
	const char *summary;
	const char *const *usage;
	const struct opt *opts;
	const struct opt_command *commands;
	const char *epilog;
	bool stop_at_operand;
	void (*features)(void);
};

/* opts_parse() - go on, the options were understood */
#define OPTS_GO_ON	(-1)

/**
 * opts_parse() - parse a command line
 * @spec: what it may be
 * @argc: as main() got it
 * @argv: as main() got it; words that are no options are moved to its end
 * @first: out: index of the first word in @argv that is no option
 *
 * Return: %OPTS_GO_ON; or the code to exit with: 0 when help was asked for and
 * given, 2 when something is wrong and was said on stderr.
 */
int opts_parse(const struct opts_spec *spec, int argc, char **argv, int *first);

/**
 * opts_bad_value() - say on stderr that an option's argument is wrong
 * @opt: the option
 * @value: what was given
 * @accepted: what would be right: "a cgroup's path"
 *
 * Return: -1, for the OPT_CALL function to return.
 */
int opts_bad_value(const struct opt *opt, const char *value, const char *accepted);

/* opts_usage_error() - "name: message" and "try --help" on stderr; returns 2 to exit with */
int opts_usage_error(const struct opts_spec *spec, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* opts_closest() - the one of @words (NULL-terminated) most like @word, or NULL */
const char *opts_closest(const char *word, const char *const *words);

/* The parsers by themselves: 0, or -1 when @text is not of that form or overflows. */
int opts_parse_duration(const char *text, uint64_t *ns);
int opts_parse_size(const char *text, uint64_t *bytes);

void opts_list_add(struct opt_list *list, const char *item, size_t len);
void opts_list_free(struct opt_list *list);

#endif /* TOOLS_LIB_OPTS_H */
