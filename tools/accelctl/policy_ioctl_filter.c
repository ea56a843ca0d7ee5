// SPDX-License-Identifier: GPL-2.0-only
/* ioctl-filter: its rules. */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"
#include "policies/ioctl_filter.h"
#include "proc.h"
#include "table.h"

static const struct {
	const char *name;
	int error;
} errors[] = {
	{ "EPERM", EPERM }, { "EACCES", EACCES }, { "ENOTTY", ENOTTY }, { "EINVAL", EINVAL },
	{ "EBUSY", EBUSY }, { "EAGAIN", EAGAIN }, { "EOPNOTSUPP", EOPNOTSUPP }, { "ENOSYS", ENOSYS },
};

#define NUM_ERRORS	(sizeof(errors) / sizeof(errors[0]))

static int parse_error(const char *text, uint32_t *error, struct policy_why *why)
{
	for (size_t i = 0; i < NUM_ERRORS; i++)
		if (!strcmp(errors[i].name, text)) {
			*error = errors[i].error;
			return 0;
		}
	return policy_bad(why, "errno=%s: not EPERM, EACCES, ENOTTY, EINVAL, EBUSY, EAGAIN, "
			  "EOPNOTSUPP or ENOSYS", text);
}

static int parse_user(const char *text, uint32_t *uid, struct policy_why *why)
{
	struct passwd *user = getpwnam(text);
	uint64_t number;

	if (user) {
		*uid = user->pw_uid;
		return 0;
	}
	if (policy_number(text, 0, UINT32_MAX - 1, &number, why))
		return policy_bad(why, "user=%s: no such user", text);
	*uid = number;
	return 0;
}

/* Devices are told by their names' numbers: the device may be yet to come. */
static int parse_device(const char *text, uint32_t *device, struct policy_why *why)
{
	uint64_t number;

	/* as the kernel writes it: "acc010" and "acc0x8" are no device's */
	if (!strncmp(text, "acc", 3) && !text[3 + strspn(text + 3, "0123456789")] &&
	    !policy_number(text + 3, 0, 4095, &number, &(struct policy_why){ { 0 } })) {
		*device = number;
		return 0;
	}
	return policy_bad(why, "device=%s: not the name of one device, such as acc0", text);
}

/* A rule to be taken away may name a cgroup that is gone. */
struct parse {
	struct policy_maps *maps;
	bool remove;
	struct ioctl_filter_rule *rule;
	struct policy_why *why;
};

static int parse_cgroup(const char *value, const struct parse *p)
{
	struct ioctl_filter_rule *rule = p->rule;
	uint64_t id;

	rule->flags |= IOCTL_FILTER_CGROUP;
	rule->level = 0;
	if (p->remove ? policy_cgroup_was(p->maps, value, &id, p->why) :
			policy_cgroup(value, &id, p->why))
		return -1;
	rule->cgroup_id = id;
	/* the depth: names in the path, as the kernel has it */
	for (const char *c = proc_cgroup_path(rule->cgroup_id); c && *c; c++)
		rule->level += *c == '/' && c[1] != '\0' && c[1] != '/';
	if (rule->level >= IOCTL_FILTER_LEVELS)
		return policy_bad(p->why, "cgroup=%s: it is %u deep, rules are for %d at most", value,
				  rule->level, IOCTL_FILTER_LEVELS - 1);
	return 0;
}

static int parse_part(char *part, const struct parse *p)
{
	struct ioctl_filter_rule *rule = p->rule;
	struct policy_why *why = p->why;
	char *value = strchr(part, '=');

	if (!value)
		return policy_bad(why, "\"%s\" is not device=, user=, cgroup= or errno=", part);
	*value++ = '\0';
	if (!strcmp(part, "device")) {
		rule->flags |= IOCTL_FILTER_DEVICE;
		return parse_device(value, &rule->device, why);
	}
	if (!strcmp(part, "user")) {
		rule->flags |= IOCTL_FILTER_USER;
		return parse_user(value, &rule->uid, why);
	}
	if (!strcmp(part, "cgroup"))
		return parse_cgroup(value, p);
	if (!strcmp(part, "errno"))
		return parse_error(value, &rule->error, why);
	return policy_bad(why, "\"%s=\" is not device=, user=, cgroup= or errno=", part);
}

/* "NUMBER[,device=acc0][,user=alice][,cgroup=/a][,errno=EPERM]" */
static int parse_rule(const char *text, const struct parse *p)
{
	struct ioctl_filter_rule *rule = p->rule;
	struct policy_why *why = p->why;
	char copy[512], *part, *save;
	uint64_t number;

	/* cut off, it may be another rule: that of an ancestor */
	if (strlen(text) >= sizeof(copy))
		return policy_bad(why, "the rule has %zu bytes, and may have %zu at most",
				  strlen(text), sizeof(copy) - 1);
	memset(rule, 0, sizeof(*rule));
	rule->error = EPERM;
	snprintf(copy, sizeof(copy), "%s", text);
	part = strtok_r(copy, ",", &save);
	if (policy_number(part ? part : "", 0, 255, &number, why))
		return -1;
	rule->number = number;
	while ((part = strtok_r(NULL, ",", &save)))
		if (parse_part(part, p))
			return -1;
	return 0;
}

static bool same(const struct ioctl_filter_rule *a, const struct ioctl_filter_rule *b)
{
	return ((a->flags ^ b->flags) & ~IOCTL_FILTER_USED) == 0 && a->number == b->number &&
	       a->device == b->device && a->uid == b->uid && a->cgroup_id == b->cgroup_id;
}

static struct ioctl_filter_rule *rules_of(struct policy_maps *maps)
{
	return policy_data(maps, "rules");
}

/* The bits of the numbers that have a rule. Before a rule begins to hold, after it has ended. */
static void set_numbers(struct policy_maps *maps, const struct ioctl_filter_rule *more)
{
	struct ioctl_filter_numbers *numbers = policy_data(maps, "numbers");
	struct ioctl_filter_rule *rules = rules_of(maps);
	struct ioctl_filter_numbers now = { { 0 } };

	for (int i = 0; i < IOCTL_FILTER_RULES; i++)
		if (rules[i].flags & IOCTL_FILTER_USED)
			now.bits[rules[i].number / 64] |= 1ULL << rules[i].number % 64;
	if (more)
		now.bits[more->number / 64] |= 1ULL << more->number % 64;
	for (int i = 0; numbers && i < 4; i++)
		__atomic_store_n(&numbers->bits[i], now.bits[i], __ATOMIC_SEQ_CST);
}

static int set_deny(struct policy_maps *maps, const char *key, const char *value,
		    struct policy_why *why)
{
	struct ioctl_filter_rule rule, *rules, *place = NULL;

	(void)key;
	if (parse_rule(value, &(struct parse){ maps, false, &rule, why }))
		return -1;
	if (!maps)
		return 0;
	rules = rules_of(maps);
	for (int i = IOCTL_FILTER_RULES; rules && i--;) {
		if (!(rules[i].flags & IOCTL_FILTER_USED))
			place = &rules[i];
		else if (same(&rules[i], &rule)) {
			__atomic_store_n(&rules[i].error, rule.error, __ATOMIC_SEQ_CST);
			return 0;
		}
	}
	if (!place)
		return policy_bad(why, "there are %d rules already; allow= takes one away",
				  IOCTL_FILTER_RULES);
	if (rule.flags & IOCTL_FILTER_CGROUP)
		policy_remember(maps, rule.cgroup_id);
	*place = rule;
	set_numbers(maps, &rule);
	__atomic_store_n(&place->flags, rule.flags | IOCTL_FILTER_USED, __ATOMIC_SEQ_CST);
	return 0;
}

/* Paths of which no rule is left. */
static void forget(struct policy_maps *maps, uint64_t id)
{
	const struct ioctl_filter_rule *rules = rules_of(maps);

	for (int i = 0; rules && i < IOCTL_FILTER_RULES; i++)
		if (rules[i].flags & IOCTL_FILTER_USED && rules[i].flags & IOCTL_FILTER_CGROUP &&
		    rules[i].cgroup_id == id)
			return;
	policy_forget(maps, id);
}

static int set_allow(struct policy_maps *maps, const char *key, const char *value,
		     struct policy_why *why)
{
	bool all = !strcmp(value, "all"), found = all;
	struct ioctl_filter_rule rule = { 0 }, *rules;

	(void)key;
	if (!all && parse_rule(value, &(struct parse){ maps, true, &rule, why }))
		return -1;
	if (!maps)
		return 0;
	rules = rules_of(maps);
	for (int i = 0; rules && i < IOCTL_FILTER_RULES; i++)
		if (rules[i].flags & IOCTL_FILTER_USED && (all || same(&rules[i], &rule))) {
			bool of_cgroup = rules[i].flags & IOCTL_FILTER_CGROUP;

			__atomic_store_n(&rules[i].flags, 0, __ATOMIC_SEQ_CST);
			if (of_cgroup)
				forget(maps, rules[i].cgroup_id);
			found = true;
		}
	set_numbers(maps, NULL);
	return found ? 0 : policy_bad(why, "no rule is exactly that; accelctl policy show lists them");
}

static int refresh(struct policy_maps *maps)
{
	struct ioctl_filter_rule *rules = rules_of(maps);
	uint64_t now, was;
	int again = 0;

	for (int i = 0; rules && i < IOCTL_FILTER_RULES; i++) {
		if (!(rules[i].flags & IOCTL_FILTER_USED) || !(rules[i].flags & IOCTL_FILTER_CGROUP))
			continue;
		was = rules[i].cgroup_id;
		now = policy_cgroup_again(maps, was);
		if (!now)
			continue;
		/* of the same depth: it is the same path */
		__atomic_store_n(&rules[i].cgroup_id, now, __ATOMIC_SEQ_CST);
		policy_remember(maps, now);
		forget(maps, was);
		again++;
	}
	return again;
}

static const struct policy_key keys[] = {
	{ "deny", "NUMBER[,device=DEV][,user=USER][,cgroup=/CGROUP][,errno=E]",
	  "refuse this command to whoever is all of these (errno: EPERM)", false, set_deny },
	{ "allow", "RULE | all", "take that rule away again", false, set_allow },
	{ 0 },
};

static void rule_text(struct policy_maps *maps, const struct ioctl_filter_rule *rule, char *text,
		      size_t size)
{
	char path[256];
	size_t n = snprintf(text, size, "%u", rule->number);

	if (rule->flags & IOCTL_FILTER_DEVICE)
		n += snprintf(text + n, size - n, ",device=acc%u", rule->device);
	if (rule->flags & IOCTL_FILTER_USER)
		n += snprintf(text + n, size - n, ",user=%.60s", proc_user(rule->uid));
	if (rule->flags & IOCTL_FILTER_CGROUP)
		n += snprintf(text + n, size - n, ",cgroup=%s",
			      (policy_path(maps, rule->cgroup_id, path, sizeof(path)), path));
	for (size_t i = 0; i < NUM_ERRORS; i++)
		if (errors[i].error == (int)rule->error && rule->error != EPERM)
			snprintf(text + n, size - n, ",errno=%s", errors[i].name);
}

/* Its cgroup is: it is about nobody. */
static bool is_gone(const struct ioctl_filter_rule *rule)
{
	return rule->flags & IOCTL_FILTER_CGROUP && !proc_cgroup_path(rule->cgroup_id);
}

static void print(struct policy_maps *maps, const struct settings *set)
{
	static const struct table_column columns[] = {
		{ "DENY", 0 }, { "REFUSED", TABLE_RIGHT }, { NULL, 0 }
	};
	struct ioctl_filter_rule *rules = rules_of(maps);
	char text[512];
	struct table t;

	(void)set;
	if (!rules || table_begin(&t, columns))
		return;
	for (int i = 0; i < IOCTL_FILTER_RULES; i++) {
		if (!(rules[i].flags & IOCTL_FILTER_USED))
			continue;
		rule_text(maps, &rules[i], text, sizeof(text));
		table_row(&t);
		table_cellf(&t, "%s%s", text, is_gone(&rules[i]) ? " (gone)" : "");
		table_cellf(&t, "%llu", (unsigned long long)rules[i].hits);
	}
	table_end(&t, stdout);
}

static void json(struct policy_maps *maps, struct json *j)
{
	struct ioctl_filter_rule *rules = rules_of(maps);
	char text[512];

	if (!rules)
		return;
	json_array(j, "rules");
	for (int i = 0; i < IOCTL_FILTER_RULES; i++) {
		if (!(rules[i].flags & IOCTL_FILTER_USED))
			continue;
		rule_text(maps, &rules[i], text, sizeof(text));
		json_object(j, NULL);
		json_str(j, "deny", text);
		json_bool(j, "gone", is_gone(&rules[i]));
		json_u64(j, "refused", rules[i].hits);
		json_close(j);
	}
	json_close(j);
}

extern const char ioctl_filter_elf[], ioctl_filter_elf_end[];

const struct policy_kind policy_ioctl_filter = {
	.name = "ioctl-filter", .object = "ioctl_filter",
	.elf = ioctl_filter_elf, .elf_end = ioctl_filter_elf_end,
	.summary = "refuse commands by device, user or cgroup",
	.keys = keys, .refresh = refresh, .print = print, .json = json,
};
