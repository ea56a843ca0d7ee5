// SPDX-License-Identifier: GPL-2.0-only
/* The page behind the key h: it fits 80x24. */
#include "help.h"

static const struct {
	const char *key, *text;
} lines[] = {
	{ "", "accel-top: accelerators, and the processes that use them" },
	{ "", "" },
	{ "arrows PgUp PgDn Home End", "select a row" },
	{ "Tab", "to the devices and back to the contexts" },
	{ "< >  or  s", "sort by the column to the left or right, by the next one" },
	{ "r", "reverse the order" },
	{ "/  n", "search in command, user, cgroup, device; the next one" },
	{ "f  F4", "show only the contexts that match; empty shows all" },
	{ "e", "a line for each engine" },
	{ "t  F5", "contexts below their device" },
	{ "p  space", "pause: the picture stands, counting goes on" },
	{ "d", "seconds between two frames" },
	{ "k  F9", "send SIGTERM to the selected context's process, after asking" },
	{ "h  ?  F1", "this page" },
	{ "q  F10", "quit" },
	{ "", "" },
	{ "UTIL", "engine: time with a job running; context: its share of the device" },
	{ "WAIT RUN", "a job in its queue, a job on its engine" },
	{ "IOCTL PIN", "a system call; pinning and mapping of memory" },
	{ "p50 p99", "of this interval; half, or 99 of 100, took no longer" },
	{ "ERR", "failed calls and jobs since the start; red: new in this interval" },
	{ "-", "not known: no event in this interval, or no permission" },
};

bool help_line(struct canvas *c, int y)
{
	int column = c->width >= 60 ? 27 : 10;

	if (y < 0 || y >= (int)(sizeof(lines) / sizeof(lines[0])))
		return false;
	if (!lines[y].key[0]) {
		canvas_text(c, y, 0, c->width, ALIGN_LEFT, STYLE_TITLE, lines[y].text);
		return true;
	}
	canvas_text(c, y, 0, column - 1, ALIGN_LEFT, STYLE_BOLD, lines[y].key);
	canvas_text(c, y, column, c->width - column, ALIGN_LEFT, STYLE_NORMAL, lines[y].text);
	return true;
}
