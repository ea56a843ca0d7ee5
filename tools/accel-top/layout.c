// SPDX-License-Identifier: GPL-2.0-only
/* The whole picture; see layout.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "columns.h"
#include "fmt.h"
#include "help.h"
#include "layout.h"
#include "rows.h"

#define TALL	12	/* lines from which there is room for more than the rows */

/* ------------------------------------------------------------------ the header */

/* A piece of a header line: left out as a whole when it does not fit. */
struct pen {
	struct canvas *c;
	int y;
	int x;
	bool full;
};

__attribute__((format(printf, 4, 5)))
static void piece(struct pen *p, const char *label, enum style style, const char *fmt, ...)
{
	int gap = p->x ? 2 : 0, space = label[0] ? 1 : 0, w;
	char buf[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	w = canvas_text_width(buf, p->c->utf8) + canvas_text_width(label, p->c->utf8) + space;
	if (p->full || p->x + gap + w > p->c->width) {
		/* What follows matters less: it must not jump ahead. */
		p->full = true;
		return;
	}
	p->x += gap;
	p->x += canvas_text(p->c, p->y, p->x, w, ALIGN_LEFT, STYLE_DIM, label) + space;
	p->x += canvas_text(p->c, p->y, p->x, w, ALIGN_LEFT, style, buf);
}

static uint64_t lost(const struct frame_self *s)
{
	return s->lost_full + s->lost_missed;
}

static void lost_piece(struct pen *p, const struct frame *f)
{
	uint64_t n = lost(&f->self);

	if (!(f->valid & FRAME_LATENCY))
		return;
	piece(p, "lost", n ? f->self.lost_new ? STYLE_ERROR : STYLE_WARN : STYLE_NORMAL, "%s",
	      FMT(fmt_count, n));
}

static void totals(struct pen *p, const struct frame *f)
{
	bool rates = f->valid & FRAME_RATES;

	piece(p, "util", rates && f->rate.util >= 0.9 ? STYLE_HIGH : STYLE_BOLD, "%s",
	      rates ? FMT(fmt_percent, f->rate.util * 100) : "-");
	piece(p, "jobs/s", STYLE_BOLD, "%s", rates ? FMT(fmt_rate, f->rate.jobs_s) : "-");
	piece(p, "data", STYLE_BOLD, "%s", rates ? FMT(fmt_bandwidth, f->rate.bytes_s) : "-");
	piece(p, "pinned", STYLE_BOLD, "%s", FMT(fmt_bytes, f->pinned));
	piece(p, "errors", f->errors ? rates && f->rate.errors_new ? STYLE_ERROR : STYLE_WARN :
	      STYLE_NORMAL, "%s", FMT(fmt_count, f->errors));
	piece(p, "mapped", STYLE_NORMAL, "%s", FMT(fmt_bytes, f->mapped));
}

/* The host's own name and clock: this is what a screenshot is later asked for. */
static void who_and_when(struct pen *p, const struct frame *f, const struct view *v)
{
	time_t now = (time_t)(f->time_ns / 1000000000);
	char clock[16] = "", at[40];
	struct tm tm;

	piece(p, "", STYLE_TITLE, "accel-top");
	if (v->paused)
		piece(p, "", STYLE_WARN, "PAUSED");
	if (localtime_r(&now, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	piece(p, "", STYLE_NORMAL, "%s", clock);
	piece(p, "devices", STYLE_BOLD, "%zu", f->nr_devs);
	piece(p, "contexts", STYLE_BOLD, "%zu", f->nr_ctxs - f->nr_ended);
	piece(p, "", STYLE_NORMAL, "%s", f->host);
	snprintf(at, sizeof(at), "%.1fs", f->interval_s > 0 ? f->interval_s : v->delay);
	piece(p, "every", STYLE_NORMAL, "%s", at);
	if (v->filter[0])
		piece(p, "filter", STYLE_WARN, "%s", v->filter);
	if (v->pid)
		piece(p, "pid", STYLE_WARN, "%u", v->pid);
	if (v->user[0])
		piece(p, "user", STYLE_WARN, "%s", v->user);
}

static void self_cost(struct pen *p, const struct frame *f)
{
	bool rates = f->valid & FRAME_RATES;

	lost_piece(p, f);
	piece(p, "own cpu", STYLE_NORMAL, "%s", rates ? FMT(fmt_load, f->self.cpu * 100) : "-");
	if (f->valid & FRAME_BPF_COST)
		piece(p, "bpf", STYLE_NORMAL, "%s (%s/event)",
		      FMT(fmt_load, f->self.bpf * 100),
		      FMT(fmt_ns, (uint64_t)f->self.bpf_ns));
	if (f->self.untimed)
		piece(p, "untimed", STYLE_NORMAL, "%s", FMT(fmt_count, f->self.untimed));
}

/* Returns the lines used. */
static int draw_header(struct canvas *c, const struct frame *f, const struct view *v)
{
	struct pen p = { .c = c };
	int y = 0;

	if (c->height < TALL && !v->plain) {
		/* One line: what is on fire comes first. */
		if (v->paused)
			piece(&p, "", STYLE_WARN, "PAUSED");
		else if (f->nr_notes)
			piece(&p, "", STYLE_WARN, "!");
		if (f->errors)
			piece(&p, "err", STYLE_ERROR, "%s", FMT(fmt_count, f->errors));
		if (lost(&f->self))
			lost_piece(&p, f);
		piece(&p, "dev", STYLE_BOLD, "%zu", f->nr_devs);
		piece(&p, "ctx", STYLE_BOLD, "%zu", f->nr_ctxs - f->nr_ended);
		totals(&p, f);
		return 1;
	}
	who_and_when(&p, f, v);
	p = (struct pen){ .c = c, .y = ++y };
	totals(&p, f);
	if (c->width >= 140 || v->plain) {
		self_cost(&p, f);
	} else {
		p = (struct pen){ .c = c, .y = ++y };
		self_cost(&p, f);
	}
	y++;
	for (size_t i = 0; i < f->nr_notes && (v->plain || y < c->height / 2); i++) {
		enum style style = STYLE_WARN;

		canvas_text(c, y, 0, 2, ALIGN_LEFT, style, "!");
		canvas_text(c, y++, 2, c->width - 2, ALIGN_LEFT, style, f->notes[i]);
	}
	return y;
}

/* ------------------------------------------------------------------ the footer */

static void draw_keys(struct canvas *c, int y, const struct view *v)
{
	static const struct {
		const char *key, *text;
	} keys[] = {
		{ "h", "Help" }, { "q", "Quit" }, { "/", "Search" }, { "f", "Filter" },
		{ "<>", "Sort" }, { "r", "Reverse" }, { "e", "Engines" }, { "t", "Tree" },
		{ "p", "Pause" }, { "d", "Delay" }, { "k", "Kill" }, { "Tab", "Pane" },
	};
	int x = 0;

	canvas_fill(c, y, 0, c->width, ' ', STYLE_KEYTEXT);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		int w = (int)(strlen(keys[i].key) + strlen(keys[i].text)) + 1;

		if (v->readonly && keys[i].key[0] == 'k')
			continue;
		if (x + w > c->width)
			break;
		x += canvas_text(c, y, x, w, ALIGN_LEFT, STYLE_KEY, keys[i].key);
		x += canvas_text(c, y, x, w, ALIGN_LEFT, STYLE_KEYTEXT, keys[i].text) + 1;
	}
}

static void draw_prompt(struct canvas *c, int y, const struct view *v)
{
	uint32_t cursor = c->utf8 ? 0x2588 : '_';
	int x;

	canvas_fill(c, y, 0, c->width, ' ', STYLE_NORMAL);
	if (v->prompt == PROMPT_KILL) {
		canvas_printf(c, y, 0, c->width, STYLE_ERROR, "kill %u (%s) with SIGTERM? y/n",
			      v->kill_pid, v->kill_command);
		return;
	}
	if (v->prompt == PROMPT_DELAY)
		x = canvas_printf(c, y, 0, c->width, STYLE_BOLD, "seconds between frames (now %g): ",
				  v->delay);
	else
		x = canvas_printf(c, y, 0, c->width, STYLE_BOLD, "%s: ",
				  v->prompt == PROMPT_SEARCH ? "search" : "filter");
	x += canvas_text(c, y, x, c->width - x - 1, ALIGN_TAIL, STYLE_NORMAL, v->input);
	canvas_fill(c, y, x, 1, cursor, STYLE_NORMAL);
}

/* Returns the lines used. */
static int draw_footer(struct canvas *c, const struct view *v)
{
	int y = c->height - 1;

	if (v->plain)
		return 0;
	if (v->prompt != PROMPT_NONE) {
		draw_prompt(c, y, v);
		return 1;
	}
	if (v->message[0]) {
		canvas_fill(c, y, 0, c->width, ' ', STYLE_NORMAL);
		canvas_text(c, y, 0, c->width, ALIGN_LEFT,
			    v->message_bad ? STYLE_ERROR : STYLE_GOOD, v->message);
		return 1;
	}
	if (c->height < TALL)
		return 0;
	draw_keys(c, y, v);
	return 1;
}

/* -------------------------------------------------------------------- the rows */

/* Keeps the selected row on the page; a row that is gone hands over to its neighbour. */
static void scroll_to_selected(struct view *v, enum pane pane, const struct rows *rows, int page)
{
	int at = rows_find(rows, &v->selected[pane]), most = (int)rows->nr - page;

	v->page[pane] = page > 0 ? page : 1;
	if (!v->chosen[pane] && rows->nr) {
		at = 0;
		v->selected[pane] = row_id(&rows->row[0]);
	}
	if (at < 0 && rows->nr) {
		at = v->scroll[pane] < (int)rows->nr ? v->scroll[pane] : (int)rows->nr - 1;
		v->selected[pane] = row_id(&rows->row[at]);
	}
	if (at >= 0 && page > 0) {
		if (at < v->scroll[pane])
			v->scroll[pane] = at;
		if (at >= v->scroll[pane] + page)
			v->scroll[pane] = at - page + 1;
	}
	if (v->scroll[pane] > most)
		v->scroll[pane] = most;
	if (v->scroll[pane] < 0)
		v->scroll[pane] = 0;
}

static void draw_rows(struct canvas *c, int y, int height, enum pane pane,
		      const struct rows *rows, const struct columns *devs,
		      const struct columns *ctxs, const struct view *v)
{
	size_t first = (size_t)v->scroll[pane];

	for (int i = 0; i < height && first + (size_t)i < rows->nr; i++) {
		const struct row *row = &rows->row[first + (size_t)i];

		columns_row(row->ctx ? ctxs : devs, c, y + i, row, v);
		if (!v->plain && v->focus == pane && row_is(row, &v->selected[pane]))
			canvas_restyle(c, y + i, 0, c->width, STYLE_SELECTED);
	}
}

/* "12 more" at the right end of the titles: nothing is left out silently. */
static void draw_more(struct canvas *c, int y, const struct view *v, enum pane pane,
		      const struct rows *rows, int page)
{
	char buf[48];
	int w;

	if (v->plain || page < 0 || (int)rows->nr <= page || c->width < 40)
		return;
	snprintf(buf, sizeof(buf), " %d-%d of %zu", v->scroll[pane] + (page > 0),
		 v->scroll[pane] + page, rows->nr);
	w = (int)strlen(buf);
	canvas_text(c, y, c->width - w, w, ALIGN_LEFT, STYLE_SORTED, buf);
}

static void draw_empty(struct canvas *c, int y, const struct frame *f, const struct view *v)
{
	const char *why = "no context is open";

	if (!f->nr_devs)
		why = "no accelerator: load a driver (modprobe accel_soft, accel_edu)";
	else if (f->nr_ctxs && (v->filter[0] || v->pid || v->user[0]))
		why = "no context matches the filter";
	canvas_text(c, y, 0, c->width, ALIGN_LEFT, STYLE_DIM, why);
}

/* The lines for @devs of @room, the contexts' own needs considered. */
static int share(int room, int devs, int ctxs)
{
	int least_ctxs = ctxs < room / 2 ? ctxs : room / 2;

	if (devs + ctxs <= room)
		return devs;
	return devs < room - least_ctxs ? devs : room - least_ctxs;
}

static void draw_flat(struct canvas *c, int y, int bottom, const struct frame *f,
		      struct view *v, const struct rows *devs, const struct rows *ctxs)
{
	struct columns dev_cols, ctx_cols;
	int room = bottom - y, titles = room >= 5 || v->plain ? 2 : 1, page, blank = 0;

	columns_choose(&dev_cols, PANE_DEVS, devs, v, c->width);
	columns_choose(&ctx_cols, PANE_CTXS, ctxs, v, c->width);
	/* Too low for both: the one that has the focus. */
	if (titles == 1) {
		const struct rows *rows = v->focus == PANE_DEVS || !ctxs->nr ? devs : ctxs;
		enum pane pane = rows == devs ? PANE_DEVS : PANE_CTXS;

		scroll_to_selected(v, pane, rows, room - 1);
		columns_titles(pane == PANE_DEVS ? &dev_cols : &ctx_cols, c, y, v);
		draw_more(c, y, v, pane, rows, room - 1);
		draw_rows(c, y + 1, room - 1, pane, rows, &dev_cols, &ctx_cols, v);
		if (!rows->nr)
			draw_empty(c, y + 1, f, v);
		return;
	}
	if (v->plain || room >= (int)devs->nr + (int)ctxs->nr + 4)
		blank = 1;
	page = share(room - titles - blank, (int)devs->nr, ctxs->nr ? (int)ctxs->nr : 1);
	scroll_to_selected(v, PANE_DEVS, devs, page);
	columns_titles(&dev_cols, c, y, v);
	draw_more(c, y, v, PANE_DEVS, devs, page);
	draw_rows(c, y + 1, page, PANE_DEVS, devs, &dev_cols, &ctx_cols, v);
	y += 1 + page + blank;

	page = bottom - y - 1;
	scroll_to_selected(v, PANE_CTXS, ctxs, page);
	columns_titles(&ctx_cols, c, y, v);
	draw_more(c, y, v, PANE_CTXS, ctxs, page);
	draw_rows(c, y + 1, page, PANE_CTXS, ctxs, &dev_cols, &ctx_cols, v);
	if (!ctxs->nr)
		draw_empty(c, y + 1, f, v);
}

/* One list, and both lines of titles above it where there is room. */
static void draw_tree(struct canvas *c, int y, int bottom, const struct frame *f,
		      struct view *v, const struct rows *rows)
{
	struct columns dev_cols, ctx_cols;

	v->focus = PANE_CTXS;
	columns_choose(&dev_cols, PANE_DEVS, rows, v, c->width);
	columns_choose(&ctx_cols, PANE_CTXS, rows, v, c->width);
	if (bottom - y >= 5)
		columns_titles(&dev_cols, c, y++, v);
	columns_titles(&ctx_cols, c, y++, v);
	scroll_to_selected(v, PANE_CTXS, rows, bottom - y);
	draw_more(c, y - 1, v, PANE_CTXS, rows, bottom - y);
	draw_rows(c, y, bottom - y, PANE_CTXS, rows, &dev_cols, &ctx_cols, v);
	if (!rows->nr)
		draw_empty(c, y, f, v);
}

/* ------------------------------------------------------------------- all of it */

static void draw_help(struct canvas *c)
{
	for (int y = 0; y < c->height; y++)
		if (!help_line(c, y))
			break;
}

int layout_draw(struct canvas *c, const struct frame *f, struct view *v)
{
	struct rows devs, ctxs;
	int y, bottom;

	for (y = 0; y < c->height; y++)
		canvas_fill(c, y, 0, c->width, ' ', STYLE_NORMAL);
	if (!v->plain && (c->width < VIEW_MIN_WIDTH || c->height < VIEW_MIN_HEIGHT)) {
		canvas_printf(c, 0, 0, c->width, STYLE_NORMAL, c->width < 40 ? "need %dx%d" :
			      "accel-top needs a terminal of %dx%d", VIEW_MIN_WIDTH,
			      VIEW_MIN_HEIGHT);
		return 0;
	}
	if (v->help) {
		draw_help(c);
		return 0;
	}
	if (rows_build(&devs, f, v, PANE_DEVS))
		return -1;
	if (rows_build(&ctxs, f, v, PANE_CTXS)) {
		rows_free(&devs);
		return -1;
	}
	y = draw_header(c, f, v);
	bottom = c->height - draw_footer(c, v);
	if (v->tree)
		draw_tree(c, y, bottom, f, v, &ctxs);
	else
		draw_flat(c, y, bottom, f, v, &devs, &ctxs);
	rows_free(&devs);
	rows_free(&ctxs);
	return 0;
}

int layout_plain(struct canvas *c, const struct frame *f, struct view *v, int width)
{
	struct rows devs, ctxs;
	int height;

	if (rows_build(&devs, f, v, PANE_DEVS))
		return -1;
	if (rows_build(&ctxs, f, v, PANE_CTXS)) {
		rows_free(&devs);
		return -1;
	}
	/* Two lines of header, the notes, two of titles, a blank one. */
	height = 5 + (int)(f->nr_notes + (v->tree ? 0 : devs.nr) + (ctxs.nr ? ctxs.nr : 1));
	rows_free(&devs);
	rows_free(&ctxs);
	if (canvas_init(c, width, height, v->utf8))
		return -1;
	return layout_draw(c, f, v);
}
