// SPDX-License-Identifier: GPL-2.0-only
#include "summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "events.h"
#include "fmt.h"
#include "hist.h"
#include "json.h"
#include "table.h"
#include "text.h"

struct row {
	struct accel_agg_key key;
	struct accel_agg agg;
};

static int sort_key;

static uint64_t sort_value(const struct row *r)
{
	uint64_t v;

	switch (sort_key) {
	case SORT_CALLS:
		return r->agg.calls;
	case SORT_ERRORS:
		return r->agg.errors;
	case SORT_AVG:
		v = hist_mean(&r->agg.hist);
		break;
	case SORT_P99:
		v = hist_percentile(&r->agg.hist, 99);
		break;
	case SORT_MAX:
		return r->agg.hist.max;
	case SORT_NAME:
		return 0;
	default:
		return r->agg.hist.sum;
	}
	return v == HIST_NONE ? 0 : v;
}

static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	uint64_t vx = sort_value(x), vy = sort_value(y);

	if (vx != vy)
		return vx > vy ? -1 : 1;
	if (x->key.type != y->key.type)
		return x->key.type < y->key.type ? -1 : 1;
	return memcmp(&x->key, &y->key, sizeof(x->key));
}

/* All rows; nothing changes them any more. */
static int read_rows(struct session *s, struct row **rows, size_t *count)
{
	struct accel_agg_key key, *previous = NULL;
	int fd = session_rows_fd(s);
	size_t room = 0;

	*rows = NULL;
	*count = 0;
	while (!bpf_map_get_next_key(fd, previous, &key)) {
		if (*count == room) {
			struct row *more;

			room = room ? room * 2 : 64;
			more = realloc(*rows, room * sizeof(**rows));
			if (!more)
				return -ENOMEM;
			*rows = more;
		}
		if (!bpf_map_lookup_elem(fd, &key, &(*rows)[*count].agg)) {
			(*rows)[*count].key = key;
			++*count;
		}
		previous = &key;
	}
	sort_key = s->config->sort;
	qsort(*rows, *count, sizeof(**rows), compare);
	return 0;
}

static bool is_job(const struct row *r)
{
	return r->key.type == ACCEL_EV_JOB_QUEUE || r->key.type == ACCEL_EV_JOB_START ||
	       r->key.type == ACCEL_EV_JOB_DONE;
}

/* "ioctl(mem_pin)", "job_done run", with -c's columns or all in one for hist */
static void row_name(const struct row *r, char *text, size_t size)
{
	const char *means = event_time_means(r->key.type);

	if (r->key.cmd && *r->agg.name)
		snprintf(text, size, "%s(%.24s)", event_name(r->key.type), r->agg.name);
	else if (r->key.cmd)
		snprintf(text, size, "%s(0x%x)", event_name(r->key.type), r->key.cmd);
	else
		snprintf(text, size, "%s%s%s", event_name(r->key.type), *means ? " " : "", means);
}

static void row_keys(const struct row *r, uint32_t by, char *text, size_t size)
{
	size_t at = 0;

	*text = 0;
	if (by & ACCEL_BY_DEVICE)
		at += snprintf(text + at, size - at, " acc%u", r->key.dev);
	if (by & ACCEL_BY_CONTEXT && r->key.ctx)
		at += snprintf(text + at, size - at, "/%llu", r->key.ctx);
	if (by & ACCEL_BY_ENGINE && *r->key.engine)
		at += snprintf(text + at, size - at, " engine=%.16s", r->key.engine);
	if (by & ACCEL_BY_OP && is_job(r))
		at += snprintf(text + at, size - at, " op=%u", r->key.op);
	if (by & ACCEL_BY_PROCESS)
		snprintf(text + at, size - at, " %u %s", r->key.tgid,
			 TEXT_SAFE(r->agg.comm, sizeof(r->agg.comm)));
}

static int print_table(const struct row *rows, size_t count, uint32_t by, FILE *f)
{
	struct table_column columns[16] = {
		{ "EVENT", 0 }, { "CALLS", TABLE_RIGHT }, { "ERRORS", TABLE_RIGHT },
		{ "TOTAL", TABLE_RIGHT }, { "AVG", TABLE_RIGHT }, { "P50", TABLE_RIGHT },
		{ "P99", TABLE_RIGHT }, { "MAX", TABLE_RIGHT },
	};
	size_t n = 8;
	struct table t;

	if (by & ACCEL_BY_DEVICE)
		columns[n++].title = "DEVICE";
	if (by & ACCEL_BY_CONTEXT)
		columns[n++] = (struct table_column){ "CTX", TABLE_RIGHT };
	if (by & ACCEL_BY_ENGINE)
		columns[n++].title = "ENGINE";
	if (by & ACCEL_BY_OP)
		columns[n++] = (struct table_column){ "OP", TABLE_RIGHT };
	if (by & ACCEL_BY_PROCESS) {
		columns[n++] = (struct table_column){ "PID", TABLE_RIGHT };
		columns[n++].title = "COMMAND";
	}
	if (table_begin(&t, columns))
		return -ENOMEM;
	for (const struct row *r = rows; r < rows + count; r++) {
		const struct accel_hist *h = &r->agg.hist;
		bool timed = hist_count(h);
		char name[64];

		row_name(r, name, sizeof(name));
		table_row(&t);
		table_cell(&t, name);
		table_cellf(&t, "%llu", r->agg.calls);
		table_cellf(&t, "%llu", r->agg.errors);
		table_cell(&t, FMT(fmt_ns, timed ? h->sum : FMT_UNKNOWN));
		table_cell(&t, FMT(fmt_ns, hist_mean(h)));
		table_cell(&t, FMT(fmt_ns, hist_percentile(h, 50)));
		table_cell(&t, FMT(fmt_ns, hist_percentile(h, 99)));
		table_cell(&t, FMT(fmt_ns, timed ? h->max : FMT_UNKNOWN));
		if (by & ACCEL_BY_DEVICE)
			table_cellf(&t, "acc%u", r->key.dev);
		if (by & ACCEL_BY_CONTEXT)
			table_cellf(&t, "%llu", r->key.ctx);
		if (by & ACCEL_BY_ENGINE)
			table_cell(&t, is_job(r) ? r->key.engine : "-");
		if (by & ACCEL_BY_OP) {
			if (is_job(r))
				table_cellf(&t, "%u", r->key.op);
			else
				table_cell(&t, "-");
		}
		if (by & ACCEL_BY_PROCESS) {
			table_cellf(&t, "%u", r->key.tgid);
			table_cell(&t, TEXT_SAFE(r->agg.comm, sizeof(r->agg.comm)));
		}
	}
	return table_end(&t, f);
}

static void print_hists(const struct row *rows, size_t count, uint32_t by, FILE *f)
{
	for (const struct row *r = rows; r < rows + count; r++) {
		const struct accel_hist *h = &r->agg.hist;
		char name[64], keys[120];
		uint64_t n = hist_count(h);

		row_name(r, name, sizeof(name));
		row_keys(r, by, keys, sizeof(keys));
		fprintf(f, "%s%s%s\n", r == rows ? "" : "\n", name, keys);
		fprintf(f, "  calls %llu, errors %llu, timed %llu; avg %s  p50 %s  p90 %s  p99 %s  p99.9 %s  max %s\n",
			r->agg.calls, r->agg.errors, (unsigned long long)n,
			FMT(fmt_ns, hist_mean(h)), FMT(fmt_ns, hist_percentile(h, 50)),
			FMT(fmt_ns, hist_percentile(h, 90)), FMT(fmt_ns, hist_percentile(h, 99)),
			FMT(fmt_ns, hist_percentile(h, 99.9)),
			FMT(fmt_ns, n ? h->max : FMT_UNKNOWN));
		hist_print(f, h, 2, 40);
	}
}

static void print_json(const struct row *r, uint32_t by, bool slots, FILE *f)
{
	const struct accel_hist *h = &r->agg.hist;
	bool timed = hist_count(h);
	struct json j;
	char dev[16];

	json_begin(&j, f, JSON_LINES);
	json_object(&j, NULL);
	json_str(&j, "event", event_name(r->key.type));
	if (*event_time_means(r->key.type))
		json_str(&j, "time", event_time_means(r->key.type));
	if (r->key.cmd) {
		json_u64(&j, "cmd", r->key.cmd);
		if (*r->agg.name)
			json_strn(&j, "name", r->agg.name, sizeof(r->agg.name));
	}
	if (by & ACCEL_BY_DEVICE) {
		snprintf(dev, sizeof(dev), "acc%u", r->key.dev);
		json_str(&j, "dev", dev);
	}
	if (by & ACCEL_BY_CONTEXT)
		json_u64(&j, "ctx", r->key.ctx);
	if (by & ACCEL_BY_ENGINE && is_job(r))
		json_strn(&j, "engine", r->key.engine, sizeof(r->key.engine));
	if (by & ACCEL_BY_OP && is_job(r))
		json_u64(&j, "op", r->key.op);
	if (by & ACCEL_BY_PROCESS) {
		json_u64(&j, "tgid", r->key.tgid);
		json_strn(&j, "comm", r->agg.comm, sizeof(r->agg.comm));
	}
	json_u64(&j, "calls", r->agg.calls);
	json_u64(&j, "errors", r->agg.errors);
	json_u64(&j, "timed", hist_count(h));
	json_u64(&j, "total_ns", h->sum);
	json_u64_or_null(&j, "avg_ns", hist_mean(h));
	json_u64_or_null(&j, "p50_ns", hist_percentile(h, 50));
	json_u64_or_null(&j, "p90_ns", hist_percentile(h, 90));
	json_u64_or_null(&j, "p99_ns", hist_percentile(h, 99));
	json_u64_or_null(&j, "p999_ns", hist_percentile(h, 99.9));
	json_u64_or_null(&j, "max_ns", timed ? h->max : HIST_NONE);
	if (slots) {
		json_array(&j, "slots");
		for (unsigned int i = 0; i < ACCEL_HIST_SLOTS; i++) {
			if (!h->slots[i])
				continue;
			json_object(&j, NULL);
			json_u64(&j, "low_ns", accel_hist_low(i));
			json_u64(&j, "high_ns", accel_hist_high(i));
			json_u64(&j, "count", h->slots[i]);
			json_close(&j);
		}
		json_close(&j);
	}
	json_close(&j);
}

int summary_print(struct session *s, FILE *f, uint64_t *counted)
{
	const struct config *c = s->config;
	struct row *rows;
	size_t count;
	int err = read_rows(s, &rows, &count);

	*counted = 0;
	if (err)
		goto cleanup;
	for (size_t i = 0; i < count; i++)
		*counted += rows[i].agg.calls;
	if (c->json)
		for (size_t i = 0; i < count; i++)
			print_json(&rows[i], c->by, c->mode == MODE_HIST, f);
	else if (!count)
		fputs("no events\n", f);
	else if (c->mode == MODE_HIST)
		print_hists(rows, count, c->by, f);
	else
		err = print_table(rows, count, c->by, f);
	if (!err && (fflush(f) || ferror(f)))
		err = -errno;
cleanup:
	free(rows);
	return err;
}
