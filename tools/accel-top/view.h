/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the user has asked to see: changed by the command line and by keys.c,
 * read by rows.c and layout.c. No part of it comes from the devices.
 */
#ifndef ACCEL_TOP_VIEW_H
#define ACCEL_TOP_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

#define VIEW_INPUT_LEN	64
#define VIEW_MIN_DELAY	0.1
#define VIEW_MAX_DELAY	3600.0
#define VIEW_MIN_WIDTH	20
#define VIEW_MIN_HEIGHT	5

enum pane { PANE_DEVS, PANE_CTXS, PANE_NR };

/* -s KEY and the order of < and >; -1 where a column cannot be sorted by. */
enum sort_key {
	SORT_UTIL, SORT_JOBS, SORT_BYTES, SORT_PINNED, SORT_MAPPED, SORT_WAIT, SORT_RUN,
	SORT_IOCTL, SORT_PIN, SORT_ERRORS, SORT_AGE, SORT_CTX, SORT_DEV, SORT_PID, SORT_USER,
	SORT_CGROUP, SORT_COMMAND, SORT_NR
};

enum prompt { PROMPT_NONE, PROMPT_SEARCH, PROMPT_FILTER, PROMPT_DELAY, PROMPT_KILL };

/* A row by what it shows, not by where it stands: it survives sorting and new frames. */
struct row_id {
	uint64_t dev;		/* 0: none */
	uint64_t ctx;		/* 0: the row of a device or of its engine */
	int engine;		/* -1: the row of the device or context itself */
};

struct view {
	/* which rows, in which order */
	uint32_t pid;			/* 0: all */
	char user[FRAME_NAME_LEN];	/* "": all */
	char filter[VIEW_INPUT_LEN];	/* "": all */
	char search[VIEW_INPUT_LEN];
	enum sort_key sort;
	bool reverse;
	bool tree;
	bool expand;

	/* how */
	double delay;
	bool utf8;
	bool plain;			/* batch: figures only, no bars, no footer */
	bool readonly;
	bool paused;
	bool help;

	/* where */
	enum pane focus;
	struct row_id selected[PANE_NR];
	bool chosen[PANE_NR];		/* by the user; else it is the first row */
	int scroll[PANE_NR];
	int page[PANE_NR];		/* rows on the screen, as last drawn */

	/* the line at the bottom */
	enum prompt prompt;
	char input[VIEW_INPUT_LEN];
	char message[160];		/* until the next key */
	bool message_bad;
	uint32_t kill_pid;
	uint64_t kill_age_ns;		/* of its context, when this was drawn */
	uint64_t kill_drawn_ns;		/* CLOCK_REALTIME */
	char kill_command[32];
};

void view_init(struct view *v);

#endif
