/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events as they come: out of the rings of all processors, into the order of
 * their times, to the printer.
 */
#ifndef ACCEL_TRACE_STREAM_H
#define ACCEL_TRACE_STREAM_H

#include <stdint.h>

#include "print.h"
#include "session.h"

struct stream;

struct stream *stream_new(struct session *s, struct printer *p);

/**
 * stream_run() - print what has come
 * @st: stream
 * @wait_ms: how long to wait when there is nothing
 *
 * What is younger than a few milliseconds is kept for the next time: an earlier
 * event may still be on its way through another processor's ring.
 *
 * Return: 0; -EINTR when a signal came; another -errno.
 */
int stream_run(struct stream *st, int wait_ms);

/* stream_drain() - after session_detach(): print all that is left */
int stream_drain(struct stream *st);

/* stream_delivered() - how many were printed */
uint64_t stream_delivered(const struct stream *st);

void stream_free(struct stream *st);

#endif /* ACCEL_TRACE_STREAM_H */
