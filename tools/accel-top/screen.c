// SPDX-License-Identifier: GPL-2.0-only
/* The terminal: paints what layout.c has made, and hands keys to keys.c. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>
#undef lines
#undef columns

#include "bpf_util.h"
#include "keys.h"
#include "layout.h"
#include "options.h"
#include "proc.h"

#define FIRST_DELAY	0.5	/* until the second look: nobody likes to wait for figures */

struct screen {
	SCREEN *terminal;
	attr_t attr[STYLE_NR];
	short pair[STYLE_NR];
	int victim;		/* pidfd of the process that may be killed, or -1 */
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---------------------------------------------------------------------- looks */

static const struct {
	short fg, bg;
	attr_t color, mono;
} looks[STYLE_NR] = {
	[STYLE_NORMAL]	 = { -1, -1, A_NORMAL, A_NORMAL },
	[STYLE_DIM]	 = { -1, -1, A_DIM, A_DIM },
	[STYLE_BOLD]	 = { -1, -1, A_BOLD, A_BOLD },
	[STYLE_TITLE]	 = { COLOR_CYAN, -1, A_BOLD, A_BOLD },
	[STYLE_HEADER]	 = { COLOR_BLACK, COLOR_GREEN, A_NORMAL, A_REVERSE },
	[STYLE_SORTED]	 = { COLOR_BLACK, COLOR_CYAN, A_NORMAL, A_REVERSE | A_BOLD | A_UNDERLINE },
	[STYLE_SELECTED] = { COLOR_BLACK, COLOR_CYAN, A_NORMAL, A_REVERSE },
	[STYLE_GOOD]	 = { COLOR_GREEN, -1, A_NORMAL, A_NORMAL },
	[STYLE_LOW]	 = { COLOR_GREEN, -1, A_NORMAL, A_NORMAL },
	[STYLE_MID]	 = { COLOR_CYAN, -1, A_NORMAL, A_NORMAL },
	[STYLE_HIGH]	 = { COLOR_YELLOW, -1, A_NORMAL, A_BOLD },
	[STYLE_WARN]	 = { COLOR_YELLOW, -1, A_NORMAL, A_BOLD },
	[STYLE_ERROR]	 = { COLOR_RED, -1, A_BOLD, A_BOLD | A_UNDERLINE },
	[STYLE_KEY]	 = { -1, -1, A_BOLD, A_BOLD },
	[STYLE_KEYTEXT]	 = { COLOR_BLACK, COLOR_CYAN, A_NORMAL, A_REVERSE },
	[STYLE_MATCH]	 = { COLOR_BLACK, COLOR_YELLOW, A_NORMAL, A_REVERSE | A_BOLD },
};

static void choose_looks(struct screen *s, bool color)
{
	color = color && has_colors() && start_color() == OK;
	if (color)
		use_default_colors();
	for (int i = 0; i < STYLE_NR; i++) {
		s->attr[i] = color ? looks[i].color : looks[i].mono;
		s->pair[i] = 0;
		if (!color || (looks[i].fg < 0 && looks[i].bg < 0))
			continue;
		s->pair[i] = (short)(i + 1);
		init_pair(s->pair[i], looks[i].fg, looks[i].bg);
	}
}

/* ------------------------------------------------------------ begin and end */

static int cannot(const char *what)
{
	complain("%s: use -b for plain text or --json", what);
	return EXIT_FAILED;
}

/* Says what is wrong before curses clears anything. */
static int check_terminal(void)
{
	const char *term = getenv("TERM"), *cup;
	char what[128];
	int err;

	if (!term || !*term)
		return cannot("TERM is not set, so the terminal is not known");
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return cannot("stdin and stdout are not both a terminal");
	if (setupterm(NULL, STDOUT_FILENO, &err) != OK) {
		snprintf(what, sizeof(what), "no description of terminal TERM=%.64s", term);
		return cannot(what);
	}
	cup = tigetstr("cup");
	del_curterm(cur_term);
	if (!cup || cup == (char *)-1) {
		snprintf(what, sizeof(what), "terminal TERM=%.64s cannot move its cursor", term);
		return cannot(what);
	}
	return EXIT_OK;
}

static int screen_begin(struct screen *s, bool color)
{
	int err = check_terminal();

	if (err)
		return err;
	s->terminal = newterm(NULL, stdout, stdin);
	if (!s->terminal)
		return cannot("the terminal cannot be used");
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	choose_looks(s, color);
	return EXIT_OK;
}

static void screen_end(struct screen *s)
{
	if (s->victim >= 0)
		close(s->victim);
	if (!s->terminal)
		return;
	endwin();
	delscreen(s->terminal);
}

/* ------------------------------------------------------------------- painting */

/* Cells of one style go out together. */
static void paint_line(struct screen *s, const struct canvas *c, int y)
{
	wchar_t run[512];
	int x = 0;

	while (x < c->width) {
		enum style style = canvas_at(c, y, x)->style;
		int begin = x, n = 0;

		for (; x < c->width && n < 511 && canvas_at(c, y, x)->style == style; x++)
			if (canvas_at(c, y, x)->ch)
				run[n++] = (wchar_t)canvas_at(c, y, x)->ch;
		run[n] = L'\0';
		attr_set(s->attr[style], s->pair[style], NULL);
		mvaddwstr(y, begin, run);
	}
}

static int paint(struct screen *s, const struct frame *f, struct view *v)
{
	struct canvas c;
	int err;

	if (canvas_init(&c, COLS, LINES, v->utf8))
		return -ENOMEM;
	err = layout_draw(&c, f, v);
	erase();
	for (int y = 0; !err && y < c.height; y++)
		paint_line(s, &c, y);
	refresh();
	canvas_free(&c);
	return err ? -ENOMEM : 0;
}

/* ----------------------------------------------------------------------- keys */

static uint32_t key_of(int kind, wint_t ch)
{
	if (kind == KEY_CODE_YES) {
		if (ch >= KEY_F(1) && ch <= KEY_F(10))
			return KEY_OF_F1 + (uint32_t)(ch - KEY_F(1));
		switch (ch) {
		case KEY_UP: return KEY_OF_UP;
		case KEY_DOWN: return KEY_OF_DOWN;
		case KEY_PPAGE: return KEY_OF_PGUP;
		case KEY_NPAGE: return KEY_OF_PGDN;
		case KEY_HOME: return KEY_OF_HOME;
		case KEY_END: return KEY_OF_END;
		case KEY_BACKSPACE: return KEY_OF_BACKSPACE;
		case KEY_ENTER: return KEY_OF_ENTER;
		case KEY_BTAB: return KEY_OF_TAB;
		}
		return 0;
	}
	switch (ch) {
	case '\r': case '\n': return KEY_OF_ENTER;
	case '\t': return KEY_OF_TAB;
	case 27: return KEY_OF_ESC;
	case 8: case 127: return KEY_OF_BACKSPACE;
	}
	return ch;
}

static void say(struct view *v, bool bad, const char *text, const char *arg)
{
	snprintf(v->message, sizeof(v->message), "%s%s", text, arg);
	v->message_bad = bad;
}

/*
 * A pidfd: whoever has the number when the answer comes is not who was meant. Nor is who
 * began after the context was opened: a file lives on in children, and in whoever was sent
 * it, when its opener has ended and the number is another's.
 */
static void hold_victim(struct screen *s, struct view *v)
{
	struct timespec ts;
	uint64_t now;

	s->victim = (int)syscall(SYS_pidfd_open, v->kill_pid, 0);
	if (s->victim < 0) {
		v->prompt = PROMPT_NONE;
		say(v, true, "kill: ", strerror(errno));
		return;
	}
	clock_gettime(CLOCK_REALTIME, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	if (proc_started_after((pid_t)v->kill_pid, v->kill_age_ns +
			       (now > v->kill_drawn_ns ? now - v->kill_drawn_ns : 0))) {
		close(s->victim);
		s->victim = -1;
		v->prompt = PROMPT_NONE;
		say(v, true, "kill: who opened it has ended, its number is another process' now", "");
	}
}

static void finish_victim(struct screen *s, struct view *v, bool kill)
{
	if (kill && syscall(SYS_pidfd_send_signal, s->victim, SIGTERM, NULL, 0))
		say(v, true, "kill: ", strerror(errno));
	else
		say(v, false, kill ? "SIGTERM sent to " : "not killed: ", v->kill_command);
	close(s->victim);
	s->victim = -1;
}

/* All keys that have come. Returns false when it is time to go. */
static bool take_keys(struct screen *s, struct view *v, const struct frame *f, double *next)
{
	double old = v->delay;
	wint_t ch;
	int kind;

	while ((kind = get_wch(&ch)) != ERR) {
		uint32_t key = key_of(kind, ch);

		if (kind == KEY_CODE_YES && ch == KEY_RESIZE)
			continue;
		switch (keys_press(v, f, key)) {
		case ACTION_QUIT:
			return false;
		case ACTION_ASK_KILL:
			hold_victim(s, v);
			break;
		case ACTION_KILL:
			finish_victim(s, v, true);
			break;
		case ACTION_NO_KILL:
			finish_victim(s, v, false);
			break;
		case ACTION_DELAY:
			*next += v->delay - old;
			old = v->delay;
			break;
		case ACTION_DRAW:
		case ACTION_NONE:
			break;
		}
	}
	return true;
}

/* ----------------------------------------------------------------------- loop */

/* Until a key, a signal or @next. False: the terminal is gone. */
static bool wait_for(double next)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	double left = next - now_s();
	struct timespec ts;

	if (left < 0)
		left = 0;
	ts.tv_sec = (time_t)left;
	ts.tv_nsec = (long)((left - (double)ts.tv_sec) * 1e9);
	if (ppoll(&fd, 1, &ts, &wait_mask) > 0 && fd.revents & (POLLHUP | POLLERR | POLLNVAL))
		return false;
	return !stop_signal;
}

/*
 * Counting goes on while the picture stands (@shown is kept): the intervals stay
 * what they are said to be.
 */
static int loop(struct screen *s, struct collect *c, struct view *v, const struct options *o,
		struct frame **shown)
{
	int err = collect_frame(c, shown);
	const char *why;
	long long n = 0;
	double next;

	/* Something to look at while the programs are loaded. */
	if (!err && attach_later(o)) {
		err = paint(s, *shown, v);
		collect_attach(c, &o->room, &why);
	}
	next = now_s() + (v->delay < FIRST_DELAY ? v->delay : FIRST_DELAY);
	while (!err) {
		struct frame *f;

		err = paint(s, *shown, v);
		if (err || !wait_for(next) || !take_keys(s, v, *shown, &next))
			break;
		if (now_s() < next)
			continue;
		if (o->frames && ++n >= o->frames)
			break;
		next += v->delay;
		if (next < now_s())
			next = now_s() + v->delay;	/* was stopped: do not catch up */
		err = collect_frame(c, &f);
		if (!err && v->paused) {
			frame_free(f);
		} else if (!err) {
			frame_free(*shown);
			*shown = f;
		}
	}
	return err;
}

int screen_run(struct collect *c, struct view *v, const struct options *o)
{
	struct screen s = { .victim = -1 };
	struct frame *shown = NULL;
	int err = screen_begin(&s, !o->no_color);

	if (err)
		return err;
	err = loop(&s, c, v, o, &shown);
	screen_end(&s);
	frame_free(shown);
	if (err == -ENODEV) {
		complain("the accelerator subsystem was unloaded");
		return EXIT_NO_DEVICE;
	}
	if (err) {
		complain("cannot read the accelerators: %s %s", strerror(-err),
			   collect_error(c));
		return EXIT_FAILED;
	}
	return EXIT_OK;
}
