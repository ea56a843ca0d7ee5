// SPDX-License-Identifier: GPL-2.0-only
/* pin-limit: its settings and its books. */
#include <bpf/bpf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fmt.h"
#include "opts.h"
#include "policy.h"
#include "policies/pin_limit.h"
#include "table.h"

static int parse_limit(const char *value, uint64_t *bytes, struct policy_why *why)
{
	if (!strcmp(value, "max")) {
		*bytes = PIN_LIMIT_NONE;
		return 0;
	}
	if (opts_parse_size(value, bytes))
		return policy_bad(why, "\"%s\" is no size such as 4096, 64K, 16M or 1G, nor max", value);
	return 0;
}

/* Limits were changed: each file looks its own up before its next pin. */
static void changed(struct pin_limit_settings *settings)
{
	/* 0 is before the first time */
	if (!__atomic_add_fetch(&settings->generation, 1, __ATOMIC_SEQ_CST))
		__atomic_add_fetch(&settings->generation, 1, __ATOMIC_SEQ_CST);
}

static int set_default(struct policy_maps *maps, const char *key, const char *value,
		       struct policy_why *why)
{
	struct pin_limit_settings *settings;
	uint64_t bytes;

	(void)key;
	if (parse_limit(value, &bytes, why))
		return -1;
	if (!maps)
		return 0;
	settings = policy_settings_data(maps, why);
	if (!settings)
		return -1;
	__atomic_store_n(&settings->def, bytes, __ATOMIC_SEQ_CST);
	changed(settings);
	return 0;
}

static int set_level(struct policy_maps *maps, const char *key, const char *value,
		     struct policy_why *why)
{
	(void)key;
	return policy_set_u32(maps, offsetof(struct pin_limit_settings, level), 1, PIN_LIMIT_LEVELS,
			      value, why);
}

static int set_cgroup(struct policy_maps *maps, const char *path, const char *value,
		      struct policy_why *why)
{
	struct pin_limit_settings *settings;
	bool remove = !strcmp(value, "default");
	uint64_t id, bytes = 0;

	if ((!remove && parse_limit(value, &bytes, why)) ||
	    (remove ? policy_cgroup_was(maps, path, &id, why) : policy_cgroup(path, &id, why)))
		return -1;
	if (!maps)
		return 0;
	settings = policy_settings_data(maps, why);
	if (!settings)
		return -1;
	if (policy_set_own(maps, "limits", id, remove ? NULL : &bytes, why))
		return -1;
	changed(settings);
	return 0;
}

static int refresh(struct policy_maps *maps)
{
	struct pin_limit_settings *settings = policy_data(maps, "settings");
	int again = settings ? policy_refresh_own(maps, "limits") : 0;

	if (again)
		changed(settings);
	return again;
}

static const struct policy_key keys[] = {
	{ "default", "SIZE | max", "what each cgroup of the level may pin, all below it included",
	  false, set_default },
	{ "level", "1..15", "depth of the cgroups for which the default is (1)", true, set_level },
	{ "/", "/CGROUP=SIZE | max | default", "what this cgroup may pin, all below it included",
	  false, set_cgroup },
	{ 0 },
};

static void begin(struct policy_maps *maps)
{
	struct pin_limit_settings *settings = policy_data(maps, "settings");

	if (!settings)
		return;
	settings->def = PIN_LIMIT_NONE;
	settings->level = 1;
	settings->generation = 1;
}

static const char *limit_text(struct fmt_buf *b, uint64_t limit, bool exact)
{
	if (limit == PIN_LIMIT_NONE)
		return "max";
	if (!exact)
		return fmt_bytes(b, limit);
	snprintf(b->text, sizeof(b->text), "%" PRIu64, limit);
	return b->text;
}

/* The limit that holds by now: a cgroup's copy of it may be of before the last change. */
static uint64_t limit_of(struct policy_maps *maps, const struct pin_limit_cgroup *cgroup)
{
	const struct pin_limit_settings *settings = policy_data(maps, "settings");
	int fd = policy_map(maps, "limits");
	uint64_t limit;

	if ((!cgroup->alone || !cgroup->level) && fd >= 0 &&
	    !bpf_map_lookup_elem(fd, &cgroup->id, &limit))
		return limit;
	return cgroup->level == settings->level || cgroup->alone ? settings->def : PIN_LIMIT_NONE;
}

/* Cgroups that have a limit of their own, and no file that counts for them now. */
static bool next_unused(struct policy_maps *maps, uint64_t *id, bool *begun, uint64_t *limit)
{
	const struct pin_limit_cgroup *cgroups = policy_data(maps, "cgroups");
	int fd = policy_map(maps, "limits");

	while (fd >= 0 && !bpf_map_get_next_key(fd, *begun ? id : NULL, id)) {
		bool used = false;

		*begun = true;
		for (int i = 0; i < PIN_LIMIT_CGROUPS; i++)
			used |= cgroups[i].refs && cgroups[i].id == *id;
		if (!used && !bpf_map_lookup_elem(fd, id, limit))
			return true;
	}
	return false;
}

static void print(struct policy_maps *maps, const struct settings *set)
{
	static const struct table_column columns[] = {
		{ "CGROUP", 0 }, { "PINNED", TABLE_RIGHT }, { "LIMIT", TABLE_RIGHT },
		{ "REFUSED", TABLE_RIGHT }, { "FILES", TABLE_RIGHT }, { NULL, 0 }
	};
	const struct pin_limit_settings *settings = policy_data(maps, "settings");
	const struct pin_limit_cgroup *cgroups = policy_data(maps, "cgroups");
	uint64_t id, limit;
	bool begun = false;
	struct fmt_buf b;
	struct table t;
	char path[256];

	if (!settings || !cgroups)
		return;
	printf("default=%s level=%u\n", limit_text(&b, settings->def, set->bytes), settings->level);
	if (table_begin(&t, columns))
		return;
	for (int i = 0; i < PIN_LIMIT_CGROUPS; i++) {
		const struct pin_limit_cgroup *cgroup = &cgroups[i];

		if (!cgroup->refs)
			continue;
		table_row(&t);
		table_cellf(&t, "%s%s", policy_path_text(maps, cgroup->id, path, sizeof(path)),
			    cgroup->alone ? " (alone)" : "");
		table_cell(&t, limit_text(&b, cgroup->bytes, set->bytes));
		table_cell(&t, limit_text(&b, limit_of(maps, cgroup), set->bytes));
		table_cellf(&t, "%llu", (unsigned long long)cgroup->refused);
		table_cellf(&t, "%u", cgroup->refs);
	}
	while (next_unused(maps, &id, &begun, &limit)) {
		table_row(&t);
		table_cell(&t, policy_path_text(maps, id, path, sizeof(path)));
		table_cell(&t, limit_text(&b, 0, set->bytes));
		table_cell(&t, limit_text(&b, limit, set->bytes));
		table_cell(&t, "0");
		table_cell(&t, "0");
	}
	table_end(&t, stdout);
}

static void json(struct policy_maps *maps, struct json *j)
{
	const struct pin_limit_settings *settings = policy_data(maps, "settings");
	const struct pin_limit_cgroup *cgroups = policy_data(maps, "cgroups");
	uint64_t id, limit;
	bool begun = false;

	if (!settings || !cgroups)
		return;
	/* max is null */
	json_u64_or_null(j, "default", settings->def);
	json_u64(j, "level", settings->level);
	json_array(j, "cgroups");
	for (int i = 0; i < PIN_LIMIT_CGROUPS; i++) {
		const struct pin_limit_cgroup *cgroup = &cgroups[i];

		if (!cgroup->refs)
			continue;
		json_object(j, NULL);
		policy_path_json(maps, cgroup->id, j);
		json_bool(j, "alone", cgroup->alone);
		json_u64(j, "pinned_bytes", cgroup->bytes);
		json_u64_or_null(j, "limit", limit_of(maps, cgroup));
		json_u64(j, "refused", cgroup->refused);
		json_u64(j, "files", cgroup->refs);
		json_close(j);
	}
	while (next_unused(maps, &id, &begun, &limit)) {
		json_object(j, NULL);
		policy_path_json(maps, id, j);
		json_bool(j, "alone", false);
		json_u64(j, "pinned_bytes", 0);
		json_u64_or_null(j, "limit", limit);
		json_u64(j, "refused", 0);
		json_u64(j, "files", 0);
		json_close(j);
	}
	json_close(j);
}

extern const char pin_limit_elf[], pin_limit_elf_end[];

const struct policy_kind policy_pin_limit = {
	.name = "pin-limit", .object = "pin_limit",
	.elf = pin_limit_elf, .elf_end = pin_limit_elf_end,
	.summary = "no cgroup pins more than so many bytes",
	.keys = keys, .begin = begin, .refresh = refresh, .print = print, .json = json,
};
