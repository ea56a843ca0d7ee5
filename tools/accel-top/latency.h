/* SPDX-License-Identifier: GPL-2.0-only */
/* Where latencies come from (tools/lib/stats.h), and what having them costs. */
#ifndef ACCEL_TOP_LATENCY_H
#define ACCEL_TOP_LATENCY_H

#include <stddef.h>

#include "stats.h"

struct latency;

/*
 * The pinned ones if there are any, else programs of our own, with @room. 0, or -errno
 * and in @why a line for the user.
 */
int latency_open(struct latency **out, const struct stats_room *room, char *why, size_t size);
void latency_close(struct latency *l);

/* latency_look() - 0 or -errno (-ESTALE: open anew); the rows are those of latency_stats() */
int latency_look(struct latency *l);
const struct stats *latency_stats(const struct latency *l);

/*
 * latency_missed() - events that programs could not take, being busy with another one;
 * false: not known, since pinned programs answer to root alone
 */
bool latency_missed(const struct latency *l, uint64_t *missed);

/* latency_ns() - of our programs, for one event; below 0: not known (yet) */
double latency_ns(const struct latency *l);

/* latency_note() - what the user should know: NULL: nothing */
const char *latency_note(const struct latency *l);

#endif
