/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring buffers of all processors, mapped and emptied into memory of our own.
 *
 * libbpf would call a function for each record and hand over one at a time; here a ring
 * is emptied in one go, since that makes room for what comes while others are printed.
 */
#ifndef ACCEL_TRACE_RINGS_H
#define ACCEL_TRACE_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accel_events.h"

/* What was taken out of one ring and not used yet, in its order. */
struct taken {
	char *buf;
	size_t begin, end, room;
	size_t last;		/* where the newest one is */
};

struct rings;

/* rings_open() - map the rings of @fds, all of @size bytes; NULL and errno */
struct rings *rings_open(const int *fds, int num, size_t size);
void rings_close(struct rings *r);

/**
 * rings_take() - empty the rings, as far as there is memory for it
 * @r: rings
 * @until: lowered to before which nothing can be missing; a ring that could not be
 *	emptied has events that are later than the last one taken
 *
 * Return: how many were taken; -ENOMEM; -EPROTO: that is no record of ours.
 */
long rings_take(struct rings *r, uint64_t *until);

/* rings_first() - the earliest event of all that were taken, if it is not after @until */
const struct accel_event *rings_first(struct rings *r, uint64_t until);

/* rings_next() - done with that one */
void rings_next(struct rings *r);

/* rings_wait() - for a backlog, a signal or the time; 0 or -errno */
int rings_wait(struct rings *r, int ms);

/* event_bytes() - of a whole record; 0: it is none of ours */
static inline size_t event_bytes(const struct accel_event *e)
{
	size_t size = accel_event_size(e->type);

	return size && e->flags & ACCEL_EVF_STACK ? size + sizeof(struct accel_event_stack) : size;
}

#endif /* ACCEL_TRACE_RINGS_H */
