/* SPDX-License-Identifier: GPL-2.0-only */
/* What a key does to the view; knows neither terminal nor processes. */
#ifndef ACCEL_TOP_KEYS_H
#define ACCEL_TOP_KEYS_H

#include "frame.h"
#include "view.h"

/* Characters are themselves; what has none: */
enum key {
	KEY_OF_UP = 0x110000, KEY_OF_DOWN, KEY_OF_PGUP, KEY_OF_PGDN, KEY_OF_HOME, KEY_OF_END,
	KEY_OF_BACKSPACE, KEY_OF_ENTER, KEY_OF_ESC, KEY_OF_TAB,
	KEY_OF_F1, KEY_OF_F2, KEY_OF_F3, KEY_OF_F4, KEY_OF_F5, KEY_OF_F6, KEY_OF_F7,
	KEY_OF_F8, KEY_OF_F9, KEY_OF_F10,
};

/* What is left for the caller to do. */
enum action {
	ACTION_NONE,
	ACTION_DRAW,
	ACTION_QUIT,
	ACTION_ASK_KILL,	/* kill_pid was chosen: get hold of it before the question */
	ACTION_KILL,		/* the question was answered with yes */
	ACTION_NO_KILL,
	ACTION_DELAY,		/* delay was changed */
};

enum action keys_press(struct view *v, const struct frame *f, uint32_t key);

#endif
