// SPDX-License-Identifier: GPL-2.0-only
/* accelctl policy: load, unload, set, list, show. */
#include "policy.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "opts.h"
#include "policy_list.h"
#include "proc.h"

const struct policy_kind *const policy_kinds[] = {
	&policy_pin_limit, &policy_ioctl_filter, &policy_job_rate, &policy_fair_share,
	&policy_audit, NULL,
};

const struct policy_kind *policy_kind_by(const char *name)
{
	for (int i = 0; policy_kinds[i]; i++)
		if (!strcmp(policy_kinds[i]->name, name))
			return policy_kinds[i];
	return NULL;
}

const struct policy_kind *policy_kind_by_object(const char *object)
{
	for (int i = 0; policy_kinds[i]; i++)
		if (!strcmp(policy_kinds[i]->object, object))
			return policy_kinds[i];
	return NULL;
}

/* As the kernel has it. Names are names of directories, too, which nobody but we shall leave. */
int policy_name_check(const char *as, const char *name, int code)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
			n = POLICY_NAME;
	if (!n || n >= POLICY_NAME || name[0] == '.')
		return fail(code, "%s%s: a name is 1 to %d letters, digits, '-', '_' or '.', and does not "
			    "begin with '.'", as, name, POLICY_NAME - 1);
	return EXIT_OK;
}

/* Without settings: what was set for cgroups that are gone is set for those of their paths. */
static int set(const char *name, int num, char **settings)
{
	const struct policy_kind *kind = NULL;
	struct policy_maps maps;
	int code, ret;

	code = policy_pins_recover(name);
	if (code)
		return code;
	ret = policy_loaded(name, &maps, &kind);
	if (ret)
		code = ret == -EPERM || ret == -EACCES ?
			fail(EXIT_NO_PERMISSION, "%s: %s: run as root", name, strerror(-ret)) :
			fail(EXIT_FAILED, "accelctl has loaded no policy \"%s\"; accelctl policy lists "
			     "those that are attached", name);
	else if (!kind)
		code = fail(EXIT_FAILED, "%s is none of accelctl's own policies: change its maps with "
			    "bpftool map update pinned %s/…", name, maps.dir);
	else
		code = policy_settings(kind, NULL, num, settings, false);
	if (!ret && kind && !code) {
		if (kind->refresh)
			kind->refresh(&maps);
		code = policy_settings(kind, &maps, num, settings, false);
	}
	policy_maps_close(&maps);
	return code;
}

/* The policies that there are, and their settings. */
static int available(void)
{
	for (int i = 0; policy_kinds[i]; i++) {
		const struct policy_kind *kind = policy_kinds[i];

		printf("%s%s: %s\n", i ? "\n" : "", kind->name, kind->summary);
		for (const struct policy_key *k = kind->keys; k->name; k++)
			printf("  %s%s%s\n      %s%s\n", strcmp(k->name, "/") ? k->name : "",
			       strcmp(k->name, "/") ? "=" : "", k->form, k->help,
			       k->fixed ? "; only when it is loaded" : "");
	}
	puts("\nof each policy:\n  name=NAME\n      what it is called (its own name)\n"
	     "  device=PATTERN\n      devices it is for: acc0, acc[0-3]; or nodes: acc*c (all)\n"
	     "  priority=NUMBER\n      policies are asked in ascending order (0; audit: -1000)\n"
	     "  books=new\n      begin anew, with nothing of the one that it replaces; only when it is "
	     "loaded");
	return EXIT_OK;
}

static int usage(const char *words)
{
	return fail(EXIT_USAGE, "%s; usage: accelctl policy [list] | show NAME | available | "
		    "load NAME|FILE [KEY=VALUE…] | set NAME KEY=VALUE… | refresh NAME | unload NAME", words);
}

int cmd_policy(const struct settings *settings, int argc, char **argv)
{
	static const char *const verbs[] = {
		"list", "show", "available", "load", "set", "refresh", "unload", NULL,
	};
	const char *verb = argc ? argv[0] : "list", *close;
	char words[128];
	int code;

	if (!strcmp(verb, "list"))
		return argc > 1 ? usage("list takes no argument") : policy_show(settings, NULL);
	if (!strcmp(verb, "available"))
		return argc > 1 ? usage("available takes no argument") : available();
	for (int i = 0; verbs[i]; i++) {
		if (strcmp(verb, verbs[i]))
			continue;
		if (argc < 2 || (!strcmp(verb, "set") && argc < 3)) {
			snprintf(words, sizeof(words), "%s what?", verb);
			return usage(words);
		}
		if (argc > 2 && strcmp(verb, "load") && strcmp(verb, "set"))
			return usage("one policy at a time");
		if (strcmp(verb, "load")) {
			code = policy_name_check("", argv[1], EXIT_USAGE);
			if (code)
				return code;
		}
		if (!strcmp(verb, "show"))
			return policy_show(settings, argv[1]);
		code = policy_may_load() ?: lock_pins() ?: pins_check(POLICY_PINS);
		if (code)
			return code;
		if (!strcmp(verb, "load"))
			return policy_load(argv[1], argc - 2, argv + 2);
		if (!strcmp(verb, "set"))
			return set(argv[1], argc - 2, argv + 2);
		if (!strcmp(verb, "refresh"))
			return set(argv[1], 0, NULL);
		return policy_unload(argv[1]);
	}
	close = opts_closest(verb, verbs);
	snprintf(words, sizeof(words), close ? "no verb \"%.30s\"; did you mean %.20s?" :
		 "no verb \"%.30s\"", verb, close);
	return usage(words);
}
