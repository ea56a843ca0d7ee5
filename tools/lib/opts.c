// SPDX-License-Identifier: GPL-2.0-only
#include "opts.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "opts_help.h"

#ifndef ACCEL_VERSION
#define ACCEL_VERSION "0.1"
#endif

#define MAX_OPTS	96

/* Values of getopt_long() for options without a letter: above all characters. */
#define LONG_BASE	256

enum { HELP_LONG = LONG_BASE + MAX_OPTS, HELP_MAN, HELP_COMPLETION };

static const char *tool = "?";

static void option_name(const struct opt *opt, char *text, size_t size)
{
	if (opt->long_name && opt->short_name)
		snprintf(text, size, "-%c/--%s", opt->short_name, opt->long_name);
	else if (opt->long_name)
		snprintf(text, size, "--%s", opt->long_name);
	else
		snprintf(text, size, "-%c", opt->short_name);
}

int opts_bad_value(const struct opt *opt, const char *value, const char *accepted)
{
	char name[64];

	option_name(opt, name, sizeof(name));
	fprintf(stderr, "%s: %s: '%s' is not accepted; give %s\n", tool, name, value, accepted);
	return -1;
}

int opts_usage_error(const struct opts_spec *spec, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", spec->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry '%s --help'.\n", spec->name);
	return 2;
}

/* ------------------------------------------------------------------ numbers */

/*
 * A number with a unit. The factors are exact, the number may have a fraction;
 * what does not fit into 64 bits is refused. UINT64_MAX means "unknown"
 * elsewhere, so it is not a value either.
 */
struct unit {
	const char *name;
	double factor;
};

static int parse_scaled(const char *text, const struct unit *units, uint64_t *value)
{
	char *end;
	double number;

	/* strtod() would take "inf", "nan", "0x1p3", signs and spaces. */
	if (!isdigit((unsigned char)*text) && *text != '.')
		return -1;
	if (text[strspn(text, "0123456789.")] == 'x' || text[strspn(text, "0123456789.")] == 'X')
		return -1;
	errno = 0;
	number = strtod(text, &end);
	if (end == text || errno || !isfinite(number))
		return -1;
	for (; units->name; units++) {
		if (strcasecmp(end, units->name))
			continue;
		number = round(number * units->factor);
		if (number >= 18446744073709549568.0)
			return -1;
		*value = (uint64_t)number;
		return 0;
	}
	return -1;
}

int opts_parse_duration(const char *text, uint64_t *ns)
{
	static const struct unit units[] = {
		{ "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "", 1e9 },
		{ "m", 60e9 }, { "min", 60e9 }, { "h", 3600e9 }, { NULL, 0 }
	};

	return parse_scaled(text, units, ns);
}

int opts_parse_size(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {
		{ "", 1 }, { "b", 1 },
		{ "k", 1024.0 }, { "kib", 1024.0 },
		{ "m", 1048576.0 }, { "mib", 1048576.0 },
		{ "g", 1073741824.0 }, { "gib", 1073741824.0 },
		{ "t", 1099511627776.0 }, { "tib", 1099511627776.0 }, { NULL, 0 }
	};

	return parse_scaled(text, units, bytes);
}

/* -------------------------------------------------------------------- lists */

void opts_list_add(struct opt_list *list, const char *item, size_t len)
{
	char **items = realloc(list->items, (list->count + 1) * sizeof(*items));
	char *copy = strndup(item, len);

	if (!items || !copy) {
		fprintf(stderr, "%s: no memory for the command line\n", tool);
		exit(1);
	}
	items[list->count++] = copy;
	list->items = items;
}

void opts_list_free(struct opt_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct opt_list){ 0 };
}

static int parse_list(const struct opt *opt, const char *arg)
{
	const char *at = arg;

	for (;;) {
		size_t len = strcspn(at, ",");

		if (!len)
			return opts_bad_value(opt, arg, "words separated by single commas");
		opts_list_add(opt->value, at, len);
		if (!at[len])
			return 0;
		at += len + 1;
	}
}

/* ------------------------------------------------------------- suggestions */

static unsigned int distance(const char *a, const char *b)
{
	enum { MAX = 32 };
	unsigned int row[MAX + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > MAX || lb > MAX)
		return MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned int best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

const char *opts_closest(const char *word, const char *const *words)
{
	/* Two mistakes in a short word make another word of it. */
	unsigned int best = strlen(word) < 5 ? 2 : 3;
	const char *found = NULL;

	for (; *words; words++) {
		unsigned int d = distance(word, *words);

		if (d < best) {
			best = d;
			found = *words;
		}
	}
	return found;
}

/* ------------------------------------------------------------------ parsing */

static int parse_enum(const struct opt *opt, const char *arg)
{
	char accepted[256] = "one of";
	const char *closest;

	for (int i = 0; opt->choices[i]; i++) {
		if (!strcmp(arg, opt->choices[i])) {
			*(int *)opt->value = i;
			return 0;
		}
	}
	for (int i = 0; opt->choices[i]; i++) {
		size_t at = strlen(accepted);

		snprintf(accepted + at, sizeof(accepted) - at, "%s %s", i ? "," : "",
			 opt->choices[i]);
	}
	closest = opts_closest(arg, opt->choices);
	if (closest) {
		size_t at = strlen(accepted);

		snprintf(accepted + at, sizeof(accepted) - at, " (did you mean '%s'?)", closest);
	}
	return opts_bad_value(opt, arg, accepted);
}

static int parse_int(const struct opt *opt, const char *arg)
{
	long long min = opt->min, max = opt->max, number;
	char accepted[96], *end;

	if (!opt->min && !opt->max) {
		min = INT64_MIN;
		max = INT64_MAX;
	}
	errno = 0;
	number = strtoll(arg, &end, 10);
	if (end != arg && !*end && !errno && !isspace((unsigned char)*arg) &&
	    number >= min && number <= max) {
		*(long long *)opt->value = number;
		return 0;
	}
	if (!opt->min && !opt->max)
		snprintf(accepted, sizeof(accepted), "a whole number");
	else if (max == INT64_MAX)
		snprintf(accepted, sizeof(accepted), "a whole number, at least %lld", min);
	else
		snprintf(accepted, sizeof(accepted), "a whole number from %lld to %lld", min, max);
	return opts_bad_value(opt, arg, accepted);
}

static int parse_unit(const struct opt *opt, const char *arg)
{
	bool duration = opt->type == OPT_DURATION;
	const char *example = duration ? "a time such as 10us, 1.5ms or 2s (a plain number is seconds)" :
					 "a size such as 4096, 64K or 16M";
	uint64_t value, max = opt->max ? opt->max : UINT64_MAX - 1;
	char accepted[160];

	if ((duration ? opts_parse_duration : opts_parse_size)(arg, &value))
		return opts_bad_value(opt, arg, example);
	if (value < opt->min || value > max) {
		const char *(*fmt)(struct fmt_buf *, uint64_t) = duration ? fmt_ns : fmt_bytes;

		if (opt->max)
			snprintf(accepted, sizeof(accepted), "from %s to %s",
				 FMT(fmt, opt->min), FMT(fmt, max));
		else
			snprintf(accepted, sizeof(accepted), "at least %s", FMT(fmt, opt->min));
		return opts_bad_value(opt, arg, accepted);
	}
	*(uint64_t *)opt->value = value;
	return 0;
}

static int parse_one(const struct opt *opt, const char *arg)
{
	switch (opt->type) {
	case OPT_FLAG:
		*(bool *)opt->value = true;
		return 0;
	case OPT_COUNT:
		++*(int *)opt->value;
		return 0;
	case OPT_INT:
		return parse_int(opt, arg);
	case OPT_DURATION:
	case OPT_SIZE:
		return parse_unit(opt, arg);
	case OPT_STRING:
		if (!*arg)
			return opts_bad_value(opt, arg, "something that is not empty");
		*(const char **)opt->value = arg;
		return 0;
	case OPT_LIST:
		return parse_list(opt, arg);
	case OPT_ENUM:
		return parse_enum(opt, arg);
	case OPT_CALL:
		return opt->parse(opt, arg);
	case OPT_END:
	case OPT_GROUP:
		break;
	}
	return -1;
}

/* getopt_long() stopped at something that it does not know, or that lacks its argument. */
static int bad_option(const struct opts_spec *spec, char **argv, int code)
{
	const char *words[MAX_OPTS + 3] = { "help", "version" }, *given, *closest;
	size_t n = 2, len;
	char word[64];

	given = optind > 0 ? argv[optind - 1] : "";
	if (code == ':')
		return opts_usage_error(spec, "option '%s' needs an argument",
					optopt && optopt < LONG_BASE && given[1] != '-' ?
					(char[]){ '-', optopt, 0 } : given);
	if (optopt && optopt < LONG_BASE)
		return opts_usage_error(spec, "unknown option '-%c'", optopt);
	if (strncmp(given, "--", 2))
		return opts_usage_error(spec, "unknown option '%s'", given);
	if (optopt)
		return opts_usage_error(spec, "option '%s' takes no argument", given);
	len = strcspn(given + 2, "=");
	snprintf(word, sizeof(word), "%.*s", (int)len, given + 2);
	for (const struct opt *o = spec->opts; o->type != OPT_END; o++)
		if (o->long_name && !o->hidden && n < MAX_OPTS)
			words[n++] = o->long_name;
	words[n] = NULL;
	closest = opts_closest(word, words);
	if (closest)
		return opts_usage_error(spec, "unknown option '--%s'; did you mean '--%s'?",
					word, closest);
	return opts_usage_error(spec, "unknown option '--%s'", word);
}

/* --version, before or after a -v: the machine's side of it, too. */
static int show_version(const struct opts_spec *spec, int argc, char **argv)
{
	bool verbose = false;

	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		verbose |= !strcmp(argv[i], "-v") || !strcmp(argv[i], "--verbose") ||
			   !strcmp(argv[i], "-vV") || !strcmp(argv[i], "-Vv");
	printf("%s %s\n", spec->name, ACCEL_VERSION);
	if (verbose && spec->features)
		spec->features();
	return 0;
}

int opts_parse(const struct opts_spec *spec, int argc, char **argv, int *first)
{
	struct option longs[MAX_OPTS + 5] = { 0 };
	char shorts[2 * MAX_OPTS + 8], *s = shorts;
	size_t n = 0, count = 0;
	int code;

	tool = spec->name;
	if (spec->stop_at_operand)
		*s++ = '+';
	*s++ = ':';	/* tells a missing argument from an unknown option */
	*s++ = 'h';
	*s++ = 'V';
	if (spec->features)
		*s++ = 'v';	/* for --version; the table's own comes to the same */
	for (const struct opt *o = spec->opts; o->type != OPT_END; o++, count++) {
		if (count == MAX_OPTS)
			return opts_usage_error(spec, "more than %d options in its table", MAX_OPTS);
		if (o->short_name) {
			*s++ = o->short_name;
			if (o->arg)
				*s++ = ':';
		}
		if (o->long_name)
			longs[n++] = (struct option){ o->long_name,
						      o->arg ? required_argument : no_argument,
						      NULL, LONG_BASE + (int)count };
	}
	*s = 0;
	longs[n++] = (struct option){ "help", no_argument, NULL, HELP_LONG };
	longs[n++] = (struct option){ "version", no_argument, NULL, 'V' };
	longs[n++] = (struct option){ "help-man", no_argument, NULL, HELP_MAN };
	longs[n++] = (struct option){ "help-completion", no_argument, NULL, HELP_COMPLETION };

	opterr = 0;
	optind = 0;	/* glibc: begin anew, also for a second command line */
	while ((code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct opt *opt = NULL;

		switch (code) {
		case 'h':
		case HELP_LONG:
			opts_help(spec);
			return 0;
		case 'V':
			return show_version(spec, argc, argv);
		case HELP_MAN:
			opts_help_man(spec);
			return 0;
		case HELP_COMPLETION:
			opts_help_completion(spec);
			return 0;
		case 'v':
			/* of a tool that has no -v of its own: is --version still to come? */
			for (opt = spec->opts; opt->type != OPT_END && opt->short_name != 'v'; opt++)
				;
			if (opt->type != OPT_END)
				break;
			for (int i = 1; i < argc; i++)
				if (!strcmp(argv[i], "--version") || !strcmp(argv[i], "-V"))
					return show_version(spec, argc, argv);
			return opts_usage_error(spec, "-v goes with --version");
		case '?':
		case ':':
			return bad_option(spec, argv, code);
		}
		if (code >= LONG_BASE)
			opt = &spec->opts[code - LONG_BASE];
		else
			for (opt = spec->opts; opt->short_name != code; opt++)
				;
		if (parse_one(opt, optarg))
			return 2;
	}
	*first = optind;
	return OPTS_GO_ON;
}
