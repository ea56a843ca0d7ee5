// SPDX-License-Identifier: GPL-2.0-only
/*
 * accel-top's picture: a pure function of a frame, a size and a view. Pictures
 * are compared with those in golden/, where every cell matters, and searched for
 * what must be in them where it does not.
 *
 * GOLDEN=show prints the pictures, GOLDEN=write makes them the right ones.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../tools/accel-top/canvas.c"
#include "../../tools/accel-top/cells.c"
#include "../../tools/accel-top/columns.c"
#include "../../tools/accel-top/frame.c"
#include "../../tools/accel-top/help.c"
#include "../../tools/accel-top/keys.c"
#include "../../tools/accel-top/layout.c"
#include "../../tools/accel-top/rows.c"

#define MS	1000000ULL
#define MIB	(1ULL << 20)
#define S	1000000000ULL

/* -------------------------------------------------------------------- fixtures */

static void set_lat(struct frame_lat *l, uint64_t p50, uint64_t p99)
{
	l->interval = (struct frame_quantiles){ 100, p50, p99, p99 };
	l->total = l->interval;
}

static void set_rates(struct frame_rates *r, unsigned int *valid, double util, double jobs,
		      double bytes)
{
	*valid |= FRAME_RATES;
	*r = (struct frame_rates){ util, jobs, bytes, 0 };
}

static void set_lats(struct frame_lat *l, unsigned int *valid)
{
	*valid |= FRAME_LATENCY;
	set_lat(&l[FRAME_IOCTL], 12300, 45600);
	set_lat(&l[FRAME_WAIT], 2 * MS, 80 * MS);
	set_lat(&l[FRAME_RUN], 150000, 1 * MS);
	set_lat(&l[FRAME_PIN], 400000, 3 * MS);
	set_lat(&l[FRAME_DMA], 90000, 2 * MS);
}

static struct frame *make_frame(size_t devs, size_t ctxs)
{
	struct frame *f = calloc(1, sizeof(*f));

	f->valid = FRAME_RATES | FRAME_LATENCY | FRAME_BPF_COST;
	f->time_ns = 1700000000 * S;
	f->interval_s = 1.0;
	strcpy(f->host, "node7");
	f->pinned = 96 * MIB;
	f->mapped = 96 * MIB;
	f->rate = (struct frame_rates){ 0.5, 12345, 3.2e9, 0 };
	f->self = (struct frame_self){ .cpu = 0.004, .bpf = 0.001, .bpf_ns = 85, .events = 1000 };
	f->nr_devs = devs;
	f->devs = calloc(devs + 1, sizeof(*f->devs));
	for (size_t i = 0; i < devs; i++) {
		struct frame_dev *d = &f->devs[i];

		d->id = 100 + i;
		d->index = (uint32_t)i;
		snprintf(d->name, sizeof(d->name), "acc%zu", i);
		strcpy(d->driver, i ? "accel_soft" : "accel_edu");
		strcpy(d->parent, i ? "platform/soft.0" : "pci/0000:00:04.0");
		d->contexts = 1;
		d->pinned = 32 * MIB;
		d->mapped = 32 * MIB;
		set_rates(&d->rate, &d->valid, i ? 0.95 : 0.5, 4000, 1.1e9);
		set_lats(d->lat, &d->valid);
		d->nr_engines = i ? 4 : 1;
		d->engines = calloc(d->nr_engines, sizeof(*d->engines));
		for (size_t k = 0; k < d->nr_engines; k++) {
			struct frame_engine *e = &d->engines[k];

			snprintf(e->name, sizeof(e->name), "eng%zu", k);
			e->index = (uint32_t)k;
			set_rates(&e->rate, &e->valid, 0.25 * (double)(k + 1), 1000, 1e8);
			set_lats(e->lat, &e->valid);
		}
		for (size_t k = 0; k < 20; k++)
			d->history[d->nr_history++] = (float)k / 20;
	}
	f->nr_ctxs = ctxs;
	f->ctxs = calloc(ctxs + 1, sizeof(*f->ctxs));
	for (size_t i = 0; i < ctxs; i++) {
		struct frame_ctx *c = &f->ctxs[i];
		size_t dev = devs ? i % devs : 0;

		c->id = 41 + i;
		c->dev_id = 100 + dev;
		c->dev_index = (uint32_t)dev;
		snprintf(c->dev_name, sizeof(c->dev_name), "acc%zu", dev);
		c->valid = FRAME_PID | FRAME_USER | FRAME_CGROUP | FRAME_COMMAND;
		c->pid = (uint32_t)(1000 + i);
		strcpy(c->user, i % 2 ? "bob" : "alice");
		snprintf(c->command, sizeof(c->command), "load --job %zu", i);
		strcpy(c->cgroup, "/tenants/red");
		c->age_ns = (i + 1) * 61 * S;
		c->pinned = (i + 1) * 8 * MIB;
		set_rates(&c->rate, &c->valid, 0.1 * (double)(i % 10), 100 * (double)i, 1e6);
		set_lats(c->lat, &c->valid);
		c->nr_engines = 1;
		c->engines = calloc(1, sizeof(*c->engines));
		strcpy(c->engines[0].name, "eng0");
		set_rates(&c->engines[0].rate, &c->engines[0].valid, 0.1, 10, 1e5);
	}
	return f;
}

static struct view make_view(bool utf8)
{
	struct view v;

	view_init(&v);
	v.utf8 = utf8;
	return v;
}

/* The picture as text, lines without the blanks at their ends. */
static char *picture(const struct canvas *c)
{
	size_t size = (size_t)c->height * ((size_t)c->width * 4 + 2) + 1, len = 0;
	char *text = malloc(size);

	text[0] = '\0';
	for (int y = 0; y < c->height; y++) {
		len += canvas_line(c, y, text + len, size - len);
		strcpy(text + len++, "\n");
	}
	return text;
}

static char *draw_picture(const struct frame *f, struct view *v, int width, int height)
{
	struct canvas c;
	char *text;

	assert_int_equal(canvas_init(&c, width, height, v->utf8), 0);
	assert_int_equal(layout_draw(&c, f, v), 0);
	text = picture(&c);
	canvas_free(&c);
	return text;
}

static void drop(char *text, struct frame *f)
{
	free(text);
	frame_free(f);
}

static bool has(const char *text, const char *part)
{
	if (strstr(text, part))
		return true;
	print_message("no '%s' in:\n%s", part, text);
	return false;
}

/* golden/NAME.txt, beside this file */
static void assert_golden(const char *text, const char *name)
{
	const char *mode = getenv("GOLDEN"), *slash = strrchr(__FILE__, '/');
	char path[256], *want;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%.*s/golden/%s.txt", (int)(slash - __FILE__), __FILE__, name);
	if (mode && !strcmp(mode, "show"))
		printf("%s:\n%s", name, text);
	if (mode && !strcmp(mode, "write")) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(text, f);
		fclose(f);
	}
	f = fopen(path, "r");
	if (!f)
		print_message("no %s: run from the top of the tree\n", path);
	assert_non_null(f);
	want = calloc(1, 65536);
	len = fread(want, 1, 65535, f);
	fclose(f);
	if (strcmp(text, want))
		printf("is not %s (%zu bytes):\n%s", path, len, text);
	assert_true(!strcmp(text, want));
	free(want);
}

/* ---------------------------------------------------------------------- pictures */

static void golden(const char *name, int width, int height, struct view v, struct frame *f)
{
	char *text = draw_picture(f, &v, width, height);

	assert_golden(text, name);
	drop(text, f);
}

static void pictures(void **state)
{
	struct view v = make_view(true), ascii = make_view(false);

	(void)state;
	golden("top-20x5", 20, 5, v, make_frame(2, 6));
	golden("top-80x24", 80, 24, v, make_frame(3, 4));
	golden("top-80x24-ascii", 80, 24, ascii, make_frame(3, 4));
	golden("top-80x24-more", 80, 24, v, make_frame(12, 30));
	golden("top-12x3", 12, 3, v, make_frame(2, 6));
	golden("top-no-device", 80, 24, v, make_frame(0, 0));
	v.expand = true;
	golden("top-200x50-engines", 200, 50, v, make_frame(3, 4));
	v.expand = false;
	v.tree = true;
	golden("top-100x30-tree", 100, 30, v, make_frame(3, 4));
	v.help = true;
	golden("top-80x24-help", 80, 24, v, make_frame(3, 4));
}

static void plain(void **state)
{
	struct frame *f = make_frame(2, 2);
	struct view v = make_view(false);
	struct canvas c;
	char *text;

	(void)state;
	v.plain = true;
	frame_note(f, "a note");
	assert_int_equal(layout_plain(&c, f, &v, 250), 0);
	text = picture(&c);
	canvas_free(&c);
	assert_golden(text, "top-batch");
	drop(text, f);
}

/* ------------------------------------------------------------------- what it says */

static void unknown_figures(void **state)
{
	struct frame *f = make_frame(1, 1);
	struct view v = make_view(false);
	char *text;

	(void)state;
	f->ctxs[0].valid = 0;
	f->devs[0].valid = 0;
	f->devs[0].engines[0].valid = 0;
	f->valid = 0;
	frame_note(f, "no latencies, because");
	text = draw_picture(f, &v, 120, 24);
	assert_true(has(text, "! no latencies, because"));
	assert_true(has(text, "util -  jobs/s -  data -"));
	assert_false(strstr(text, "80.0ms"));
	assert_false(strstr(text, "load"));	/* the command is known by its bit alone */
	drop(text, f);
}

static void styles(void **state)
{
	struct frame *f = make_frame(2, 2);
	struct view v = make_view(true);
	bool error = false, warn = false, high = false;
	struct canvas c;

	(void)state;
	f->devs[0].errors = 7;
	f->devs[0].rate.errors_new = 1;
	f->devs[1].errors = 9;
	v.sort = SORT_CTX;
	assert_int_equal(canvas_init(&c, 120, 24, true), 0);
	assert_int_equal(layout_draw(&c, f, &v), 0);
	for (int y = 3; y < 7; y++)
		for (int x = 0; x < c.width; x++) {
			const struct cell *cell = canvas_at(&c, y, x);

			error |= cell->style == STYLE_ERROR && cell->ch == '7';
			warn |= cell->style == STYLE_WARN && cell->ch == '9';
			high |= cell->style == STYLE_HIGH;
		}
	assert_true(error);	/* new ones */
	assert_true(warn);	/* old ones */
	assert_true(high);	/* 95 % */
	canvas_free(&c);
	frame_free(f);
}

/* Whatever a process calls itself: no control character reaches the terminal. */
static void hostile_names(void **state)
{
	static const char * const names[] = {
		"\033[2J\033]0;pwned\007", "a\nb\rc\td", "\x7f\x80\xff\xc3(", "\xc2\x9b" "31m",
		"\xe2\x80\xaegnp.exe", "\xe2\x80\x8b\xef\xbb\xbf", "\xed\xa0\x80",
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "e\xcc\x81",
	};
	static const char * const shown[] = {
		"\\x1b[2J\\x1b]0;pwned\\x07", "a\\x0ab\\x0dc\\x09d", "\\x7f\\x80\\xff\\xc3(",
		"\\x9b31m", "\\u202egnp.exe", "\\u200b\\ufeff", "\\xed\\xa0\\x80",
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "e\\u0301",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct frame *f = make_frame(1, 1);
		struct view v = make_view(true);
		char *text;

		strcpy(f->ctxs[0].command, names[i]);
		strcpy(f->ctxs[0].cgroup, names[i]);
		strcpy(f->ctxs[0].user, names[i]);
		strcpy(f->host, names[i]);
		frame_note(f, "%s", names[i]);
		text = draw_picture(f, &v, 300, 24);
		assert_true(has(text, shown[i]));
		for (char *c = text; *c; c++)
			assert_true(*c == '\n' || (unsigned char)*c >= 0x20);
		assert_null(strstr(text, "\xc2\x9b"));
		drop(text, f);
	}
}

static void long_names(void **state)
{
	struct frame *f = make_frame(1, 1);
	struct view v = make_view(true);
	char *text;

	(void)state;
	memset(f->ctxs[0].command, 'x', sizeof(f->ctxs[0].command) - 1);
	memset(f->ctxs[0].cgroup, 'y', sizeof(f->ctxs[0].cgroup) - 1);
	strcpy(f->ctxs[0].cgroup + 200, "/the-end");
	memset(f->ctxs[0].user, 'z', sizeof(f->ctxs[0].user) - 1);
	text = draw_picture(f, &v, 160, 24);
	assert_true(has(text, "\xe2\x80\xa6yyyy"));	/* a path loses its beginning */
	assert_true(has(text, "/the-end"));
	assert_true(has(text, "xxx\xe2\x80\xa6"));	/* a command its end */
	drop(text, f);
}

/* ----------------------------------------------------------------------- any size */

static unsigned int dice = 12345;

static unsigned int roll(unsigned int sides)
{
	dice = dice * 1103515245 + 12345;
	return (dice >> 16) % sides;
}

/* Sanitizers watch. The right half of a wide character is never without its left. */
static void any_size(void **state)
{
	struct frame *f = make_frame(9, 40);

	(void)state;
	strcpy(f->ctxs[3].command, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5");
	for (int i = 0; i < 3000; i++) {
		struct view v = make_view(roll(2));
		struct canvas c;

		v.tree = roll(2);
		v.expand = roll(2);
		v.plain = !roll(5);
		v.focus = roll(2) ? PANE_DEVS : PANE_CTXS;
		v.prompt = (enum prompt)roll(PROMPT_KILL + 1);
		v.scroll[PANE_CTXS] = (int)roll(100) - 50;
		f->nr_notes = roll(FRAME_MAX_NOTES);
		assert_int_equal(canvas_init(&c, 1 + (int)roll(320), 1 + (int)roll(60), v.utf8), 0);
		assert_int_equal(layout_draw(&c, f, &v), 0);
		for (int y = 0; y < c.height; y++)
			for (int x = 0; x < c.width; x++)
				assert_true(canvas_at(&c, y, x)->ch ||
					    (x && canvas_at(&c, y, x - 1)->ch > 0x1100));
		canvas_free(&c);
	}
	frame_free(f);
}

/* --------------------------------------------------------------------------- keys */

static enum action press(struct view *v, const struct frame *f, const char *keys)
{
	enum action action = ACTION_NONE;

	for (; *keys; keys++)
		action = keys_press(v, f, *keys == '\r' ? KEY_OF_ENTER : (uint32_t)*keys);
	return action;
}

static void sorting_and_filter(void **state)
{
	struct frame *f = make_frame(3, 6);
	struct view v = make_view(true);
	struct rows rows;

	(void)state;
	v.sort = SORT_PINNED;
	assert_int_equal(rows_build(&rows, f, &v, PANE_CTXS), 0);
	assert_int_equal(rows.nr, 6);
	assert_int_equal(rows.row[0].ctx->id, 46);	/* the largest first */
	rows_free(&rows);
	press(&v, f, "r");
	assert_int_equal(rows_build(&rows, f, &v, PANE_CTXS), 0);
	assert_int_equal(rows.row[0].ctx->id, 41);
	rows_free(&rows);
	assert_int_equal(press(&v, f, "fALICE\r"), ACTION_DRAW);
	assert_int_equal(rows_build(&rows, f, &v, PANE_CTXS), 0);
	assert_int_equal(rows.nr, 3);
	rows_free(&rows);
	for (int i = 0; i < SORT_NR; i++)
		assert_int_equal(sort_parse(sort_name((enum sort_key)i)), i);
	assert_int_equal(sort_parse("nothing"), -1);
	frame_free(f);
}

/* A column that is sorted by can be seen, and < undoes >. */
static void sort_keys(void **state)
{
	struct frame *f = make_frame(1, 2);
	struct view v = make_view(true);

	(void)state;
	for (int i = 0; i < SORT_NR; i++) {
		v.sort = (enum sort_key)i;
		press(&v, f, ">");
		assert_int_not_equal(v.sort, i);
		press(&v, f, "<");
		assert_int_equal(v.sort, i);
	}
	frame_free(f);
}

static void selection(void **state)
{
	struct frame *f = make_frame(3, 30);
	struct view v = make_view(true);
	char *text = draw_picture(f, &v, 80, 24);
	uint64_t first = v.selected[PANE_CTXS].ctx;

	(void)state;
	free(text);
	for (int i = 0; i < 29; i++)
		keys_press(&v, f, KEY_OF_DOWN);
	assert_int_not_equal(v.selected[PANE_CTXS].ctx, first);
	text = draw_picture(f, &v, 80, 24);
	assert_true(v.scroll[PANE_CTXS] > 0);
	/* It is gone: its neighbour, not the top of the list. */
	f->nr_ctxs = 20;
	free(text);
	text = draw_picture(f, &v, 80, 24);
	assert_true(v.scroll[PANE_CTXS] > 0);
	free(text);
	f->nr_ctxs = 30;
	press(&v, f, "/job 17\r");
	assert_int_equal(v.selected[PANE_CTXS].ctx, 41 + 17);
	press(&v, f, "/not there\r");
	assert_true(v.message_bad);
	frame_free(f);
}

static void killing(void **state)
{
	struct frame *f = make_frame(2, 3);
	struct view v = make_view(true);

	(void)state;
	v.sort = SORT_CTX;
	free(draw_picture(f, &v, 80, 24));
	assert_int_equal(press(&v, f, "k"), ACTION_ASK_KILL);
	assert_int_equal(v.kill_pid, 1000);
	assert_int_equal(press(&v, f, "x"), ACTION_NO_KILL);
	assert_int_equal(press(&v, f, "k"), ACTION_ASK_KILL);
	assert_int_equal(press(&v, f, "y"), ACTION_KILL);
	f->ctxs[0].valid &= ~FRAME_PID;
	assert_int_equal(press(&v, f, "k"), ACTION_DRAW);
	assert_true(v.message_bad);
	f->ctxs[0].valid |= FRAME_PID;
	v.readonly = true;
	assert_int_equal(press(&v, f, "k"), ACTION_DRAW);
	assert_int_equal(v.prompt, PROMPT_NONE);
	frame_free(f);
}

static void delays(void **state)
{
	struct frame *f = make_frame(1, 1);
	struct view v = make_view(true);

	(void)state;
	assert_int_equal(press(&v, f, "d2.5\r"), ACTION_DELAY);
	assert_true(v.delay > 2.4 && v.delay < 2.6);
	assert_int_equal(press(&v, f, "d0.01\r"), ACTION_DRAW);
	assert_int_equal(press(&v, f, "d-1\r"), ACTION_DRAW);
	assert_int_equal(press(&v, f, "dnan\r"), ACTION_DRAW);
	assert_int_equal(press(&v, f, "d1x\r"), ACTION_DRAW);
	assert_true(v.message_bad);
	assert_int_equal(press(&v, f, "d\r"), ACTION_DRAW);
	assert_true(v.delay > 2.4 && v.delay < 2.6);
	frame_free(f);
}

/* A cat on the keyboard, while devices and contexts come and go. */
static void any_keys(void **state)
{
	struct frame *f = make_frame(4, 25);
	struct view v = make_view(true);

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint32_t key = roll(3) ? 0x20 + roll(0x5f) :
			       KEY_OF_UP + roll(KEY_OF_F10 - KEY_OF_UP + 1);

		f->nr_devs = roll(5);
		f->nr_ctxs = roll(26);
		keys_press(&v, f, roll(50) ? key : 0x65e5);
		assert_true(strlen(v.input) < sizeof(v.input));
		if (!roll(20))
			free(draw_picture(f, &v, 1 + (int)roll(150), 1 + (int)roll(40)));
	}
	f->nr_devs = 4;
	f->nr_ctxs = 25;
	frame_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pictures), cmocka_unit_test(plain),
		cmocka_unit_test(unknown_figures), cmocka_unit_test(styles),
		cmocka_unit_test(hostile_names), cmocka_unit_test(long_names),
		cmocka_unit_test(any_size), cmocka_unit_test(sorting_and_filter),
		cmocka_unit_test(sort_keys), cmocka_unit_test(selection),
		cmocka_unit_test(killing), cmocka_unit_test(delays), cmocka_unit_test(any_keys),
	};

	setenv("TZ", "UTC", 1);
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
