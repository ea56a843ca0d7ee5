/* SPDX-License-Identifier: GPL-2.0-only */
/* Which rows a view of a frame has, and in which order. */
#ifndef ACCEL_TOP_ROWS_H
#define ACCEL_TOP_ROWS_H

#include <stddef.h>

#include "frame.h"
#include "view.h"

/* What stands on one line. */
struct row {
	const struct frame_dev *dev;		/* of the context too; NULL: not in this frame */
	const struct frame_ctx *ctx;		/* NULL: a row of the device */
	const struct frame_engine *engine;	/* a device's engine */
	const struct frame_usage *usage;	/* a context's */
	bool nested;				/* below its device, in the tree */
	bool last;				/* of its parent */
};

struct rows {
	size_t nr;
	struct row *row;
};

int rows_build(struct rows *rows, const struct frame *f, const struct view *v, enum pane pane);
void rows_free(struct rows *rows);
struct row_id row_id(const struct row *row);
bool row_is(const struct row *row, const struct row_id *id);
int rows_find(const struct rows *rows, const struct row_id *id);
bool row_matches(const struct row *row, const char *text);
bool rows_keep(const struct frame_ctx *ctx, const struct view *v);

const char *sort_name(enum sort_key key);
int sort_parse(const char *name);

#endif
