/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines of styled cells, and the few ways of writing into them. Knows nothing
 * of terminals: screen.c paints a canvas with ncurses, batch.c prints it.
 *
 * Text from outside (a process may name itself anything) is made harmless here
 * and nowhere else: what is not printable appears escaped.
 */
#ifndef ACCEL_TOP_CANVAS_H
#define ACCEL_TOP_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum style {
	STYLE_NORMAL,
	STYLE_DIM,		/* labels, units, zeroes */
	STYLE_BOLD,
	STYLE_TITLE,
	STYLE_HEADER,		/* the line of column titles */
	STYLE_SORTED,		/* the title of the sort column */
	STYLE_SELECTED,
	STYLE_GOOD,
	STYLE_LOW,		/* bars by their height */
	STYLE_MID,
	STYLE_HIGH,
	STYLE_WARN,
	STYLE_ERROR,
	STYLE_KEY,
	STYLE_KEYTEXT,
	STYLE_MATCH,		/* found by search */
	STYLE_NR
};

/* ch 0: the right half of the wide character before it */
struct cell {
	uint32_t ch;
	uint8_t style;
};

struct canvas {
	int width;
	int height;
	bool utf8;
	struct cell *cells;
};

enum align { ALIGN_LEFT, ALIGN_RIGHT, ALIGN_TAIL /* left, but keeps the end when cut */ };

int canvas_init(struct canvas *c, int width, int height, bool utf8);
void canvas_free(struct canvas *c);
struct cell *canvas_at(const struct canvas *c, int y, int x);
void canvas_fill(struct canvas *c, int y, int x, int width, uint32_t ch, enum style style);
void canvas_restyle(struct canvas *c, int y, int x, int width, enum style style);
int canvas_text(struct canvas *c, int y, int x, int width, enum align align, enum style style,
		const char *text);
int canvas_printf(struct canvas *c, int y, int x, int width, enum style style,
		  const char *fmt, ...) __attribute__((format(printf, 6, 7)));
void canvas_bar(struct canvas *c, int y, int x, int width, double part, enum style style);
void canvas_level(struct canvas *c, int y, int x, double part, enum style style);
int canvas_text_width(const char *text, bool utf8);
size_t canvas_line(const struct canvas *c, int y, char *buf, size_t size);
size_t canvas_encode(uint32_t ch, char out[4]);

#endif
