// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is printed. With --json one object a line: "ready" when all contexts are
 * open, "interval" every --interval, "final" at the end:
 *
 *	{"kind", "from_ns", "to_ns" (CLOCK_MONOTONIC), "jobs", "errors", "wrong",
 *	 "trouble", "bytes",
 *	 "devices": [{"device", "driver", "contexts", "pinned_bytes",
 *		"pinned_bytes_peak", "busy_ns" (sum of run times), "wait_ns",
 *		"jobs", "errors", "wrong", "bytes",
 *		"ops": {"copy": {"jobs", "errors", "wrong", "bytes"}, …},
 *		"latency": {"turnaround"|"queue"|"run": LATENCY},
 *		"ioctls": {"mem_pin": {"calls", "errors", LATENCY…}, …}}],
 *	 "tenants": [{"tenant", "cgroup", "contexts", "jobs", … }],
 *	 "contexts": [{"id", "pid", "tenant", "device", "pinned_bytes", "jobs", … }]}
 *
 * LATENCY is "count", "mean_ns", "p50_ns", "p90_ns", "p99_ns", "max_ns". In an
 * "interval" everything but pinned bytes is what happened since the one before;
 * "final" is the sum. tenants and contexts are in "final" only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "load.h"

/* One reading of a device, or the difference of two. */
struct reading {
	uint64_t jobs[OP_NR], errors[OP_NR], wrong[OP_NR], bytes[OP_NR];
	uint64_t calls[LAT_NR], failed[LAT_NR];
	uint64_t queue_ns, run_ns;
	int contexts;
};

struct sums {
	uint64_t jobs, errors, wrong, bytes;
};

struct report {
	const struct config *cfg;
	struct shared *shared;
	bool json;
	struct json j;
	uint64_t before_ns;
	struct reading before[LOAD_MAX_DEVICES];
	struct latency_counts *latency_before[LOAD_MAX_DEVICES];
	struct latency_counts *now;	/* LAT_NR, of the device in hand */
};

struct report *report_new(const struct config *cfg, struct shared *shared, bool json)
{
	struct report *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->cfg = cfg;
	r->shared = shared;
	r->json = json;
	r->now = calloc(LAT_NR, sizeof(*r->now));
	json_begin(&r->j, stdout, JSON_LINES);
	return r->now ? r : NULL;
}

void report_free(struct report *r)
{
	for (int d = 0; d < LOAD_MAX_DEVICES; d++)
		free(r->latency_before[d]);
	free(r->now);
	free(r);
}

static void add(struct reading *sum, struct context_stats *stats)
{
	for (int op = 0; op < OP_NR; op++) {
		sum->jobs[op] += counted(&stats->jobs[op]);
		sum->errors[op] += counted(&stats->errors[op]);
		sum->wrong[op] += counted(&stats->wrong[op]);
		sum->bytes[op] += counted(&stats->bytes[op]);
	}
	for (int kind = 0; kind < LAT_NR; kind++) {
		sum->calls[kind] += counted(&stats->calls[kind]);
		sum->failed[kind] += counted(&stats->failed[kind]);
	}
	sum->queue_ns += counted(&stats->queue_ns);
	sum->run_ns += counted(&stats->run_ns);
	sum->contexts++;
}

static struct sums total(const struct reading *reading)
{
	struct sums sums = { 0 };

	for (int op = 0; op < OP_NR; op++) {
		sums.jobs += reading->jobs[op];
		sums.errors += reading->errors[op];
		sums.wrong += reading->wrong[op];
		sums.bytes += reading->bytes[op];
	}
	return sums;
}

/* Sum of the contexts of a device, of a tenant, or (-1, -1) of all. */
static void read_contexts(struct report *r, int device, int tenant, struct reading *reading)
{
	memset(reading, 0, sizeof(*reading));
	for (int i = 0; i < r->shared->num_contexts; i++) {
		struct context_stats *stats = &r->shared->contexts[i];

		if ((device < 0 || stats->device == device) &&
		    (tenant < 0 || stats->tenant == tenant))
			add(reading, stats);
	}
}

static void subtract(struct reading *now, struct reading *before)
{
	struct reading new = *now;

	for (int op = 0; op < OP_NR; op++) {
		now->jobs[op] -= before->jobs[op];
		now->errors[op] -= before->errors[op];
		now->wrong[op] -= before->wrong[op];
		now->bytes[op] -= before->bytes[op];
	}
	for (int kind = 0; kind < LAT_NR; kind++) {
		now->calls[kind] -= before->calls[kind];
		now->failed[kind] -= before->failed[kind];
	}
	now->queue_ns -= before->queue_ns;
	now->run_ns -= before->run_ns;
	*before = new;
}

static void json_sums(struct json *j, struct sums sums)
{
	json_u64(j, "jobs", sums.jobs);
	json_u64(j, "errors", sums.errors);
	json_u64(j, "wrong", sums.wrong);
	json_u64(j, "bytes", sums.bytes);
}

static void json_latency(struct json *j, const struct latency_counts *counts)
{
	json_u64(j, "count", counts->count);
	json_u64_or_null(j, "mean_ns", counts->count ? counts->sum / counts->count : UINT64_MAX);
	json_u64_or_null(j, "p50_ns", latency_percentile(counts, 50));
	json_u64_or_null(j, "p90_ns", latency_percentile(counts, 90));
	json_u64_or_null(j, "p99_ns", latency_percentile(counts, 99));
	json_u64_or_null(j, "max_ns", counts->count ? counts->max : UINT64_MAX);
}

static void json_device(struct report *r, int d, const struct reading *reading)
{
	struct device_stats *device = &r->shared->devices[d];
	struct json *j = &r->j;

	json_object(j, NULL);
	json_str(j, "device", r->cfg->devices[d].name);
	json_str(j, "driver", r->cfg->devices[d].driver);
	json_u64(j, "contexts", reading->contexts);
	json_u64(j, "pinned_bytes", counted(&device->pinned));
	json_u64(j, "pinned_bytes_peak", counted(&device->pinned_peak));
	json_u64(j, "busy_ns", reading->run_ns);
	json_u64(j, "wait_ns", reading->queue_ns);
	json_sums(j, total(reading));
	json_object(j, "ops");
	for (int op = 0; op < OP_NR; op++) {
		if (!reading->jobs[op] && !reading->errors[op])
			continue;
		json_object(j, op_names[op]);
		json_sums(j, (struct sums) { reading->jobs[op], reading->errors[op],
					     reading->wrong[op], reading->bytes[op] });
		json_close(j);
	}
	json_close(j);
	json_object(j, "latency");
	for (int kind = 0; kind < LAT_JOBS; kind++) {
		json_object(j, lat_names[kind]);
		json_latency(j, &r->now[kind]);
		json_close(j);
	}
	json_close(j);
	json_object(j, "ioctls");
	for (int kind = LAT_JOBS; kind < LAT_NR; kind++) {
		if (!reading->calls[kind])
			continue;
		json_object(j, lat_names[kind]);
		json_u64(j, "calls", reading->calls[kind]);
		json_u64(j, "errors", reading->failed[kind]);
		json_latency(j, &r->now[kind]);
		json_close(j);
	}
	json_close(j);
	json_close(j);
}

static void json_tenants(struct report *r)
{
	struct reading reading;
	struct json *j = &r->j;

	json_array(j, "tenants");
	for (int t = 0; t < r->cfg->num_tenants; t++) {
		const struct tenant *tenant = &r->cfg->tenants[t];

		read_contexts(r, -1, t, &reading);
		json_object(j, NULL);
		json_str(j, "tenant", tenant->name);
		json_str(j, "cgroup", tenant->cgroup[0] ? tenant->cgroup : NULL);
		json_u64(j, "contexts", reading.contexts);
		json_sums(j, total(&reading));
		json_close(j);
	}
	json_close(j);
}

static void json_contexts(struct report *r)
{
	struct json *j = &r->j;

	json_array(j, "contexts");
	for (int i = 0; i < r->shared->num_contexts; i++) {
		struct context_stats *stats = &r->shared->contexts[i];
		struct reading reading = { 0 };

		add(&reading, stats);
		json_object(j, NULL);
		json_u64(j, "id", counted(&stats->id));
		json_u64(j, "pid", stats->pid);
		json_str(j, "tenant", r->cfg->tenants[stats->tenant].name);
		json_str(j, "device", r->cfg->devices[stats->device].name);
		json_u64(j, "pinned_bytes", counted(&stats->pinned));
		json_u64(j, "busy_ns", reading.run_ns);
		json_u64(j, "wait_ns", reading.queue_ns);
		json_sums(j, total(&reading));
		json_close(j);
	}
	json_close(j);
}

/* A duration for people: three digits. */
static const char *pretty(uint64_t ns, char *text, size_t size)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	double value = ns;
	int unit = 0;

	if (ns == UINT64_MAX)
		return "-";
	for (; value >= 999.5 && unit < 3; unit++)
		value /= 1000;
	snprintf(text, size, "%.*f%s", value < 9.995 && unit ? 2 : value < 99.95 && unit ? 1 : 0,
		 value, units[unit]);
	return text;
}

static void text_latency(const char *name, uint64_t errors, const struct latency_counts *counts)
{
	char p50[16], p99[16], max[16];

	printf("  %-12s %10llu %8llu %10s %10s %10s\n", name, (unsigned long long)counts->count,
	       (unsigned long long)errors, pretty(latency_percentile(counts, 50), p50, sizeof(p50)),
	       pretty(latency_percentile(counts, 99), p99, sizeof(p99)),
	       pretty(counts->count ? counts->max : UINT64_MAX, max, sizeof(max)));
}

static void text_device(struct report *r, int d, const struct reading *reading)
{
	struct device_stats *device = &r->shared->devices[d];
	struct sums sums = total(reading);

	printf("%s %s: %d contexts, %llu jobs, %llu bytes, %llu errors, %llu wrong; pinned %llu bytes, at most %llu\n",
	       r->cfg->devices[d].name, r->cfg->devices[d].driver, reading->contexts,
	       (unsigned long long)sums.jobs, (unsigned long long)sums.bytes,
	       (unsigned long long)sums.errors, (unsigned long long)sums.wrong,
	       (unsigned long long)counted(&device->pinned),
	       (unsigned long long)counted(&device->pinned_peak));
	printf("  %-12s %10s %8s %8s %14s\n", "job", "jobs", "errors", "wrong", "bytes");
	for (int op = 0; op < OP_NR; op++)
		if (reading->jobs[op] || reading->errors[op])
			printf("  %-12s %10llu %8llu %8llu %14llu\n", op_names[op],
			       (unsigned long long)reading->jobs[op],
			       (unsigned long long)reading->errors[op],
			       (unsigned long long)reading->wrong[op],
			       (unsigned long long)reading->bytes[op]);
	printf("  %-12s %10s %8s %10s %10s %10s\n", "time of", "calls", "errors", "p50", "p99", "max");
	for (int kind = 0; kind < LAT_NR; kind++)
		if (r->now[kind].count)
			text_latency(lat_names[kind], reading->failed[kind], &r->now[kind]);
}

static void read_latencies(struct report *r, int d, bool interval)
{
	struct latency_counts *before = r->latency_before[d];

	/* only where it is wanted: each is half a megabyte */
	if (interval && !before)
		before = r->latency_before[d] = calloc(LAT_NR, sizeof(*before));
	for (int kind = 0; kind < LAT_NR; kind++) {
		latency_read(&r->shared->devices[d].latency[kind], &r->now[kind]);
		if (interval && before)
			latency_diff(&r->now[kind], &before[kind]);
	}
}

static void text_interval(struct report *r, int d, const struct reading *reading, double seconds)
{
	struct sums sums = total(reading);
	char q50[16], q99[16], r50[16], r99[16];

	/* the rest of an interval, after the end */
	if (seconds < 0.01)
		return;
	printf("%-6s %9.0f jobs/s %8.1f MB/s  queue p50 %s p99 %s  run p50 %s p99 %s  errors %llu wrong %llu\n",
	       r->cfg->devices[d].name, sums.jobs / seconds, sums.bytes / seconds / 1e6,
	       pretty(latency_percentile(&r->now[LAT_QUEUE], 50), q50, sizeof(q50)),
	       pretty(latency_percentile(&r->now[LAT_QUEUE], 99), q99, sizeof(q99)),
	       pretty(latency_percentile(&r->now[LAT_RUN], 50), r50, sizeof(r50)),
	       pretty(latency_percentile(&r->now[LAT_RUN], 99), r99, sizeof(r99)),
	       (unsigned long long)sums.errors, (unsigned long long)sums.wrong);
}

static void report(struct report *r, const char *kind, bool interval)
{
	uint64_t now = now_ns(), from = r->before_ns && interval ? r->before_ns : r->shared->start_ns;
	double seconds = (now - from) / 1e9;
	struct reading reading;
	struct json *j = &r->j;

	if (r->json) {
		json_object(j, NULL);
		json_str(j, "kind", kind);
		json_u64(j, "from_ns", from);
		json_u64(j, "to_ns", now);
		read_contexts(r, -1, -1, &reading);
		if (!interval) {
			json_sums(j, total(&reading));
			json_u64(j, "trouble", r->shared->trouble);
		}
		json_array(j, "devices");
	}
	for (int d = 0; d < r->cfg->num_devices; d++) {
		read_contexts(r, d, -1, &reading);
		read_latencies(r, d, interval);
		if (interval)
			subtract(&reading, &r->before[d]);
		if (r->json)
			json_device(r, d, &reading);
		else if (interval)
			text_interval(r, d, &reading, seconds);
		else
			text_device(r, d, &reading);
	}
	r->before_ns = now;
	if (r->json) {
		json_close(j);
		if (!interval) {
			json_tenants(r);
			json_contexts(r);
		}
		json_close(j);
	}
	fflush(stdout);
}

void report_ready(struct report *r)
{
	if (r->json) {
		json_object(&r->j, NULL);
		json_str(&r->j, "kind", "ready");
		json_u64(&r->j, "contexts", r->shared->num_contexts);
		json_close(&r->j);
	} else {
		printf("ready: %d contexts\n", r->shared->num_contexts);
	}
	fflush(stdout);
}

void report_interval(struct report *r)
{
	report(r, "interval", true);
}

bool report_final(struct report *r)
{
	struct reading reading;
	struct sums sums;
	bool good;

	report(r, "final", false);
	read_contexts(r, -1, -1, &reading);
	sums = total(&reading);
	good = !sums.errors && !sums.wrong && !r->shared->trouble;
	if (!r->json)
		printf("%s: %llu jobs, %llu bytes, %llu errors, %llu wrong results, %u contexts in trouble\n",
		       good ? "good" : "BAD", (unsigned long long)sums.jobs,
		       (unsigned long long)sums.bytes, (unsigned long long)sums.errors,
		       (unsigned long long)sums.wrong, r->shared->trouble);
	if (r->json && json_end(&r->j))
		return false;
	fflush(stdout);
	return good;
}
