// SPDX-License-Identifier: GPL-2.0-only
/* The two tables: which columns there are, which of them fit, and a row in them. */
#include <string.h>

#include "cells.h"
#include "columns.h"

#define GAP		1
#define COMFORT		10	/* the first priority that others must not suffer for */
#define COMFORT_WIDTH	20
#define LAST		30

enum kind { KIND_TEXT, KIND_BAR, KIND_ENGINES, KIND_HISTORY };

/*
 * @min to @max: cells; between them as the contents need it. Narrow terminals
 * lose the columns with the largest @priority first.
 */
struct column {
	const char *title;
	int sort;		/* enum sort_key, or -1 */
	uint8_t priority;
	uint8_t min;
	uint8_t max;
	enum align align;
	enum kind kind;
	void (*text)(struct text *t, const struct row *row, const struct view *v);
};

/* ---------------------------------------------------------------------- tables */

#define R ALIGN_RIGHT
#define L ALIGN_LEFT
#define T ALIGN_TAIL

static const struct column dev_columns[] = {
	/* title	sort	prio min max align kind text */
	{ "DEV",	-1,	1,   5,  14, L, KIND_TEXT, text_dev },
	{ "STATE",	-1,	4,   5,   9, L, KIND_TEXT, text_state },
	{ "DRIVER",	-1,	15,  6,  14, L, KIND_TEXT, text_driver },
	{ "PARENT",	-1,	27,  6,  24, L, KIND_TEXT, text_parent },
	{ "UTIL",	-1,	0,   5,   5, R, KIND_TEXT, text_util },
	{ "BUSY",	-1,	11,  8,  16, L, KIND_BAR, text_none },
	{ "ENGINES",	-1,	6,   7,  16, L, KIND_ENGINES, text_none },
	{ "CTX",	-1,	5,   4,   5, R, KIND_TEXT, text_contexts },
	{ "QUEUE",	-1,	9,   5,   5, R, KIND_TEXT, text_queue },
	{ "JOBS/S",	-1,	2,   6,   6, R, KIND_TEXT, text_jobs },
	{ "BYTES/S",	-1,	8,   7,   7, R, KIND_TEXT, text_bytes },
	{ "PINNED",	-1,	3,   7,   7, R, KIND_TEXT, text_pinned },
	{ "MAPPED",	-1,	20,  7,   7, R, KIND_TEXT, text_mapped },
	{ "IOCTLp50",	-1,	21,  8,   8, R, KIND_TEXT, text_ioctl50 },
	{ "IOCTLp99",	-1,	14,  8,   8, R, KIND_TEXT, text_ioctl99 },
	{ "WAITp50",	-1,	16,  7,   7, R, KIND_TEXT, text_wait50 },
	{ "WAITp99",	-1,	7,   7,   7, R, KIND_TEXT, text_wait99 },
	{ "RUNp50",	-1,	17,  6,   6, R, KIND_TEXT, text_run50 },
	{ "RUNp99",	-1,	13,  6,   6, R, KIND_TEXT, text_run99 },
	{ "PINp99",	-1,	22,  6,   6, R, KIND_TEXT, text_pin99 },
	{ "DMAp99",	-1,	23,  6,   6, R, KIND_TEXT, text_dma99 },
	{ "ERR",	-1,	10,  5,   5, R, KIND_TEXT, text_errors },
	{ "HISTORY",	-1,	12,  8,  60, L, KIND_HISTORY, text_none },
};

static const struct column ctx_columns[] = {
	{ "CTX",	SORT_CTX,	1,   5,  20, R, KIND_TEXT, text_ctx },
	{ "DEV",	SORT_DEV,	5,   4,  10, L, KIND_TEXT, text_ctx_dev },
	{ "PID",	SORT_PID,	4,   5,   7, R, KIND_TEXT, text_pid },
	{ "USER",	SORT_USER,	10,  5,  16, L, KIND_TEXT, text_user },
	{ "UTIL",	SORT_UTIL,	0,   5,   5, R, KIND_TEXT, text_util },
	{ "BUSY",	-1,		16,  8,   8, L, KIND_BAR, text_none },
	{ "JOBS/S",	SORT_JOBS,	3,   6,   6, R, KIND_TEXT, text_jobs },
	{ "BYTES/S",	SORT_BYTES,	9,   7,   7, R, KIND_TEXT, text_bytes },
	{ "PINNED",	SORT_PINNED,	6,   7,   7, R, KIND_TEXT, text_pinned },
	{ "MAPPED",	SORT_MAPPED,	24,  7,   7, R, KIND_TEXT, text_mapped },
	{ "IOCTLp50",	-1,		22,  8,   8, R, KIND_TEXT, text_ioctl50 },
	{ "IOCTLp99",	SORT_IOCTL,	14,  8,   8, R, KIND_TEXT, text_ioctl99 },
	{ "WAITp50",	-1,		20,  7,   7, R, KIND_TEXT, text_wait50 },
	{ "WAITp99",	SORT_WAIT,	7,   7,   7, R, KIND_TEXT, text_wait99 },
	{ "RUNp50",	-1,		21,  6,   6, R, KIND_TEXT, text_run50 },
	{ "RUNp99",	SORT_RUN,	13,  6,   6, R, KIND_TEXT, text_run99 },
	{ "PINp99",	SORT_PIN,	23,  6,   6, R, KIND_TEXT, text_pin99 },
	{ "DMAp99",	-1,		25,  6,   6, R, KIND_TEXT, text_dma99 },
	{ "ERR",	SORT_ERRORS,	8,   4,   5, R, KIND_TEXT, text_errors },
	{ "AGE",	SORT_AGE,	15,  6,   6, R, KIND_TEXT, text_age },
	{ "CGROUP",	SORT_CGROUP,	12,  8,  60, T, KIND_TEXT, text_cgroup },
	{ "COMMAND",	SORT_COMMAND,	2,   7, 100, L, KIND_TEXT, text_command },
};

static const struct column *table(enum pane pane, int *nr)
{
	if (pane == PANE_DEVS) {
		*nr = sizeof(dev_columns) / sizeof(dev_columns[0]);
		return dev_columns;
	}
	*nr = sizeof(ctx_columns) / sizeof(ctx_columns[0]);
	return ctx_columns;
}

/* ---------------------------------------------------------------------- choice */

static bool wanted(const struct column *col, enum pane pane, const struct view *v)
{
	if (v->plain && col->kind != KIND_TEXT)
		return false;
	/* In the tree a context stands below its device. */
	return !(v->tree && pane == PANE_CTXS && col->sort == SORT_DEV);
}

/* Cells that the contents would fill. */
static int natural(const struct column *col, const struct rows *rows, enum pane pane,
		   const struct view *v)
{
	int most = (int)strlen(col->title);

	if (col->min == col->max || col->kind == KIND_BAR || col->kind == KIND_HISTORY)
		return col->kind == KIND_TEXT ? col->min : col->max;
	for (size_t i = 0; i < rows->nr && most < col->max; i++) {
		const struct row *row = &rows->row[i];
		struct text t = { .style = STYLE_NORMAL };
		int w;

		if ((pane == PANE_CTXS) != (row->ctx != NULL))
			continue;
		if (col->kind == KIND_ENGINES) {
			w = (int)row->dev->nr_engines;
		} else {
			col->text(&t, row, v);
			w = canvas_text_width(t.text, v->utf8);
		}
		if (w > most)
			most = w;
	}
	return most > col->max ? col->max : most < col->min ? col->min : most;
}

/*
 * Takes columns by priority while they fit. The important ones may be squeezed
 * to their least width; the others come only when those have got what they need,
 * and only whole. What is left goes to texts, then to bars.
 */
struct choice {
	const struct column *tab;
	int nr;
	int left;
	int width[COLUMNS_MAX];
	int natural[COLUMNS_MAX];
};

static void grow(struct choice *ch, int prio, bool texts, int most)
{
	for (int i = 0; i < ch->nr; i++) {
		int to = ch->natural[i] < most ? ch->natural[i] : most;
		int more = to - ch->width[i];

		if (!ch->width[i] || ch->tab[i].priority != prio || more <= 0 ||
		    texts != (ch->tab[i].kind == KIND_TEXT))
			continue;
		more = more < ch->left ? more : ch->left;
		ch->width[i] += more;
		ch->left -= more;
	}
}

static void admit(struct choice *ch, int prio, enum pane pane, const struct view *v)
{
	for (int i = 0; i < ch->nr; i++) {
		const struct column *col = &ch->tab[i];
		int least = col->min;

		if (prio >= COMFORT && col->kind == KIND_TEXT)
			least = ch->natural[i] < COMFORT_WIDTH ? ch->natural[i] : COMFORT_WIDTH;
		if (col->priority != prio || !wanted(col, pane, v) || ch->left < least + GAP)
			continue;
		ch->width[i] = least;
		ch->left -= least + GAP;
	}
}

void columns_choose(struct columns *cols, enum pane pane, const struct rows *rows,
		    const struct view *v, int width)
{
	struct choice ch = { .left = width + GAP };
	int x = 0;

	ch.tab = table(pane, &ch.nr);
	for (int i = 0; i < ch.nr; i++)
		ch.natural[i] = natural(&ch.tab[i], rows, pane, v);
	for (int prio = 0; prio <= LAST; prio++) {
		if (prio == COMFORT)
			for (int p = 0; p < COMFORT; p++)
				grow(&ch, p, true, COMFORT_WIDTH);
		admit(&ch, prio, pane, v);
	}
	for (int prio = 0; prio <= LAST; prio++)
		grow(&ch, prio, true, width);
	for (int prio = 0; prio <= LAST; prio++)
		grow(&ch, prio, false, width);
	cols->pane = pane;
	cols->nr = 0;
	for (int i = 0; i < ch.nr; i++) {
		if (!ch.width[i])
			continue;
		cols->at[cols->nr].column = &ch.tab[i];
		cols->at[cols->nr].x = x;
		cols->at[cols->nr++].width = ch.width[i];
		x += ch.width[i] + GAP;
	}
}

int columns_width(const struct columns *cols)
{
	return cols->nr ? cols->at[cols->nr - 1].x + cols->at[cols->nr - 1].width : 0;
}

enum sort_key columns_next_sort(const struct view *v, int step)
{
	int nr = sizeof(ctx_columns) / sizeof(ctx_columns[0]), i, n;

	for (i = 0; i < nr; i++)
		if (ctx_columns[i].sort == (int)v->sort)
			break;
	for (n = 0; n < nr; n++) {
		i = (i + step + nr) % nr;
		if (ctx_columns[i].sort >= 0)
			return (enum sort_key)ctx_columns[i].sort;
	}
	return v->sort;
}

/* --------------------------------------------------------------------- drawing */

void columns_titles(const struct columns *cols, struct canvas *c, int y, const struct view *v)
{
	canvas_fill(c, y, 0, c->width, ' ', STYLE_HEADER);
	for (int i = 0; i < cols->nr; i++) {
		const struct column *col = cols->at[i].column;
		bool sorted = cols->pane == PANE_CTXS && col->sort == (int)v->sort;
		enum align align = col->align == ALIGN_RIGHT ? ALIGN_RIGHT : ALIGN_LEFT;

		if (v->tree && cols->pane == PANE_CTXS && col->sort == SORT_CTX)
			align = ALIGN_LEFT;
		canvas_text(c, y, cols->at[i].x, cols->at[i].width, align,
			    sorted ? STYLE_SORTED : STYLE_HEADER, col->title);
	}
}

static void draw_bar(struct canvas *c, int y, int x, int w, const struct row *row)
{
	const struct frame_rates *r = row_rates(row);

	if (r)
		canvas_bar(c, y, x, w, r->util, style_of_util(r->util));
}

/* One cell for each engine, its height the engine's utilization. */
static void draw_engines(struct canvas *c, int y, int x, int w, const struct row *row)
{
	int nr = (int)row->dev->nr_engines;

	if (row->engine)
		return;
	for (int i = 0; i < nr && i < w; i++) {
		const struct frame_engine *e = &row->dev->engines[i];

		if (i == w - 1 && nr > w)
			canvas_text(c, y, x + i, 1, ALIGN_LEFT, STYLE_DIM, "+");
		else if (e->valid & FRAME_RATES)
			canvas_level(c, y, x + i, e->rate.util, style_of_util(e->rate.util));
		else
			canvas_text(c, y, x + i, 1, ALIGN_LEFT, STYLE_DIM, "-");
	}
}

/* The newest at the right edge. */
static void draw_history(struct canvas *c, int y, int x, int w, const struct row *row)
{
	int nr = (int)row->dev->nr_history;

	if (row->engine)
		return;
	for (int i = 0; i < w; i++) {
		int at = nr - w + i;

		if (at >= 0 && row->dev->history[at] >= 0)
			canvas_level(c, y, x + i, row->dev->history[at],
				     style_of_util(row->dev->history[at]));
	}
}

void columns_row(const struct columns *cols, struct canvas *c, int y, const struct row *row,
		 const struct view *v)
{
	for (int i = 0; i < cols->nr; i++) {
		const struct column *col = cols->at[i].column;
		struct text t = { .style = STYLE_NORMAL, .align = col->align };
		int x = cols->at[i].x, w = cols->at[i].width;

		switch (col->kind) {
		case KIND_BAR:
			draw_bar(c, y, x, w, row);
			break;
		case KIND_ENGINES:
			draw_engines(c, y, x, w, row);
			break;
		case KIND_HISTORY:
			draw_history(c, y, x, w, row);
			break;
		case KIND_TEXT:
			col->text(&t, row, v);
			canvas_text(c, y, x, w, t.align, t.style, t.text);
			break;
		}
	}
}
