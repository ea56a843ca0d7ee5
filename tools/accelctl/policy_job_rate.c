// SPDX-License-Identifier: GPL-2.0-only
/* job-rate: its settings and its books. */
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"
#include "policies/job_rate.h"
#include "table.h"

#define NS_PER_S	1000000000ULL
#define RATE_MAX	1000000

/* An engine asks again every 10 ms for a job that waits: less than that is lost by burst=1. */
static uint64_t burst_for(uint64_t rate)
{
	return rate >= 20 ? rate / 10 : 1;
}

/* A rate may have one of these at its end; it is shown with the first that is long enough. */
static const struct {
	const char *suffix;
	uint64_t ns;
} units[] = {
	{ "", NS_PER_S }, { "/s", NS_PER_S }, { "/min", 60 * NS_PER_S }, { "/h", 3600 * NS_PER_S },
};

#define UNITS	(sizeof(units) / sizeof(units[0]))

/* "N", "N/s", "N/min", "N/h" or "max" */
static int parse_rate(char *text, struct job_rate_limit *limit, struct policy_why *why)
{
	char *slash = strchr(text, '/');
	uint64_t rate;
	size_t unit = 0;

	*limit = (struct job_rate_limit){ .burst = 1 };
	if (!strcmp(text, "max"))
		return 0;
	while (slash && unit < UNITS && strcmp(slash, units[unit].suffix))
		unit++;
	if (slash)
		*slash = '\0';
	if (unit == UNITS || policy_number(text, 1, RATE_MAX, &rate, &(struct policy_why){ { 0 } })) {
		if (slash)
			*slash = '/';
		return policy_bad(why, "\"%s\" is no number of jobs a second from 1 to %d, "
				  "or a minute (10/min) or an hour (10/h), nor max", text, RATE_MAX);
	}
	limit->interval_ns = units[unit].ns / rate;
	limit->burst = burst_for(NS_PER_S / limit->interval_ns);
	return 0;
}

/* "RATE[,BURST]" */
static int parse_limit(const char *value, struct job_rate_limit *limit, struct policy_why *why)
{
	char copy[64], *burst;
	uint64_t count;

	if (strlen(value) >= sizeof(copy))
		return policy_bad(why, "a limit has at most %zu characters", sizeof(copy) - 1);
	snprintf(copy, sizeof(copy), "%s", value);
	burst = strchr(copy, ',');
	if (burst)
		*burst++ = '\0';
	if (parse_rate(copy, limit, why))
		return -1;
	if (!burst)
		return 0;
	if (policy_number(burst, 1, RATE_MAX, &count, why))
		return -1;
	limit->burst = count;
	return 0;
}

static int set_rate(struct policy_maps *maps, const char *key, const char *value,
		    struct policy_why *why)
{
	struct job_rate_settings *settings;
	struct job_rate_limit limit;

	(void)key;
	if (parse_limit(value, &limit, why))
		return -1;
	if (!maps)
		return 0;
	settings = policy_settings_data(maps, why);
	if (!settings)
		return -1;
	__atomic_store_n(&settings->def.burst, limit.burst, __ATOMIC_SEQ_CST);
	__atomic_store_n(&settings->def.interval_ns, limit.interval_ns, __ATOMIC_SEQ_CST);
	return 0;
}

static int set_burst(struct policy_maps *maps, const char *key, const char *value,
		     struct policy_why *why)
{
	struct job_rate_settings *settings;
	uint64_t burst;

	(void)key;
	if (policy_number(value, 1, RATE_MAX, &burst, why))
		return -1;
	if (!maps)
		return 0;
	settings = policy_settings_data(maps, why);
	if (!settings)
		return -1;
	__atomic_store_n(&settings->def.burst, burst, __ATOMIC_SEQ_CST);
	return 0;
}

static int set_mode(struct policy_maps *maps, const char *key, const char *value,
		    struct policy_why *why)
{
	bool hold = !strcmp(value, "hold");
	struct job_rate_settings *settings;

	(void)key;
	if (!hold && strcmp(value, "refuse"))
		return policy_bad(why, "\"%s\" is neither refuse nor hold", value);
	if (!maps)
		return 0;
	settings = policy_settings_data(maps, why);
	if (!settings)
		return -1;
	__atomic_store_n(&settings->hold, hold, __ATOMIC_SEQ_CST);
	return 0;
}

static int set_level(struct policy_maps *maps, const char *key, const char *value,
		     struct policy_why *why)
{
	(void)key;
	return policy_set_u32(maps, offsetof(struct job_rate_settings, level), 1, 100, value, why);
}

static int set_cgroup(struct policy_maps *maps, const char *path, const char *value,
		      struct policy_why *why)
{
	bool remove = !strcmp(value, "default");
	struct job_rate_limit limit;
	uint64_t id;

	if ((!remove && parse_limit(value, &limit, why)) ||
	    (remove ? policy_cgroup_was(maps, path, &id, why) : policy_cgroup(path, &id, why)))
		return -1;
	if (!maps)
		return 0;
	return policy_set_own(maps, "limits", id, remove ? NULL : &limit, why);
}

static const struct policy_key keys[] = {
	{ "rate", "JOBS[/s|/min|/h][,BURST] | max", "a second, of each cgroup of the level", false,
	  set_rate },
	{ "burst", "JOBS", "so many at once (a tenth of the rate)", false, set_burst },
	{ "mode", "refuse | hold", "what is too much fails with EAGAIN, or waits in the queue (refuse)",
	  false, set_mode },
	{ "level", "1..100", "depth of the cgroups that are tenants (1)", true, set_level },
	{ "/", "/CGROUP=JOBS[/s|/min|/h][,BURST] | max | default", "of this cgroup", false, set_cgroup },
	{ 0 },
};

/* The core starts what waits for longer: no more are to wait than go until then. */
static void take_hold_ms(struct job_rate_settings *settings)
{
	FILE *f = fopen("/sys/module/accelerator/parameters/policy_hold_ms", "r");
	uint32_t ms = JOB_RATE_HOLD_MS;

	if (f) {
		if (fscanf(f, "%" SCNu32, &ms) != 1)
			ms = JOB_RATE_HOLD_MS;
		fclose(f);
	}
	__atomic_store_n(&settings->hold_ms, ms ? ms : 1, __ATOMIC_SEQ_CST);
}

static void begin(struct policy_maps *maps)
{
	struct job_rate_settings *settings = policy_data(maps, "settings");

	if (settings) {
		settings->level = 1;
		settings->def.burst = 1;
		take_hold_ms(settings);
	}
}

static const char *rate_text(const struct job_rate_limit *limit, char *text, size_t size)
{
	uint64_t interval = limit->interval_ns;
	size_t unit = 0;

	if (!interval)
		return "max";
	while (unit + 1 < UNITS && interval > units[unit].ns)
		unit++;
	snprintf(text, size, "%llu%s,%llu",
		 (unsigned long long)((units[unit].ns + interval / 2) / interval), units[unit].suffix,
		 (unsigned long long)limit->burst);
	return text;
}

static struct job_rate_limit limit_of(struct policy_maps *maps, uint64_t id)
{
	struct job_rate_settings *settings = policy_data(maps, "settings");
	int fd = policy_map(maps, "limits");
	struct job_rate_limit limit;

	if (fd >= 0 && !bpf_map_lookup_elem(fd, &id, &limit))
		return limit;
	return settings->def;
}

/* All that have submitted jobs, then those that only have a limit. @own: of these; 0 at first. */
static bool next_cgroup(struct policy_maps *maps, uint64_t *id, bool *begun, bool *own,
			struct job_rate_bucket *bucket)
{
	int buckets = policy_map(maps, "buckets"), limits = policy_map(maps, "limits");

	while (!*own) {
		if (bpf_map_get_next_key(buckets, *begun ? id : NULL, id)) {
			*own = true;
			*begun = false;
			break;
		}
		*begun = true;
		if (!bpf_map_lookup_elem(buckets, id, bucket))
			return true;
	}
	while (!bpf_map_get_next_key(limits, *begun ? id : NULL, id)) {
		*begun = true;
		if (bpf_map_lookup_elem(buckets, id, bucket)) {
			*bucket = (struct job_rate_bucket){ 0 };
			return true;
		}
	}
	return false;
}

static void print(struct policy_maps *maps, const struct settings *set)
{
	static const struct table_column columns[] = {
		{ "CGROUP", 0 }, { "RATE,BURST", TABLE_RIGHT }, { "JOBS", TABLE_RIGHT },
		{ "REFUSED", TABLE_RIGHT }, { NULL, 0 }
	};
	struct job_rate_settings *settings = policy_data(maps, "settings");
	bool begun = false, own = false;
	struct job_rate_bucket bucket;
	struct job_rate_limit limit;
	char path[256], text[64];
	struct table t;
	uint64_t id;

	(void)set;
	if (!settings)
		return;
	printf("rate=%s mode=%s level=%u\n", rate_text(&settings->def, text, sizeof(text)),
	       settings->hold ? "hold" : "refuse", settings->level);
	if (table_begin(&t, columns))
		return;
	while (next_cgroup(maps, &id, &begun, &own, &bucket)) {
		limit = limit_of(maps, id);
		table_row(&t);
		table_cell(&t, policy_path_text(maps, id, path, sizeof(path)));
		table_cell(&t, rate_text(&limit, text, sizeof(text)));
		table_cellf(&t, "%llu", (unsigned long long)bucket.taken);
		table_cellf(&t, "%llu", (unsigned long long)bucket.refused);
	}
	table_end(&t, stdout);
}

static void json_limit(struct json *j, const struct job_rate_limit *limit)
{
	/* a second, rounded: the interval is exact */
	if (limit->interval_ns)
		json_u64(j, "rate", (NS_PER_S + limit->interval_ns / 2) / limit->interval_ns);
	else
		json_null(j, "rate");
	json_u64(j, "interval_ns", limit->interval_ns);
	json_u64(j, "burst", limit->burst);
}

static void json(struct policy_maps *maps, struct json *j)
{
	struct job_rate_settings *settings = policy_data(maps, "settings");
	bool begun = false, own = false;
	struct job_rate_bucket bucket;
	struct job_rate_limit limit;
	uint64_t id;

	if (!settings)
		return;
	json_limit(j, &settings->def);
	json_str(j, "mode", settings->hold ? "hold" : "refuse");
	json_u64(j, "hold_ms", settings->hold_ms);
	json_u64(j, "level", settings->level);
	json_array(j, "cgroups");
	while (next_cgroup(maps, &id, &begun, &own, &bucket)) {
		limit = limit_of(maps, id);
		json_object(j, NULL);
		policy_path_json(maps, id, j);
		json_limit(j, &limit);
		json_u64(j, "jobs", bucket.taken);
		json_u64(j, "refused", bucket.refused);
		json_u64(j, "waiting", bucket.waiting);
		json_close(j);
	}
	json_close(j);
}

/* Also before something is set. */
static int refresh(struct policy_maps *maps)
{
	struct job_rate_settings *settings = policy_data(maps, "settings");

	if (settings)
		take_hold_ms(settings);
	return policy_refresh_own(maps, "limits");
}

extern const char job_rate_elf[], job_rate_elf_end[];

const struct policy_kind policy_job_rate = {
	.name = "job-rate", .object = "job_rate",
	.elf = job_rate_elf, .elf_end = job_rate_elf_end,
	.summary = "no cgroup submits more than so many jobs a second",
	.keys = keys, .begin = begin, .refresh = refresh, .print = print, .json = json,
};
