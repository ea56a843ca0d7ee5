// SPDX-License-Identifier: GPL-2.0-only
/* What a key does to the view; see keys.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "columns.h"
#include "keys.h"
#include "rows.h"

static void say(struct view *v, bool bad, const char *text, const char *arg)
{
	snprintf(v->message, sizeof(v->message), "%s%s", text, arg);
	v->message_bad = bad;
}

/* ---------------------------------------------------------------- selection */

static void select_row(struct view *v, const struct rows *rows, int at)
{
	if (!rows->nr)
		return;
	at = at < 0 ? 0 : at;
	at = at < (int)rows->nr ? at : (int)rows->nr - 1;
	v->selected[v->focus] = row_id(&rows->row[at]);
	/* Who goes to the top wants to see what is there, whichever it is. */
	v->chosen[v->focus] = at > 0;
}

static void move(struct view *v, const struct frame *f, uint32_t key)
{
	struct rows rows;
	int at, page = v->page[v->focus] > 1 ? v->page[v->focus] - 1 : 1;

	if (rows_build(&rows, f, v, v->focus))
		return;
	at = rows_find(&rows, &v->selected[v->focus]);
	switch (key) {
	case KEY_OF_UP:
		select_row(v, &rows, at - 1);
		break;
	case KEY_OF_DOWN:
		select_row(v, &rows, at + 1);
		break;
	case KEY_OF_PGUP:
		select_row(v, &rows, at - page);
		break;
	case KEY_OF_PGDN:
		select_row(v, &rows, at + page);
		break;
	case KEY_OF_HOME:
		select_row(v, &rows, 0);
		break;
	case KEY_OF_END:
		select_row(v, &rows, (int)rows.nr - 1);
		break;
	}
	rows_free(&rows);
}

/* From the row after the selected one (@next), or from it, around the end. */
static void search(struct view *v, const struct frame *f, bool next)
{
	struct rows rows;
	int at;

	if (!v->search[0] || rows_build(&rows, f, v, v->focus))
		return;
	at = rows_find(&rows, &v->selected[v->focus]);
	for (size_t i = 0; i < rows.nr; i++) {
		size_t n = ((size_t)(at < 0 ? 0 : at) + i + next) % rows.nr;

		if (row_matches(&rows.row[n], v->search)) {
			select_row(v, &rows, (int)n);
			rows_free(&rows);
			return;
		}
	}
	say(v, true, "not found: ", v->search);
	rows_free(&rows);
}

static const struct frame_ctx *selected_ctx(const struct view *v, const struct frame *f)
{
	for (size_t i = 0; i < f->nr_ctxs; i++)
		if (f->ctxs[i].id == v->selected[PANE_CTXS].ctx &&
		    f->ctxs[i].dev_id == v->selected[PANE_CTXS].dev)
			return &f->ctxs[i];
	return NULL;
}

static enum action ask_kill(struct view *v, const struct frame *f)
{
	const struct frame_ctx *c = selected_ctx(v, f);

	if (v->readonly) {
		say(v, true, "kill: not with --readonly", "");
		return ACTION_DRAW;
	}
	if (v->focus != PANE_CTXS || !c) {
		say(v, true, "kill: select a context first", "");
		return ACTION_DRAW;
	}
	if (!(c->valid & FRAME_PID) || !c->pid) {
		say(v, true, "kill: its process is not in this pid namespace", "");
		return ACTION_DRAW;
	}
	v->chosen[PANE_CTXS] = true;
	v->kill_pid = c->pid;
	v->kill_age_ns = c->age_ns;
	v->kill_drawn_ns = f->time_ns;
	snprintf(v->kill_command, sizeof(v->kill_command), "%.31s", c->command);
	v->prompt = PROMPT_KILL;
	return ACTION_ASK_KILL;
}

/* -------------------------------------------------------------- the prompts */

static void open_prompt(struct view *v, enum prompt prompt, const char *text)
{
	v->prompt = prompt;
	snprintf(v->input, sizeof(v->input), "%s", text);
}

static enum action take_delay(struct view *v)
{
	char *end;
	double delay = strtod(v->input, &end);

	if (!v->input[0])
		return ACTION_DRAW;
	if (end == v->input || *end || !(delay >= VIEW_MIN_DELAY && delay <= VIEW_MAX_DELAY)) {
		say(v, true, "delay: 0.1 to 3600 seconds, not ", v->input);
		return ACTION_DRAW;
	}
	v->delay = delay;
	return ACTION_DELAY;
}

static enum action finish_prompt(struct view *v, const struct frame *f)
{
	enum prompt prompt = v->prompt;

	v->prompt = PROMPT_NONE;
	if (prompt == PROMPT_DELAY)
		return take_delay(v);
	if (prompt == PROMPT_FILTER) {
		memcpy(v->filter, v->input, sizeof(v->filter));
	} else {
		memcpy(v->search, v->input, sizeof(v->search));
		search(v, f, false);
	}
	return ACTION_DRAW;
}

static enum action in_prompt(struct view *v, const struct frame *f, uint32_t key)
{
	size_t len = strlen(v->input), n;
	char out[4];

	if (v->prompt == PROMPT_KILL) {
		v->prompt = PROMPT_NONE;
		return key == 'y' || key == 'Y' ? ACTION_KILL : ACTION_NO_KILL;
	}
	switch (key) {
	case KEY_OF_ENTER:
		return finish_prompt(v, f);
	case KEY_OF_ESC:
		v->prompt = PROMPT_NONE;
		return ACTION_DRAW;
	case KEY_OF_BACKSPACE:
		/* A whole character, not its last byte. */
		while (len && (v->input[len - 1] & 0xc0) == 0x80)
			len--;
		if (len)
			len--;
		v->input[len] = '\0';
		return ACTION_DRAW;
	}
	if (key < 0x20 || key == 0x7f || key >= KEY_OF_UP)
		return ACTION_NONE;
	n = canvas_encode(key, out);
	if (len + n < sizeof(v->input)) {
		memcpy(v->input + len, out, n);
		v->input[len + n] = '\0';
	}
	return ACTION_DRAW;
}

/* --------------------------------------------------------------- everything */

static enum action sort_step(struct view *v, int step)
{
	v->sort = columns_next_sort(v, step);
	v->reverse = false;
	say(v, false, "sorted by ", sort_name(v->sort));
	return ACTION_DRAW;
}

enum action keys_press(struct view *v, const struct frame *f, uint32_t key)
{
	v->message[0] = '\0';
	if (v->prompt != PROMPT_NONE)
		return in_prompt(v, f, key);
	if (v->help) {
		v->help = false;
		return key == 'q' || key == KEY_OF_F10 ? ACTION_QUIT : ACTION_DRAW;
	}
	switch (key) {
	case 'q': case 'Q': case 3: case KEY_OF_F10:
		return ACTION_QUIT;
	case 'h': case '?': case KEY_OF_F1:
		v->help = true;
		return ACTION_DRAW;
	case KEY_OF_UP: case KEY_OF_DOWN: case KEY_OF_PGUP: case KEY_OF_PGDN:
	case KEY_OF_HOME: case KEY_OF_END:
		move(v, f, key);
		return ACTION_DRAW;
	case KEY_OF_TAB:
		v->focus = v->focus == PANE_DEVS ? PANE_CTXS : PANE_DEVS;
		return ACTION_DRAW;
	case '<': case ',':
		return sort_step(v, -1);
	case '>': case '.': case 's': case KEY_OF_F6:
		return sort_step(v, 1);
	case 'r':
		v->reverse = !v->reverse;
		return ACTION_DRAW;
	case 't': case KEY_OF_F5:
		v->tree = !v->tree;
		return ACTION_DRAW;
	case 'e':
		v->expand = !v->expand;
		return ACTION_DRAW;
	case 'p': case ' ':
		v->paused = !v->paused;
		return ACTION_DRAW;
	case '/': case KEY_OF_F3:
		open_prompt(v, PROMPT_SEARCH, "");
		return ACTION_DRAW;
	case 'n':
		search(v, f, true);
		return ACTION_DRAW;
	case 'f': case KEY_OF_F4:
		open_prompt(v, PROMPT_FILTER, v->filter);
		return ACTION_DRAW;
	case 'd':
		open_prompt(v, PROMPT_DELAY, "");
		return ACTION_DRAW;
	case 'k': case KEY_OF_F9:
		return ask_kill(v, f);
	}
	return ACTION_DRAW;	/* at least a message has gone */
}
