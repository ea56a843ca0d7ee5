/* SPDX-License-Identifier: GPL-2.0-only */
/* What the exporter says, as of the moment at which it is asked: nothing is kept for later. */
#ifndef ACCEL_EXPORTER_METRICS_H
#define ACCEL_EXPORTER_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "exposition.h"

struct latencies;

/* One thread's. */
struct metrics {
	bool contexts;			/* a series for each context */
	struct latencies *latencies;
	uint64_t scrapes;
	uint64_t failed;		/* of these */
	char error[256];		/* of the last one, "": none */
};

/* metrics_open() - 0 or -ENOMEM */
int metrics_open(struct metrics *m, bool contexts);
void metrics_close(struct metrics *m);

/*
 * metrics_write() - all there is to say, a whole document even if that is not much
 *
 * 0; -ENODEV: the subsystem is not loaded; -errno: it cannot be read. Then m->error says why.
 */
int metrics_write(struct metrics *m, FILE *f, enum text_format format);

#endif /* ACCEL_EXPORTER_METRICS_H */
