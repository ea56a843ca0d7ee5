// SPDX-License-Identifier: GPL-2.0-only
/* What one cell of a table says of its row. */
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "fmt.h"
#include "model.h"

#define SATURATED	0.9
#define BUSY		0.7

enum style style_of_util(double util)
{
	return util >= SATURATED ? STYLE_HIGH : util >= BUSY ? STYLE_MID : STYLE_LOW;
}

/* ------------------------------------------------- what all kinds of rows have */

static unsigned int row_valid(const struct row *row)
{
	return row->usage ? row->usage->valid : row->ctx ? row->ctx->valid :
	       row->engine ? row->engine->valid : row->dev->valid;
}

const struct frame_rates *row_rates(const struct row *row)
{
	if (!(row_valid(row) & FRAME_RATES))
		return NULL;
	return row->usage ? &row->usage->rate : row->ctx ? &row->ctx->rate :
	       row->engine ? &row->engine->rate : &row->dev->rate;
}

static const struct frame_quantiles *row_lat(const struct row *row, enum frame_latency kind)
{
	const struct frame_lat *lat;

	if (!(row_valid(row) & FRAME_LATENCY))
		return NULL;
	lat = row->usage ? row->usage->lat : row->ctx ? row->ctx->lat :
	      row->engine ? row->engine->lat : row->dev->lat;
	return lat[kind].interval.count ? &lat[kind].interval : NULL;
}

static void unknown(struct text *t)
{
	strcpy(t->text, "-");
	t->style = STYLE_DIM;
}

/* Zeroes step back: what is left is what happens. */
static void figure(struct text *t, const char *text, bool zero)
{
	snprintf(t->text, sizeof(t->text), "%s", text);
	if (zero)
		t->style = STYLE_DIM;
}

void text_util(struct text *t, const struct row *row, const struct view *v)
{
	const struct frame_rates *r = row_rates(row);

	(void)v;
	if (!r)
		return unknown(t);
	figure(t, FMT(fmt_percent, r->util * 100), r->util <= 0);
	if (r->util >= SATURATED)
		t->style = STYLE_HIGH;
}

void text_jobs(struct text *t, const struct row *row, const struct view *v)
{
	const struct frame_rates *r = row_rates(row);

	(void)v;
	if (!r)
		return unknown(t);
	figure(t, FMT(fmt_rate, r->jobs_s), r->jobs_s <= 0);
}

void text_bytes(struct text *t, const struct row *row, const struct view *v)
{
	const struct frame_rates *r = row_rates(row);
	char *unit;

	(void)v;
	if (!r)
		return unknown(t);
	figure(t, FMT(fmt_bandwidth, r->bytes_s), r->bytes_s <= 0);
	unit = strstr(t->text, "/s");	/* the title says it */
	if (unit)
		*unit = '\0';
}

static void lat(struct text *t, const struct row *row, enum frame_latency kind, bool p99)
{
	const struct frame_quantiles *q = row_lat(row, kind);

	if (!q)
		return unknown(t);
	figure(t, FMT(fmt_ns, p99 ? q->p99 : q->p50), false);
}

#define TEXT_LAT(_name, _kind, _p99)							\
void _name(struct text *t, const struct row *row, const struct view *v)			\
{											\
	(void)v;									\
	lat(t, row, _kind, _p99);							\
}
TEXT_LAT(text_ioctl50, FRAME_IOCTL, false)
TEXT_LAT(text_ioctl99, FRAME_IOCTL, true)
TEXT_LAT(text_wait50, FRAME_WAIT, false)
TEXT_LAT(text_wait99, FRAME_WAIT, true)
TEXT_LAT(text_run50, FRAME_RUN, false)
TEXT_LAT(text_run99, FRAME_RUN, true)
TEXT_LAT(text_pin99, FRAME_PIN, true)
TEXT_LAT(text_dma99, FRAME_DMA, true)

/* New ones shout, old ones only stand there. */
void text_errors(struct text *t, const struct row *row, const struct view *v)
{
	const struct frame_rates *r = row_rates(row);
	uint64_t errors = row->usage ? row->usage->count.job_errors :
			  row->ctx ? row->ctx->errors :
			  row->engine ? row->engine->count.job_errors : row->dev->errors;

	(void)v;
	figure(t, FMT(fmt_count, errors), !errors);
	if (errors)
		t->style = r && r->errors_new ? STYLE_ERROR : STYLE_WARN;
}

static void bytes(struct text *t, const struct row *row, uint64_t ctx, uint64_t dev)
{
	uint64_t n = row->ctx ? ctx : dev;

	if (row->usage || row->engine)
		t->text[0] = '\0';
	else if (row->ctx && row->ctx->partial)
		unknown(t);
	else
		figure(t, FMT(fmt_bytes, n), !n);
}

void text_pinned(struct text *t, const struct row *row, const struct view *v)
{
	(void)v;
	bytes(t, row, row->ctx ? row->ctx->pinned : 0, row->dev ? row->dev->pinned : 0);
}

void text_mapped(struct text *t, const struct row *row, const struct view *v)
{
	(void)v;
	bytes(t, row, row->ctx ? row->ctx->mapped : 0, row->dev ? row->dev->mapped : 0);
}

/* --------------------------------------------------------------------- devices */

void text_dev(struct text *t, const struct row *row, const struct view *v)
{
	if (row->engine) {
		snprintf(t->text, sizeof(t->text), "%s%s",
			 !v->utf8 ? " - " : row->last ? " └ " : " ├ ", row->engine->name);
		t->style = STYLE_DIM;
		return;
	}
	snprintf(t->text, sizeof(t->text), "%s", row->dev->name);
	t->style = STYLE_BOLD;
}

void text_state(struct text *t, const struct row *row, const struct view *v)
{
	(void)v;
	if (row->engine)
		return;
	strcpy(t->text, accel_model_state_name((enum accel_model_state)row->dev->state));
	t->style = row->dev->state == FRAME_OK ? STYLE_GOOD :
		   row->dev->state == FRAME_RESETTING ? STYLE_WARN : STYLE_ERROR;
}

void text_driver(struct text *t, const struct row *row, const struct view *v)
{
	(void)v;
	if (!row->engine)
		figure(t, row->dev->driver, false);
}

void text_parent(struct text *t, const struct row *row, const struct view *v)
{
	(void)v;
	if (!row->engine)
		figure(t, row->dev->parent, false);
	t->style = STYLE_DIM;
}

void text_contexts(struct text *t, const struct row *row, const struct view *v)
{
	(void)v;
	if (!row->engine)
		figure(t, FMT(fmt_count, row->dev->contexts), !row->dev->contexts);
}

void text_queue(struct text *t, const struct row *row, const struct view *v)
{
	uint32_t n = row->engine ? row->engine->queued : row->dev->queued;

	(void)v;
	figure(t, FMT(fmt_count, n), !n);
}

void text_none(struct text *t, const struct row *row, const struct view *v)
{
	(void)t;
	(void)row;
	(void)v;
}

/* -------------------------------------------------------------------- contexts */

void text_ctx(struct text *t, const struct row *row, const struct view *v)
{
	const char *branch = "";

	if (row->usage) {
		snprintf(t->text, sizeof(t->text), "%s%s%s", row->nested ? "  " : "",
			 !v->utf8 ? " - " : row->last ? " └ " : " ├ ", row->usage->name);
		t->style = STYLE_DIM;
		return;
	}
	if (row->nested)
		branch = !v->utf8 ? " - " : row->last ? " └─ " : " ├─ ";
	snprintf(t->text, sizeof(t->text), "%s%llu", branch, (unsigned long long)row->ctx->id);
	if (v->tree)
		t->align = ALIGN_LEFT;
}

void text_ctx_dev(struct text *t, const struct row *row, const struct view *v)
{
	(void)v;
	if (!row->usage)
		figure(t, row->ctx->dev_name, false);
}

void text_pid(struct text *t, const struct row *row, const struct view *v)
{
	(void)v;
	if (row->usage)
		return;
	if (!(row->ctx->valid & FRAME_PID))
		return unknown(t);
	snprintf(t->text, sizeof(t->text), "%u", row->ctx->pid);
}

void text_user(struct text *t, const struct row *row, const struct view *v)
{
	(void)v;
	if (row->usage)
		return;
	if (!(row->ctx->valid & FRAME_USER))
		return unknown(t);
	figure(t, row->ctx->user, false);
}

void text_age(struct text *t, const struct row *row, const struct view *v)
{
	(void)v;
	if (!row->usage)
		figure(t, FMT(fmt_ns, row->ctx->age_ns), false);
}

void text_cgroup(struct text *t, const struct row *row, const struct view *v)
{
	(void)v;
	if (row->usage)
		return;
	if (row->ctx->valid & FRAME_CONTAINER)
		figure(t, row->ctx->container, false);
	else if (row->ctx->valid & FRAME_CGROUP)
		figure(t, row->ctx->cgroup, !strcmp(row->ctx->cgroup, "/"));
	else
		unknown(t);
}

void text_command(struct text *t, const struct row *row, const struct view *v)
{
	if (row->usage)
		return;
	if (!(row->ctx->valid & FRAME_COMMAND))
		return unknown(t);
	snprintf(t->text, sizeof(t->text), "%s%s", row->ctx->ended ? "(ended) " : "",
		 row->ctx->command);
	if (row->ctx->ended)
		t->style = STYLE_DIM;
	if (v->search[0] && row_matches(row, v->search))
		t->style = STYLE_MATCH;
}
