// SPDX-License-Identifier: GPL-2.0-only
/* audit: its records, the oldest first. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fmt.h"
#include "policies/audit.h"
#include "policy.h"
#include "proc.h"
#include "table.h"
#include "text.h"

#define ENTRIES_MAX	(1 << 20)

static int set_entries(struct policy_maps *maps, const char *key, const char *value,
		       struct policy_why *why)
{
	uint64_t entries;

	/* the map was made that long: prepare() */
	(void)maps, (void)key;
	return policy_number(value, 1, ENTRIES_MAX, &entries, why);
}

static const struct policy_key keys[] = {
	{ "entries", "1..1048576", "how many records are kept (1024)", true, set_entries },
	{ 0 },
};

static int prepare(struct bpf_object *obj, int num, char **settings)
{
	struct bpf_map *records = bpf_object__find_map_by_name(obj, "records");
	struct bpf_map *data = bpf_object__find_map_by_name(obj, ".data.state");
	struct policy_why why;
	struct audit_state *state;
	uint64_t entries;
	size_t size;

	for (int i = 0; i < num; i++) {
		if (strncmp(settings[i], "entries=", 8) ||
		    policy_number(settings[i] + 8, 1, ENTRIES_MAX, &entries, &why))
			continue;
		state = data ? bpf_map__initial_value(data, &size) : NULL;
		if (!state || !records || bpf_map__set_max_entries(records, entries))
			return -1;
		state->length = entries;
	}
	return 0;
}

typedef void (*record_fn)(const struct audit_record *record, void *arg);

/* In the order in which they were opened; without what is written meanwhile. */
static void each_record(struct policy_maps *maps, record_fn fn, void *arg)
{
	const struct audit_state *state = policy_data(maps, "state");
	int fd = policy_map(maps, "records");
	struct audit_record record;
	uint64_t last, n;

	if (!state || fd < 0 || !state->length)
		return;
	last = __atomic_load_n(&state->last, __ATOMIC_SEQ_CST);
	for (n = last > state->length ? last - state->length + 1 : 1; n <= last; n++) {
		uint32_t key = n % state->length;

		if (!bpf_map_lookup_elem(fd, &key, &record) && record.number == n)
			fn(&record, arg);
	}
}

/* When it was, from nanoseconds since the machine started. */
static void time_text(uint64_t ns, char *text, size_t size)
{
	struct timespec real, boot;
	int64_t at;
	time_t seconds;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	at = (int64_t)ns + (real.tv_sec - boot.tv_sec) * 1000000000LL + real.tv_nsec - boot.tv_nsec;
	seconds = at / 1000000000;
	localtime_r(&seconds, &tm);
	len = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &tm);
	len += snprintf(text + len, size - len, ".%06d", (int)(at % 1000000000 / 1000));
	strftime(text + len, size - len, "%z", &tm);
}

static void record_row(const struct audit_record *record, void *arg)
{
	struct table *t = arg;
	char text[256];

	table_row(t);
	time_text(record->opened_ns, text, sizeof(text));
	table_cell(t, text);
	table_cellf(t, "acc%u", record->device);
	table_cellf(t, "%llu", (unsigned long long)record->context);
	table_cellf(t, "%u", record->tgid);
	table_cell(t, proc_user(record->uid));
	table_cell(t, TEXT_SAFE(record->comm, 15));
	table_cell(t, policy_path_text(NULL, record->cgroup_id, text, sizeof(text)));
	table_cell(t, record->closed_ns ? FMT(fmt_ns, record->closed_ns - record->opened_ns) : "open");
}

static void print(struct policy_maps *maps, const struct settings *set)
{
	static const struct table_column columns[] = {
		{ "OPENED", 0 }, { "DEV", 0 }, { "CTX", TABLE_RIGHT }, { "PID", TABLE_RIGHT },
		{ "USER", 0 }, { "COMMAND", 0 }, { "CGROUP", 0 }, { "FOR", TABLE_RIGHT }, { NULL, 0 }
	};
	const struct audit_state *state = policy_data(maps, "state");
	struct table t;

	(void)set;
	if (!state)
		return;
	printf("entries=%u\n", state->length);
	if (table_begin(&t, columns))
		return;
	each_record(maps, record_row, &t);
	table_end(&t, stdout);
}

static void record_json(const struct audit_record *record, void *arg)
{
	struct json *j = arg;
	char text[256];

	json_object(j, NULL);
	json_u64(j, "number", record->number);
	time_text(record->opened_ns, text, sizeof(text));
	json_str(j, "opened", text);
	json_u64(j, "opened_ns", record->opened_ns);
	if (record->closed_ns)
		json_u64(j, "closed_ns", record->closed_ns);
	else
		json_null(j, "closed_ns");
	json_u64(j, "device_index", record->device);
	json_u64(j, "node", record->node);
	json_u64(j, "context", record->context);
	json_u64(j, "pid", record->tgid);
	json_u64(j, "uid", record->uid);
	json_strn(j, "command", record->comm, sizeof(record->comm));
	policy_path_json(NULL, record->cgroup_id, j);
	json_close(j);
}

static void json(struct policy_maps *maps, struct json *j)
{
	const struct audit_state *state = policy_data(maps, "state");

	if (!state)
		return;
	json_u64(j, "entries", state->length);
	json_array(j, "records");
	each_record(maps, record_json, j);
	json_close(j);
}

extern const char audit_elf[], audit_elf_end[];

const struct policy_kind policy_audit = {
	.name = "audit", .object = "audit",
	.elf = audit_elf, .elf_end = audit_elf_end,
	.summary = "who opened what: the last ones",
	.keys = keys, .sized = "records", .prepare = prepare, .print = print, .json = json,
};
