/* SPDX-License-Identifier: GPL-2.0-only */
/* What the command line has decided, and the three ways of showing frames. */
#ifndef ACCEL_TOP_OPTIONS_H
#define ACCEL_TOP_OPTIONS_H

#include <signal.h>
#include <stdbool.h>

#include "collect.h"
#include "stats_maps.h"
#include "view.h"

struct options {
	bool batch;
	bool json;
	bool no_color;
	bool require_latency;
	bool no_latency;
	long long frames;	/* 0: for ever */
	struct stats_room room;	/* for latencies, where we load the programs */
	long long width;	/* of a batch line; 0: the terminal's, or all columns */
};

/* Nobody has called collect_attach() yet, and somebody should. */
static inline bool attach_later(const struct options *o)
{
	return !o->no_latency && !o->require_latency;
}

/* Set by SIGINT, SIGTERM and SIGHUP, which are blocked but while the loops wait. */
extern volatile sig_atomic_t stop_signal;
extern sigset_t wait_mask;

/* "accel-top: ..." on stderr; returns EXIT_FAILED */
int complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Each returns the code to exit with. */
int screen_run(struct collect *c, struct view *v, const struct options *o);
int batch_run(struct collect *c, struct view *v, const struct options *o);

#endif
