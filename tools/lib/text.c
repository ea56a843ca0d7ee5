// SPDX-License-Identifier: GPL-2.0-only
#include "text.h"

#include <string.h>

#include "utf8.h"

bool text_printable(uint32_t ch)
{
	if (ch < 0xa0)
		return ch >= 0x20 && ch < 0x7f;
	/* Characters that move, hide or reorder what is around them. */
	return !((ch >= 0x200b && ch <= 0x200f) || (ch >= 0x2028 && ch <= 0x202e) ||
		 (ch >= 0x2060 && ch <= 0x206f) || ch == 0xfeff || ch == 0x061c ||
		 (ch >= 0xe0000 && ch <= 0xe007f) || ch == 0xad);
}

size_t text_safe(char *to, size_t size, const char *from, size_t max)
{
	size_t at = 0, i = 0;

	while (i < max && from[i]) {
		int len;
		int32_t ch = utf8_decode((const unsigned char *)from + i, max - i, &len);
		bool good = ch >= 0 && text_printable((uint32_t)ch);

		if (at + (good ? (size_t)len : 1) >= size)
			break;
		if (good)
			memcpy(to + at, from + i, (size_t)len);
		else
			to[at] = '?';
		at += good ? (size_t)len : 1;
		i += (size_t)len;
	}
	to[at] = '\0';
	return at;
}

const char *text_safe_in(struct text_buf *b, const char *text, size_t max)
{
	text_safe(b->text, sizeof(b->text), text, max);
	return b->text;
}
