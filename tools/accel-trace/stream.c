// SPDX-License-Identifier: GPL-2.0-only
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include <bpf/libbpf.h>

/* How long an event may be on its way: from the reading of its clock to its ring. */
#define WINDOW_NS	10000000ULL

/* Taken from one ring before the next one has its turn. */
#define QUOTA		8192

/*
 * Taking an event out of its ring costs a fraction of printing it: the rings are
 * emptied in between, every so many lines, so that only a lasting flood is lost;
 * up to so many events wait in memory (about 100 MB).
 */
#define LINES_AT_A_TIME	32
#define MAX_KEPT	(512 * 1024)

struct kept {
	uint64_t ts_ns;
	uint64_t order;		/* as taken: keeps what has one time in its order */
	struct accel_event *event;
};

struct stream {
	struct session *session;
	struct printer *printer;
	struct ring_buffer *rb;
	size_t record;		/* bytes of one */
	struct kept *kept;
	size_t count, room;
	uint64_t order;
	uint64_t delivered;
	/* the ring that is being read */
	unsigned int taken;
	uint64_t last_ns;
	int error;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/*
 * Called for each record. What it answers with less than 0 ends the reading of
 * this ring, the record counts as read all the same.
 */
static int take(void *arg, void *data, size_t size)
{
	struct stream *st = arg;
	struct accel_event *copy;

	if (size < st->record) {
		st->error = -EPROTO;
		return -1;
	}
	if (st->count == st->room) {
		size_t room = st->room ? st->room * 2 : 1024;
		struct kept *more = realloc(st->kept, room * sizeof(*more));

		if (!more) {
			st->error = -ENOMEM;
			return -1;
		}
		st->kept = more;
		st->room = room;
	}
	copy = malloc(st->record);
	if (!copy) {
		st->error = -ENOMEM;
		return -1;
	}
	memcpy(copy, data, st->record);
	st->kept[st->count++] = (struct kept){ copy->ts_ns, st->order++, copy };
	st->last_ns = copy->ts_ns;
	return ++st->taken >= QUOTA ? -1 : 0;
}

struct stream *stream_new(struct session *s, struct printer *p)
{
	struct stream *st = calloc(1, sizeof(*st));

	if (!st)
		return NULL;
	st->session = s;
	st->printer = p;
	st->record = s->config->stack ? sizeof(struct accel_event_stack) :
					sizeof(struct accel_event);
	st->rb = ring_buffer__new(s->rings[0], take, st, NULL);
	for (int cpu = 1; st->rb && cpu < s->num_cpus; cpu++) {
		if (ring_buffer__add(st->rb, s->rings[cpu], take, st)) {
			ring_buffer__free(st->rb);
			st->rb = NULL;
		}
	}
	if (!st->rb) {
		free(st);
		return NULL;
	}
	return st;
}

static int by_time(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* One turn over all rings; *until: up to where nothing earlier can follow. */
static unsigned int take_all(struct stream *st, uint64_t *until)
{
	unsigned int all = 0;

	for (int cpu = 0; cpu < st->session->num_cpus && !st->error; cpu++) {
		st->taken = 0;
		ring__consume(ring_buffer__ring(st->rb, cpu));
		/* It has more: what other rings have after its last one must wait. */
		if (st->taken >= QUOTA && st->last_ns - WINDOW_NS < *until)
			*until = st->last_ns - WINDOW_NS;
		all += st->taken;
	}
	return all;
}

/* Print everything up to @until, which is in order then. */
static void deliver(struct stream *st, uint64_t until)
{
	size_t n = 0, sorted = st->count;

	if (!sorted)
		return;
	qsort(st->kept, sorted, sizeof(*st->kept), by_time);
	while (n < sorted && st->kept[n].ts_ns <= until) {
		print_event(st->printer, st->kept[n].event);
		free(st->kept[n].event);
		n++;
		/* What comes meanwhile is put behind the sorted ones. */
		if (n % LINES_AT_A_TIME == 0 && st->count < MAX_KEPT) {
			uint64_t unused = 0;

			take_all(st, &unused);
		}
	}
	st->delivered += n;
	st->count -= n;
	memmove(st->kept, st->kept + n, st->count * sizeof(*st->kept));
	if (n && fflush(st->printer->f))
		st->error = -errno;
}

int stream_run(struct stream *st, int wait_ms)
{
	uint64_t until = now_ns() - WINDOW_NS;
	unsigned int taken = take_all(st, &until);
	struct epoll_event wake;

	deliver(st, until);
	if (st->error)
		return st->error;
	if (taken)
		return 0;
	/* Woken by a backlog (BPF decides), by a signal, or by the time. */
	return epoll_wait(ring_buffer__epoll_fd(st->rb), &wake, 1, wait_ms) < 0 ? -errno : 0;
}

int stream_drain(struct stream *st)
{
	uint64_t until;

	do {
		until = UINT64_MAX;
	} while (take_all(st, &until) && !st->error);
	deliver(st, UINT64_MAX);
	return st->error;
}

uint64_t stream_delivered(const struct stream *st)
{
	return st->delivered;
}

void stream_free(struct stream *st)
{
	if (!st)
		return;
	for (size_t i = 0; i < st->count; i++)
		free(st->kept[i].event);
	free(st->kept);
	ring_buffer__free(st->rb);
	free(st);
}
