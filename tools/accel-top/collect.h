/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes frames: what the kernel counts (tools/lib/model.h) and latencies from BPF. */
#ifndef ACCEL_TOP_COLLECT_H
#define ACCEL_TOP_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

struct collect;
struct stats_room;

/* 0, or -errno and in @why a line for the user; -ENODEV: no subsystem. */
int collect_open(struct collect **out, char *why, size_t size);
void collect_close(struct collect *c);

/*
 * Loads the BPF programs, which may take a moment; frames before have no
 * latencies. @room as for latency_open(). False and @why: they cannot be
 * had, and a note in each frame says so.
 */
bool collect_attach(struct collect *c, const struct stats_room *room, const char **why);
void collect_do_without(struct collect *c);

/* Looks, and makes a frame of the differences from the look before. 0 or -errno. */
int collect_frame(struct collect *c, struct frame **out);
const char *collect_error(const struct collect *c);

#endif
