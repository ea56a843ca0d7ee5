// SPDX-License-Identifier: GPL-2.0-only
/* fair-share: its weights and its books. */
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "policy.h"
#include "policies/fair_share.h"
#include "table.h"

static int set_weight(struct policy_maps *maps, const char *key, const char *value,
		      struct policy_why *why)
{
	(void)key;
	return policy_set_u32(maps, offsetof(struct fair_share_settings, weight), 1,
			      FAIR_SHARE_WEIGHT_MAX, value, why);
}

static int set_level(struct policy_maps *maps, const char *key, const char *value,
		     struct policy_why *why)
{
	(void)key;
	return policy_set_u32(maps, offsetof(struct fair_share_settings, level), 1, 100, value, why);
}

static int set_cgroup(struct policy_maps *maps, const char *path, const char *value,
		      struct policy_why *why)
{
	bool remove = !strcmp(value, "default");
	uint64_t id, number = 0;
	uint32_t weight;

	if (!remove && policy_number(value, 1, FAIR_SHARE_WEIGHT_MAX, &number, why))
		return -1;
	if (remove ? policy_cgroup_was(maps, path, &id, why) : policy_cgroup(path, &id, why))
		return -1;
	if (!maps)
		return 0;
	weight = number;
	return policy_set_own(maps, "weights", id, remove ? NULL : &weight, why);
}

static const struct policy_key keys[] = {
	{ "weight", "1..10000", "of each cgroup that has none of its own (100)", false, set_weight },
	{ "level", "1..100", "depth of the cgroups that are tenants (1)", true, set_level },
	{ "/", "/CGROUP=1..10000 | default", "weight of this cgroup", false, set_cgroup },
	{ 0 },
};

static void begin(struct policy_maps *maps)
{
	struct fair_share_settings *settings = policy_data(maps, "settings");

	if (settings) {
		settings->weight = FAIR_SHARE_WEIGHT;
		settings->level = 1;
	}
}

typedef void (*flow_fn)(uint64_t engine, const struct fair_share_flow *flow, uint64_t all_ns,
			void *arg);

static void each_flow(struct policy_maps *maps, flow_fn fn, void *arg)
{
	int fd = policy_map(maps, "engines");
	struct fair_share_engine engine;
	uint64_t key, *last = NULL;

	for (; fd >= 0 && !bpf_map_get_next_key(fd, last, &key); last = &key) {
		uint64_t all_ns = 0;

		if (bpf_map_lookup_elem_flags(fd, &key, &engine, BPF_F_LOCK))
			continue;
		for (int i = 0; i < FAIR_SHARE_FLOWS; i++)
			all_ns += engine.flows[i].used ? engine.flows[i].busy_ns : 0;
		for (int i = 0; i < FAIR_SHARE_FLOWS; i++)
			if (engine.flows[i].used)
				fn(key, &engine.flows[i], all_ns, arg);
	}
}

struct flow_table {
	struct policy_maps *maps;
	struct table t;
	bool exact;
};

static void flow_row(uint64_t engine, const struct fair_share_flow *flow, uint64_t all_ns, void *arg)
{
	struct flow_table *table = arg;
	char path[256];

	table_row(&table->t);
	table_cellf(&table->t, "acc%u", (unsigned int)(engine >> 32));
	table_cellf(&table->t, "%u", (unsigned int)engine);
	table_cell(&table->t, policy_path_text(table->maps, flow->tenant, path, sizeof(path)));
	table_cellf(&table->t, "%u", flow->weight);
	table_cell(&table->t, FMT(fmt_percent, fmt_ratio(flow->busy_ns, all_ns)));
	if (table->exact)
		table_cellf(&table->t, "%llu", (unsigned long long)flow->busy_ns);
	else
		table_cell(&table->t, FMT(fmt_ns, flow->busy_ns));
	table_cellf(&table->t, "%llu", (unsigned long long)flow->jobs);
	table_cellf(&table->t, "%llu", (unsigned long long)flow->held);
	table_cellf(&table->t, "%u", flow->waiting);
}

/* The next cgroup that has a weight of its own. */
static bool next_weight(struct policy_maps *maps, uint64_t *id, bool *begun, uint32_t *weight)
{
	int fd = policy_map(maps, "weights");

	while (fd >= 0 && !bpf_map_get_next_key(fd, *begun ? id : NULL, id)) {
		*begun = true;
		if (!bpf_map_lookup_elem(fd, id, weight))
			return true;
	}
	return false;
}

static void print_weights(struct policy_maps *maps)
{
	bool begun = false;
	uint32_t weight;
	char path[256];
	uint64_t id;

	while (next_weight(maps, &id, &begun, &weight))
		printf("%s=%u\n", policy_path_text(maps, id, path, sizeof(path)), weight);
}

static void print(struct policy_maps *maps, const struct settings *set)
{
	static const struct table_column columns[] = {
		{ "DEV", 0 }, { "ENGINE", TABLE_RIGHT }, { "CGROUP", 0 }, { "WEIGHT", TABLE_RIGHT },
		{ "SHARE", TABLE_RIGHT }, { "BUSY", TABLE_RIGHT }, { "JOBS", TABLE_RIGHT },
		{ "HELD", TABLE_RIGHT }, { "WAITING", TABLE_RIGHT }, { NULL, 0 }
	};
	struct fair_share_settings *settings = policy_data(maps, "settings");
	struct flow_table table = { .maps = maps, .exact = set->bytes };

	if (!settings)
		return;
	printf("weight=%u level=%u\n", settings->weight, settings->level);
	if (table_begin(&table.t, columns))
		return;
	each_flow(maps, flow_row, &table);
	table_end(&table.t, stdout);
	print_weights(maps);
}

struct flow_list {
	struct policy_maps *maps;
	struct json *j;
};

static void flow_json(uint64_t engine, const struct fair_share_flow *flow, uint64_t all_ns,
		      void *arg)
{
	const struct flow_list *list = arg;
	struct json *j = list->j;

	(void)all_ns;
	json_object(j, NULL);
	json_u64(j, "device_index", engine >> 32);
	json_u64(j, "engine", (uint32_t)engine);
	policy_path_json(list->maps, flow->tenant, j);
	json_u64(j, "weight", flow->weight);
	json_u64(j, "busy_ns", flow->busy_ns);
	json_u64(j, "jobs", flow->jobs);
	json_u64(j, "held", flow->held);
	json_u64(j, "waiting", flow->waiting);
	json_u64(j, "running", flow->running);
	json_close(j);
}

static void json(struct policy_maps *maps, struct json *j)
{
	struct fair_share_settings *settings = policy_data(maps, "settings");
	struct flow_list list = { maps, j };
	bool begun = false;
	uint32_t weight;
	uint64_t id;

	if (!settings)
		return;
	json_u64(j, "weight", settings->weight);
	json_u64(j, "level", settings->level);
	json_array(j, "tenants");
	each_flow(maps, flow_json, &list);
	json_close(j);
	json_array(j, "weights");
	while (next_weight(maps, &id, &begun, &weight)) {
		json_object(j, NULL);
		policy_path_json(maps, id, j);
		json_u64(j, "weight", weight);
		json_close(j);
	}
	json_close(j);
}

static int refresh(struct policy_maps *maps)
{
	return policy_refresh_own(maps, "weights");
}

extern const char fair_share_elf[], fair_share_elf_end[];

const struct policy_kind policy_fair_share = {
	.name = "fair-share", .object = "fair_share",
	.elf = fair_share_elf, .elf_end = fair_share_elf_end,
	.summary = "each cgroup gets its share of an engine's time",
	.keys = keys, .begin = begin, .refresh = refresh, .print = print, .json = json,
};
