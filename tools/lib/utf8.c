// SPDX-License-Identifier: GPL-2.0-only
#include "utf8.h"

int32_t utf8_decode(const unsigned char *s, size_t left, int *len)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int c = s[0];
	int n;

	*len = 1;
	if (c < 0x80)
		return (int32_t)c;
	if (c >= 0xc2 && c < 0xe0) {
		n = 2;
		c &= 0x1f;
	} else if (c >= 0xe0 && c < 0xf0) {
		n = 3;
		c &= 0x0f;
	} else if (c >= 0xf0 && c < 0xf5) {
		n = 4;
		c &= 0x07;
	} else {
		return -1;
	}
	for (int i = 1; i < n; i++) {
		/* a NUL is no continuation, so nothing behind it is read */
		if ((size_t)i >= left || (s[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return -1;
	*len = n;
	return (int32_t)c;
}

int utf8_length(const unsigned char *s, size_t left)
{
	int len;

	return utf8_decode(s, left, &len) < 0 ? 0 : len;
}
