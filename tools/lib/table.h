/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plain tables: libsmartcols without its ceremony. Columns fit their contents;
 * a terminal's width is kept, a pipe gets all.
 *
 * ::
 *
 *	static const struct table_column columns[] = {
 *		{ "NAME", 0 }, { "BYTES", TABLE_RIGHT }, { NULL, 0 }
 *	};
 *	struct table t;
 *
 *	if (table_begin(&t, columns))
 *		return -ENOMEM;
 *	table_row(&t);
 *	table_cell(&t, "acc0");
 *	table_cell(&t, FMT(fmt_bytes, 4096));
 *	err = table_end(&t, stdout);
 */
#ifndef TOOLS_LIB_TABLE_H
#define TOOLS_LIB_TABLE_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <libsmartcols/libsmartcols.h>

#define TABLE_RIGHT	(1U << 0)	/* numbers */
#define TABLE_TRUNC	(1U << 1)	/* the first to be cut when the terminal is too narrow */

struct table_column {
	const char *title;
	unsigned int flags;
};

struct table {
	struct libscols_table *scols;
	struct libscols_line *line;
	size_t next;
	int error;
};

/* table_begin() - @columns ends with a NULL title; 0 or -ENOMEM */
static inline int table_begin(struct table *t, const struct table_column *columns)
{
	*t = (struct table){ .scols = scols_new_table() };
	if (!t->scols)
		return -ENOMEM;
	for (; columns->title; columns++) {
		int flags = (columns->flags & TABLE_RIGHT ? SCOLS_FL_RIGHT : 0) |
			    (columns->flags & TABLE_TRUNC ? SCOLS_FL_TRUNC : 0);

		if (!scols_table_new_column(t->scols, columns->title, 0, flags)) {
			scols_unref_table(t->scols);
			t->scols = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

/* table_row() - begin the next row */
static inline void table_row(struct table *t)
{
	t->next = 0;
	t->line = scols_table_new_line(t->scols, NULL);
	if (!t->line)
		t->error = -ENOMEM;
}

/* table_cell() - the row's next cell; NULL: "-" */
static inline void table_cell(struct table *t, const char *text)
{
	if (!t->line)
		return;
	if (scols_line_set_data(t->line, t->next++, text ? text : "-"))
		t->error = -ENOMEM;
}

/* table_cellf() - the same with a format */
__attribute__((format(printf, 2, 3)))
static inline void table_cellf(struct table *t, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	table_cell(t, text);
}

/* table_end() - print it to @f and free it; 0 or -errno */
static inline int table_end(struct table *t, FILE *f)
{
	int err = t->error;

	scols_table_set_stream(t->scols, f);
	if (!err)
		err = scols_print_table(t->scols);
	scols_unref_table(t->scols);
	t->scols = NULL;
	return err;
}

#endif /* TOOLS_LIB_TABLE_H */
