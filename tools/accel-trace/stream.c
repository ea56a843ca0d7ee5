// SPDX-License-Identifier: GPL-2.0-only
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "rings.h"

/* How long an event may be on its way: from the reading of its clock to its ring. */
#define WINDOW_NS	10000000ULL

/*
 * Taking an event out of its ring costs a fraction of printing it: the rings are emptied
 * in between, every so many lines, so that only a lasting flood is lost.
 */
#define LINES_AT_A_TIME	64

struct stream {
	struct rings *rings;
	struct printer *printer;
	uint64_t delivered;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

struct stream *stream_new(struct session *s, struct printer *p)
{
	struct stream *st = calloc(1, sizeof(*st));

	if (!st)
		return NULL;
	st->printer = p;
	st->rings = rings_open(s->rings, s->num_cpus, s->ring_size);
	if (!st->rings) {
		free(st);
		return NULL;
	}
	return st;
}

/* Print everything up to @until, which is in order then. */
static int deliver(struct stream *st, uint64_t until)
{
	const struct accel_event *e;
	unsigned int lines = 0;
	long ret;

	while ((e = rings_first(st->rings, until))) {
		print_event(st->printer, e);
		rings_next(st->rings);
		st->delivered++;
		if (++lines % LINES_AT_A_TIME == 0) {
			ret = rings_take(st->rings, &until);
			if (ret < 0)
				return ret;
		}
	}
	return lines ? print_flush(st->printer) : 0;
}

int stream_run(struct stream *st, int wait_ms)
{
	uint64_t until = now_ns() - WINDOW_NS;
	long taken = rings_take(st->rings, &until);
	int err = taken < 0 ? (int)taken : deliver(st, until);

	if (err || taken)
		return err;
	/* Woken by a backlog (BPF decides), by a signal, or by the time. */
	return rings_wait(st->rings, wait_ms);
}

int stream_drain(struct stream *st)
{
	uint64_t until;
	long taken;
	int err;

	do {
		until = UINT64_MAX;
		taken = rings_take(st->rings, &until);
		err = taken < 0 ? (int)taken : deliver(st, until);
	} while (!err && taken);
	return err;
}

uint64_t stream_delivered(const struct stream *st)
{
	return st->delivered;
}

void stream_free(struct stream *st)
{
	if (!st)
		return;
	rings_close(st->rings);
	free(st);
}
