// SPDX-License-Identifier: GPL-2.0-only
/* Which rows a view of a frame has, and in which order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rows.h"

static const char * const sort_names[SORT_NR] = {
	[SORT_UTIL] = "util",		[SORT_JOBS] = "jobs",
	[SORT_BYTES] = "bytes",		[SORT_PINNED] = "pinned",
	[SORT_MAPPED] = "mapped",	[SORT_WAIT] = "wait",
	[SORT_RUN] = "run",		[SORT_IOCTL] = "ioctl",
	[SORT_PIN] = "pin",		[SORT_ERRORS] = "errors",
	[SORT_AGE] = "age",		[SORT_CTX] = "ctx",
	[SORT_DEV] = "dev",		[SORT_PID] = "pid",
	[SORT_USER] = "user",		[SORT_CGROUP] = "cgroup",
	[SORT_COMMAND] = "command",
};

const char *sort_name(enum sort_key key)
{
	return sort_names[key];
}

/* -1: there is no such key. */
int sort_parse(const char *name)
{
	for (int i = 0; i < SORT_NR; i++)
		if (!strcasecmp(name, sort_names[i]))
			return i;
	return -1;
}

void view_init(struct view *v)
{
	memset(v, 0, sizeof(*v));
	v->delay = 1.0;
	v->focus = PANE_CTXS;
	v->selected[PANE_DEVS].engine = -1;
	v->selected[PANE_CTXS].engine = -1;
}

/* ---------------------------------------------------------------- sorting */

static int cmp_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int cmp_double(double a, double b)
{
	return a < b ? -1 : a > b;
}

/* What is not known is smaller than everything that is. */
static int cmp_lat(const struct frame_ctx *a, const struct frame_ctx *b, enum frame_latency kind)
{
	const struct frame_quantiles *qa = &a->lat[kind].interval, *qb = &b->lat[kind].interval;

	return cmp_u64(a->valid & FRAME_LATENCY && qa->count ? qa->p99 + 1 : 0,
		       b->valid & FRAME_LATENCY && qb->count ? qb->p99 + 1 : 0);
}

static double rate_key(const struct frame_ctx *c, double value)
{
	return c->valid & FRAME_RATES ? value : -1;
}

/* Below 0: @a is smaller. Figures are shown largest first, names in their order. */
static int cmp_key(const struct frame_ctx *a, const struct frame_ctx *b, enum sort_key key)
{
	switch (key) {
	case SORT_UTIL:
		return cmp_double(rate_key(b, b->rate.util), rate_key(a, a->rate.util));
	case SORT_JOBS:
		return cmp_double(rate_key(b, b->rate.jobs_s), rate_key(a, a->rate.jobs_s));
	case SORT_BYTES:
		return cmp_double(rate_key(b, b->rate.bytes_s), rate_key(a, a->rate.bytes_s));
	case SORT_PINNED:
		return cmp_u64(b->pinned, a->pinned);
	case SORT_MAPPED:
		return cmp_u64(b->mapped, a->mapped);
	case SORT_WAIT:
		return cmp_lat(b, a, FRAME_WAIT);
	case SORT_RUN:
		return cmp_lat(b, a, FRAME_RUN);
	case SORT_IOCTL:
		return cmp_lat(b, a, FRAME_IOCTL);
	case SORT_PIN:
		return cmp_lat(b, a, FRAME_PIN);
	case SORT_ERRORS:
		return cmp_u64(b->errors, a->errors);
	case SORT_AGE:
		return cmp_u64(b->age_ns, a->age_ns);
	case SORT_CTX:
		return cmp_u64(a->id, b->id);
	case SORT_DEV:
		return cmp_u64(a->dev_index, b->dev_index);
	case SORT_PID:
		return cmp_u64(a->pid, b->pid);
	case SORT_USER:
		return strcmp(a->user, b->user);
	case SORT_CGROUP:
		return strcmp(a->cgroup, b->cgroup);
	case SORT_COMMAND:
		return strcmp(a->command, b->command);
	case SORT_NR:
		break;
	}
	return 0;
}

struct sorting {
	enum sort_key key;
	bool reverse;
	bool by_dev;
};

static int cmp_ctx(const void *pa, const void *pb, void *arg)
{
	const struct frame_ctx *a = *(const struct frame_ctx * const *)pa;
	const struct frame_ctx *b = *(const struct frame_ctx * const *)pb;
	const struct sorting *s = arg;
	int ret = 0;

	if (s->by_dev)
		ret = cmp_u64(a->dev_index, b->dev_index);
	if (!ret)
		ret = s->reverse ? -cmp_key(a, b, s->key) : cmp_key(a, b, s->key);
	/* Equal rows must not dance from frame to frame. */
	return ret ? ret : cmp_u64(a->id, b->id);
}

/* -------------------------------------------------------------- filtering */

static bool contains(const char *text, const char *part)
{
	return strcasestr(text, part) != NULL;
}

static bool ctx_matches(const struct frame_ctx *c, const char *text)
{
	char id[24], pid[16];

	snprintf(id, sizeof(id), "%llu", (unsigned long long)c->id);
	snprintf(pid, sizeof(pid), "%u", c->pid);
	return contains(c->command, text) || contains(c->user, text) ||
	       contains(c->cgroup, text) || contains(c->container, text) ||
	       contains(c->dev_name, text) || !strcmp(id, text) || !strcmp(pid, text);
}

/* Of a search: any of the texts of the row contains @text, case ignored. */
bool row_matches(const struct row *row, const char *text)
{
	if (!text[0])
		return false;
	if (row->usage)
		return contains(row->usage->name, text);
	if (row->ctx)
		return ctx_matches(row->ctx, text);
	if (row->engine)
		return contains(row->engine->name, text);
	return contains(row->dev->name, text) || contains(row->dev->driver, text) ||
	       contains(row->dev->type, text) || contains(row->dev->parent, text);
}

/* Does the view show this context? */
bool rows_keep(const struct frame_ctx *ctx, const struct view *v)
{
	if (v->pid && ctx->pid != v->pid)
		return false;
	if (v->user[0] && strcmp(ctx->user, v->user))
		return false;
	return !v->filter[0] || ctx_matches(ctx, v->filter);
}

/* --------------------------------------------------------------- building */

static const struct frame_dev *find_dev(const struct frame *f, uint64_t id)
{
	for (size_t i = 0; i < f->nr_devs; i++)
		if (f->devs[i].id == id)
			return &f->devs[i];
	return NULL;
}

static void add(struct rows *rows, struct row row)
{
	rows->row[rows->nr++] = row;
}

static void add_dev(struct rows *rows, const struct frame_dev *d, bool expand)
{
	add(rows, (struct row){ .dev = d });
	for (size_t i = 0; expand && i < d->nr_engines; i++)
		add(rows, (struct row){ .dev = d, .engine = &d->engines[i],
					.last = i + 1 == d->nr_engines });
}

static void add_ctx(struct rows *rows, const struct frame *f, const struct frame_ctx *c,
		    const struct view *v)
{
	struct row row = { .dev = find_dev(f, c->dev_id), .ctx = c, .nested = v->tree };

	add(rows, row);
	if (!v->expand)
		return;
	for (size_t i = 0; i < c->nr_engines; i++) {
		row.usage = &c->engines[i];
		row.last = i + 1 == c->nr_engines;
		add(rows, row);
	}
}

/*
 * All rows of a pane. In the tree there is one pane, that of the contexts: each
 * device with its contexts below it.
 */
int rows_build(struct rows *rows, const struct frame *f, const struct view *v, enum pane pane)
{
	struct sorting sorting = { v->sort, v->reverse, v->tree };
	const struct frame_ctx **order = NULL;
	size_t most = 0, nr = 0, i, j = 0;

	memset(rows, 0, sizeof(*rows));
	for (i = 0; i < f->nr_devs; i++)
		most += 1 + f->devs[i].nr_engines;
	for (i = 0; i < f->nr_ctxs; i++)
		most += 1 + f->ctxs[i].nr_engines;
	rows->row = calloc(most + 1, sizeof(*rows->row));
	if (!rows->row)
		return -1;
	if (pane == PANE_DEVS) {
		for (i = 0; i < f->nr_devs; i++)
			add_dev(rows, &f->devs[i], v->expand);
		return 0;
	}
	order = calloc(f->nr_ctxs + 1, sizeof(*order));
	if (!order) {
		rows_free(rows);
		return -1;
	}
	for (i = 0; i < f->nr_ctxs; i++)
		if (rows_keep(&f->ctxs[i], v))
			order[nr++] = &f->ctxs[i];
	qsort_r(order, nr, sizeof(*order), cmp_ctx, &sorting);
	if (v->tree) {
		/* Both ascend by the number of the device. */
		for (i = 0; i < f->nr_devs; i++) {
			add_dev(rows, &f->devs[i], v->expand);
			while (j < nr && order[j]->dev_id == f->devs[i].id)
				add_ctx(rows, f, order[j++], v);
		}
	}
	while (j < nr)
		add_ctx(rows, f, order[j++], v);
	for (i = rows->nr, j = 1; i-- > 0;) {
		if (!rows->row[i].ctx)
			j = 1;
		else if (rows->row[i].nested && !rows->row[i].usage) {
			rows->row[i].last = j;
			j = 0;
		}
	}
	free(order);
	return 0;
}

void rows_free(struct rows *rows)
{
	free(rows->row);
	rows->row = NULL;
	rows->nr = 0;
}

struct row_id row_id(const struct row *row)
{
	struct row_id id = { .engine = -1 };

	id.dev = row->ctx ? row->ctx->dev_id : row->dev->id;
	if (row->ctx)
		id.ctx = row->ctx->id;
	if (row->engine)
		id.engine = (int)row->engine->index;
	if (row->usage)
		id.engine = (int)row->usage->index;
	return id;
}

bool row_is(const struct row *row, const struct row_id *id)
{
	struct row_id own = row_id(row);

	return own.dev == id->dev && own.ctx == id->ctx && own.engine == id->engine;
}

/* Where a row is, -1: not here any more. */
int rows_find(const struct rows *rows, const struct row_id *id)
{
	for (size_t i = 0; i < rows->nr; i++)
		if (row_is(&rows->row[i], id))
			return (int)i;
	return -1;
}
