/* SPDX-License-Identifier: GPL-2.0-only */
/* The two tables: which columns there are, which of them fit, and a row in them. */
#ifndef ACCEL_TOP_COLUMNS_H
#define ACCEL_TOP_COLUMNS_H

#include "canvas.h"
#include "rows.h"
#include "view.h"

#define COLUMNS_MAX	32

struct columns {
	enum pane pane;
	int nr;
	struct {
		const struct column *column;
		int x;
		int width;
	} at[COLUMNS_MAX];
};

void columns_choose(struct columns *cols, enum pane pane, const struct rows *rows,
		    const struct view *v, int width);
void columns_titles(const struct columns *cols, struct canvas *c, int y, const struct view *v);
void columns_row(const struct columns *cols, struct canvas *c, int y, const struct row *row,
		 const struct view *v);
int columns_width(const struct columns *cols);
/* The next sort key to the right (step 1) or left (-1) of the view's. */
enum sort_key columns_next_sort(const struct view *v, int step);

#endif
