/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text that somebody else has chosen (a process' name, a file's, a cgroup's), for a
 * terminal: what it shows must not be able to move the cursor, to change colors, or to
 * look like something that it is not.
 */
#ifndef TOOLS_LIB_TEXT_H
#define TOOLS_LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * text_printable() - whether @ch shows as itself: no control character (those beyond ASCII
 * included, of which U+009B begins terminals' commands), and none that hides, moves or
 * reorders what is around it
 */
bool text_printable(uint32_t ch);

/**
 * text_safe() - copy what may be shown
 * @to: @size bytes, terminated
 * @size: at least 1; a character that does not fit whole ends the copy
 * @from: of @max bytes at most, or until its NUL
 * @max: see @from
 *
 * Each byte that is no text, and each character that is not printable, becomes a '?'.
 *
 * Return: bytes written, without the NUL.
 */
size_t text_safe(char *to, size_t size, const char *from, size_t max);

/* TEXT_SAFE(text, max) - the same, in a buffer that lives until the end of the block */
struct text_buf {
	char text[256];
};
#define TEXT_SAFE(_text, _max)	text_safe_in(&(struct text_buf){ { 0 } }, _text, _max)
const char *text_safe_in(struct text_buf *b, const char *text, size_t max);

#endif /* TOOLS_LIB_TEXT_H */
