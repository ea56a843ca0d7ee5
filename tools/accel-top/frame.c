// SPDX-License-Identifier: GPL-2.0-only
/* A frame's memory. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "frame.h"

void frame_note(struct frame *f, const char *fmt, ...)
{
	va_list ap;

	if (f->nr_notes == FRAME_MAX_NOTES)
		return;
	va_start(ap, fmt);
	vsnprintf(f->notes[f->nr_notes++], sizeof(f->notes[0]), fmt, ap);
	va_end(ap);
}

void frame_free(struct frame *f)
{
	size_t i;

	if (!f)
		return;
	for (i = 0; i < f->nr_devs; i++) {
		free(f->devs[i].engines);
		free(f->devs[i].ops);
	}
	for (i = 0; i < f->nr_ctxs; i++) {
		free(f->ctxs[i].engines);
		free(f->ctxs[i].ops);
	}
	free(f->devs);
	free(f->ctxs);
	free(f);
}
