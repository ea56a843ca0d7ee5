// SPDX-License-Identifier: GPL-2.0-only
#include "opts_help.h"

#include <stdio.h>
#include <string.h>

#define HELP_COLUMN	29
#define HELP_WIDTH	80

/* @text from column @at on, its further lines indented to @column. */
static void wrap(const char *text, int at, int column)
{
	int x = at;

	if (x > column - 2) {
		putchar('\n');
		x = 0;
	}
	printf("%*s", column - x, "");
	x = column;
	while (*text) {
		int len = strcspn(text, " ");

		if (x > column && x + 1 + len > HELP_WIDTH) {
			printf("\n%*s", column, "");
			x = column;
		} else if (x > column) {
			putchar(' ');
			x++;
		}
		printf("%.*s", len, text);
		x += len;
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void help_line(int short_name, const char *long_name, const char *arg, const char *help)
{
	int x;

	if (short_name && long_name)
		x = printf("  -%c, --%s", short_name, long_name);
	else if (short_name)
		x = printf("  -%c", short_name);
	else
		x = printf("      --%s", long_name);
	if (arg)
		x += printf(long_name ? "=%s" : " %s", arg);
	wrap(help, x, HELP_COLUMN);
}

void opts_help(const struct opts_spec *spec)
{
	for (int i = 0; spec->usage[i]; i++)
		printf("%s %s %s\n", i ? "      " : "Usage:", spec->name, spec->usage[i]);
	printf("\n%s\n", spec->summary);
	if (spec->commands && spec->commands->name) {
		printf("\nCommands:\n");
		for (const struct opt_command *c = spec->commands; c->name; c++)
			wrap(c->help, printf("  %s", c->name), HELP_COLUMN);
	}
	if (spec->opts->type != OPT_GROUP)
		printf("\nOptions:\n");
	for (const struct opt *o = spec->opts; o->type != OPT_END; o++) {
		if (o->type == OPT_GROUP)
			printf("\n%s:\n", o->help);
		else if (!o->hidden)
			help_line(o->short_name, o->long_name, o->arg, o->help);
	}
	printf("\nHelp:\n");
	help_line('h', "help", NULL, "show this and exit");
	help_line('V', "version", NULL,
		  spec->features ? "show the version and exit; with -v, what this kernel has of BPF, too" :
		  "show the version and exit");
	if (spec->epilog)
		printf("\n%s", spec->epilog);
}

/* scdoc: these begin markup. */
static void man_text(const char *text)
{
	for (; *text; text++) {
		if (strchr("\\*_`#", *text))
			putchar('\\');
		putchar(*text);
	}
}

static void man_option(const struct opt *o)
{
	if (o->short_name)
		printf("*-%c*%s", o->short_name, o->long_name ? ", " : "");
	if (o->long_name) {
		printf("*--");
		man_text(o->long_name);
		printf("*");
	}
	if (o->arg)
		printf("%s_%s_", o->long_name ? "=" : " ", o->arg);
	printf("\n\t");
	man_text(o->help);
	printf(".\n\n");
}

void opts_help_man(const struct opts_spec *spec)
{
	static const struct opt help = { .short_name = 'h', .long_name = "help",
					 .help = "Show a summary of options and exit" };
	const struct opt version = { .short_name = 'V', .long_name = "version",
		.help = spec->features ?
			"Show the version and exit; with -v, what this kernel has of BPF, too" :
			"Show the version and exit" };

	if (spec->opts->type != OPT_GROUP)
		printf("# OPTIONS\n\n");
	for (const struct opt *o = spec->opts; o->type != OPT_END; o++) {
		if (o->type == OPT_GROUP) {
			printf("%s## ", o == spec->opts ? "# OPTIONS\n\n" : "");
			man_text(o->help);
			printf("\n\n");
		} else if (!o->hidden) {
			man_option(o);
		}
	}
	printf("## Help\n\n");
	man_option(&help);
	man_option(&version);
}

void opts_help_completion(const struct opts_spec *spec)
{
	char function[64];

	snprintf(function, sizeof(function), "_%s", spec->name);
	for (char *c = function; *c; c++)
		if (*c == '-')
			*c = '_';

	printf("# bash completion for %s; made by %s --help-completion\n", spec->name, spec->name);
	printf("%s()\n{\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n",
	       function);
	/* "--long=x" arrives as three words: "--long", "=", "x". */
	printf("\tif [[ $cur == \"=\" ]]; then cur=; fi\n");
	printf("\tif [[ $prev == \"=\" ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n");
	printf("\tcase $prev in\n");
	for (const struct opt *o = spec->opts; o->type != OPT_END; o++) {
		if (!o->arg || o->hidden)
			continue;
		printf("\t");
		if (o->short_name)
			printf("-%c%s", o->short_name, o->long_name ? "|" : "");
		if (o->long_name)
			printf("--%s", o->long_name);
		printf(")\n\t\t");
		if (o->choices) {
			printf("COMPREPLY=($(compgen -W '");
			for (int i = 0; o->choices[i]; i++)
				printf("%s%s", i ? " " : "", o->choices[i]);
			printf("' -- \"$cur\"))");
		} else if (!strcmp(o->arg, "FILE")) {
			printf("COMPREPLY=($(compgen -f -- \"$cur\"))");
		} else if (!strcmp(o->arg, "USER")) {
			printf("COMPREPLY=($(compgen -u -- \"$cur\"))");
		} else if (!strncmp(o->arg, "DEV", 3)) {
			printf("COMPREPLY=($(compgen -W \"$(ls /sys/class/accelerator 2>/dev/null)\" -- \"$cur\"))");
		} else if (!strncmp(o->arg, "PID", 3)) {
			printf("COMPREPLY=($(compgen -W \"$(cd /proc && echo [0-9]*)\" -- \"$cur\"))");
		} else {
			printf("COMPREPLY=()");
		}
		printf("\n\t\treturn;;\n");
	}
	printf("\tesac\n\tif [[ $cur == -* ]]; then\n\t\tCOMPREPLY=($(compgen -W '");
	for (const struct opt *o = spec->opts; o->type != OPT_END; o++) {
		if (o->type == OPT_GROUP || o->hidden)
			continue;
		if (o->short_name)
			printf("-%c ", o->short_name);
		if (o->long_name)
			printf("--%s ", o->long_name);
	}
	printf("-h --help -V --version' -- \"$cur\"))\n\telse\n\t\t");
	if (spec->commands && spec->commands->name) {
		printf("COMPREPLY=($(compgen -W '");
		for (const struct opt_command *c = spec->commands; c->name; c++)
			printf("%s%s", c == spec->commands ? "" : " ", c->name);
		printf("' -- \"$cur\"))");
	} else {
		printf("COMPREPLY=()");
	}
	printf("\n\tfi\n}\ncomplete -F %s %s\n", function, spec->name);
}
