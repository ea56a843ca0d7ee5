/* SPDX-License-Identifier: GPL-2.0-only */
/* What one cell of a table says of its row. */
#ifndef ACCEL_TOP_CELLS_H
#define ACCEL_TOP_CELLS_H

#include "canvas.h"
#include "rows.h"
#include "view.h"

struct text {
	char text[280];
	enum style style;
	enum align align;
};

typedef void cell_fn(struct text *t, const struct row *row, const struct view *v);

enum style style_of_util(double util);

/* NULL: not known. */
const struct frame_rates *row_rates(const struct row *row);

/* Of rows of all kinds. */
cell_fn text_util, text_jobs, text_bytes, text_errors, text_pinned, text_mapped, text_none,
	text_ioctl50, text_ioctl99, text_wait50, text_wait99, text_run50, text_run99, text_pin99,
	text_dma99;

/* Of devices and their engines. */
cell_fn text_dev, text_state, text_driver, text_parent, text_contexts, text_queue;

/* Of contexts and what they do on an engine. */
cell_fn text_ctx, text_ctx_dev, text_pid, text_user, text_age, text_cgroup, text_command;

#endif
