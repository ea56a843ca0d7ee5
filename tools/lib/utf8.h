/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether bytes from elsewhere are text. */
#ifndef TOOLS_LIB_UTF8_H
#define TOOLS_LIB_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* utf8_decode() - the character at @s, and in @len its bytes; -1 when there is none, see below */
int32_t utf8_decode(const unsigned char *s, size_t left, int *len);

/*
 * utf8_length() - bytes of the UTF-8 sequence at @s (which has @left bytes), 0 when it is
 * not one: overlong forms, surrogates and what is above U+10FFFF included.
 */
int utf8_length(const unsigned char *s, size_t left);

#endif /* TOOLS_LIB_UTF8_H */
