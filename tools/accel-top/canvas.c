// SPDX-License-Identifier: GPL-2.0-only
/* Lines of styled cells; see canvas.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "canvas.h"
#include "text.h"
#include "utf8.h"

int canvas_init(struct canvas *c, int width, int height, bool utf8)
{
	c->width = width > 0 ? width : 1;
	c->height = height > 0 ? height : 1;
	c->utf8 = utf8;
	c->cells = calloc((size_t)c->width * c->height, sizeof(*c->cells));
	if (!c->cells)
		return -1;
	for (int y = 0; y < c->height; y++)
		canvas_fill(c, y, 0, c->width, ' ', STYLE_NORMAL);
	return 0;
}

void canvas_free(struct canvas *c)
{
	free(c->cells);
	c->cells = NULL;
}

/* NULL outside. */
struct cell *canvas_at(const struct canvas *c, int y, int x)
{
	if (y < 0 || x < 0 || y >= c->height || x >= c->width)
		return NULL;
	return &c->cells[(size_t)y * c->width + x];
}

static void put(struct canvas *c, int y, int x, uint32_t ch, enum style style)
{
	struct cell *cell = canvas_at(c, y, x);

	if (cell) {
		cell->ch = ch;
		cell->style = style;
	}
}

void canvas_fill(struct canvas *c, int y, int x, int width, uint32_t ch, enum style style)
{
	for (int i = 0; i < width; i++)
		put(c, y, x + i, ch, style);
}

void canvas_restyle(struct canvas *c, int y, int x, int width, enum style style)
{
	for (int i = 0; i < width; i++) {
		struct cell *cell = canvas_at(c, y, x + i);

		if (cell)
			cell->style = style;
	}
}

/* ------------------------------------------------------------------ text */

/*
 * The next thing to draw of @text into @out: one character (possibly two cells
 * wide) or an escape sequence. Returns the number of characters in @out and
 * advances @text; 0 at the end.
 */
static int next_glyphs(const char **text, bool utf8, uint32_t out[8], int *cells)
{
	unsigned char first = (unsigned char)**text;
	char esc[12];
	int32_t ch;
	int len, w;

	if (!first)
		return 0;
	ch = utf8_decode((const unsigned char *)*text, SIZE_MAX, &len);
	*text += len;
	if (ch >= 0x20 && ch < 0x7f) {
		out[0] = (uint32_t)ch;
		*cells = 1;
		return 1;
	}
	if (ch >= 0xa0 && utf8 && text_printable((uint32_t)ch)) {
		w = wcwidth((wchar_t)ch);
		if (w == 1 || w == 2) {
			out[0] = (uint32_t)ch;
			*cells = w;
			return 1;
		}
	}
	if (ch < 0)
		snprintf(esc, sizeof(esc), "\\x%02x", first);
	else if (ch < 0x100)
		snprintf(esc, sizeof(esc), "\\x%02x", (unsigned int)ch);
	else
		snprintf(esc, sizeof(esc), "\\u%04x", (unsigned int)ch);
	for (len = 0; esc[len]; len++)
		out[len] = (uint32_t)esc[len];
	*cells = len;
	return len;
}

int canvas_text_width(const char *text, bool utf8)
{
	uint32_t glyphs[8];
	int cells, total = 0;

	while (next_glyphs(&text, utf8, glyphs, &cells))
		total += cells;
	return total;
}

/* Draws @text from @x on, at most @width cells; returns the cells used. */
static int draw(struct canvas *c, int y, int x, int width, enum style style, const char *text)
{
	uint32_t glyphs[8];
	int n, cells, used = 0;

	while ((n = next_glyphs(&text, c->utf8, glyphs, &cells)) && used + cells <= width) {
		if (n == 1 && cells == 2) {
			put(c, y, x + used, glyphs[0], style);
			put(c, y, x + used + 1, 0, style);
		} else {
			for (int i = 0; i < n; i++)
				put(c, y, x + used + i, glyphs[i], style);
		}
		used += cells;
	}
	return used;
}

/* Cuts with an ellipsis what does not fit. Returns the cells used. */
int canvas_text(struct canvas *c, int y, int x, int width, enum align align, enum style style,
		const char *text)
{
	uint32_t glyphs[8], dots = c->utf8 ? 0x2026 : '~';
	int total = canvas_text_width(text, c->utf8);
	int cells, used;

	if (width <= 0)
		return 0;
	if (total <= width) {
		if (align == ALIGN_RIGHT)
			x += width - total;
		return draw(c, y, x, width, style, text);
	}
	if (align == ALIGN_TAIL) {
		while (total > width - 1 && next_glyphs(&text, c->utf8, glyphs, &cells))
			total -= cells;
		put(c, y, x, dots, style);
		return 1 + draw(c, y, x + 1, width - 1, style, text);
	}
	used = draw(c, y, x, width - 1, style, text);
	put(c, y, x + used, dots, style);
	return used + 1;
}

int canvas_printf(struct canvas *c, int y, int x, int width, enum style style,
		  const char *fmt, ...)
{
	char buf[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	return canvas_text(c, y, x, width, ALIGN_LEFT, style, buf);
}

/* ------------------------------------------------------------------ bars */

static double within_1(double part)
{
	return part > 0 ? (part < 1 ? part : 1) : 0;
}

/* Filled from the left; an eighth of a cell counts where the character set has it. */
void canvas_bar(struct canvas *c, int y, int x, int width, double part, enum style style)
{
	int eighths = (int)(within_1(part) * width * 8 + 0.5);

	if (!eighths && part > 0)
		eighths = 1;
	for (int i = 0; i < width; i++, eighths -= 8) {
		if (!c->utf8)
			put(c, y, x + i, eighths >= 4 ? '#' : '.',
			    eighths >= 4 ? style : STYLE_DIM);
		else if (eighths >= 8)
			put(c, y, x + i, 0x2588, style);
		else if (eighths > 0)
			put(c, y, x + i, 0x2590 - (uint32_t)eighths, style);
		else
			put(c, y, x + i, 0xb7, STYLE_DIM);
	}
}

/*
 * One cell that shows a height: blocks, or tenths as a digit. Seven eighths are
 * all of it, so that rows do not run into each other.
 */
void canvas_level(struct canvas *c, int y, int x, double part, enum style style)
{
	int level;

	part = within_1(part);
	if (c->utf8) {
		level = (int)(part * 7 + 0.5);
		if (!level)
			put(c, y, x, part > 0 ? 0x2581 : 0xb7, part > 0 ? style : STYLE_DIM);
		else
			put(c, y, x, 0x2580 + (uint32_t)level, style);
		return;
	}
	level = (int)(part * 10);
	put(c, y, x, part > 0 ? "0123456789"[level > 9 ? 9 : level] : '.',
	    part > 0 ? style : STYLE_DIM);
}

/* --------------------------------------------------------------- to text */

size_t canvas_encode(uint32_t ch, char out[4])
{
	if (ch < 0x80) {
		out[0] = (char)ch;
		return 1;
	}
	if (ch < 0x800) {
		out[0] = (char)(0xc0 | ch >> 6);
		out[1] = (char)(0x80 | (ch & 0x3f));
		return 2;
	}
	if (ch < 0x10000) {
		out[0] = (char)(0xe0 | ch >> 12);
		out[1] = (char)(0x80 | (ch >> 6 & 0x3f));
		out[2] = (char)(0x80 | (ch & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | ch >> 18);
	out[1] = (char)(0x80 | (ch >> 12 & 0x3f));
	out[2] = (char)(0x80 | (ch >> 6 & 0x3f));
	out[3] = (char)(0x80 | (ch & 0x3f));
	return 4;
}

/* A line as UTF-8 without the blanks at its end; NUL-terminated. */
size_t canvas_line(const struct canvas *c, int y, char *buf, size_t size)
{
	size_t len = 0, end = 0;

	for (int x = 0; x < c->width; x++) {
		const struct cell *cell = canvas_at(c, y, x);

		if (!cell || len + 5 > size)
			break;
		if (!cell->ch)
			continue;
		len += canvas_encode(cell->ch, buf + len);
		if (cell->ch != ' ')
			end = len;
	}
	buf[end] = '\0';
	return end;
}
