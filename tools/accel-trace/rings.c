// SPDX-License-Identifier: GPL-2.0-only
#include "rings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bpf.h>

/* All that waits in memory, for a tracer that cannot keep up for a while. */
#define MAX_TAKEN	(128UL << 20)

struct ring {
	unsigned long *consumer;	/* where we are; the kernel reads it */
	const unsigned long *producer;
	const char *data;		/* mapped twice in a row: no record is torn */
	struct taken taken;
};

struct rings {
	int num, epoll;
	size_t size, page, total;
	struct ring *ring;
	/* the ring that has the earliest event, and when another one has an earlier one */
	struct ring *first;
	uint64_t others_ns;
};

struct rings *rings_open(const int *fds, int num, size_t size)
{
	struct rings *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return NULL;
	r->page = (size_t)sysconf(_SC_PAGESIZE);
	r->size = size;
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	r->ring = calloc(num, sizeof(*r->ring));
	if (r->epoll < 0 || !r->ring)
		goto fail;
	for (int i = 0; i < num; i++) {
		struct epoll_event want = { .events = EPOLLIN };
		struct ring *ring = &r->ring[i];
		void *p;

		p = mmap(NULL, r->page, PROT_READ | PROT_WRITE, MAP_SHARED, fds[i], 0);
		if (p == MAP_FAILED)
			goto fail;
		ring->consumer = p;
		r->num = i + 1;
		p = mmap(NULL, r->page + 2 * size, PROT_READ, MAP_SHARED, fds[i], r->page);
		if (p == MAP_FAILED)
			goto fail;
		ring->producer = p;
		ring->data = (char *)p + r->page;
		if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, fds[i], &want))
			goto fail;
	}
	return r;

fail:
	err = errno;
	rings_close(r);
	errno = err;
	return NULL;
}

void rings_close(struct rings *r)
{
	if (!r)
		return;
	for (int i = 0; i < r->num; i++) {
		munmap(r->ring[i].consumer, r->page);
		if (r->ring[i].producer)
			munmap((void *)r->ring[i].producer, r->page + 2 * r->size);
		free(r->ring[i].taken.buf);
	}
	if (r->epoll >= 0)
		close(r->epoll);
	free(r->ring);
	free(r);
}

/* ------------------------------------------------------------------- taking */

static struct accel_event *at(const struct taken *t, size_t offset)
{
	return (struct accel_event *)(t->buf + offset);
}

static bool make_room(struct rings *r, struct taken *t, size_t size)
{
	size_t room = t->room ? t->room : 1 << 16;
	char *more;

	if (t->begin) {
		memmove(t->buf, t->buf + t->begin, t->end - t->begin);
		t->end -= t->begin;
		t->last -= t->begin;
		t->begin = 0;
	}
	/* Half empty again before it is moved again. */
	while (room < 2 * (t->end + size))
		room *= 2;
	if (room <= t->room)
		return true;
	if (r->total + room - t->room > MAX_TAKEN)
		return t->end + size <= t->room;
	more = realloc(t->buf, room);
	if (!more)
		return t->end + size <= t->room;
	r->total += room - t->room;
	t->buf = more;
	t->room = room;
	return true;
}

/*
 * An interrupt's event may get its time before, and its place behind, that of the event
 * that it interrupted: they change places.
 */
static void settle(struct taken *t, size_t size)
{
	struct accel_event *before = at(t, t->last), *after = at(t, t->end);
	size_t len = t->end - t->last;
	char swap[sizeof(struct accel_event) + sizeof(struct accel_event_stack)];

	if (t->end != t->begin && after->ts_ns < before->ts_ns && t->last >= t->begin) {
		memcpy(swap, after, size);
		memmove((char *)before + size, before, len);
		memcpy(before, swap, size);
		t->last += size;
	} else {
		t->last = t->end;
	}
	t->end += size;
}

static long take(struct rings *r, struct ring *ring, uint64_t *until)
{
	unsigned long pos = *ring->consumer, end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
	struct taken *t = &ring->taken;
	long n = 0;

	if (t->begin == t->end)
		t->begin = t->end = t->last = 0;
	while (pos < end) {
		const char *record = ring->data + (pos & (r->size - 1));
		uint32_t len = __atomic_load_n((const uint32_t *)record, __ATOMIC_ACQUIRE);
		const struct accel_event *e = (const void *)(record + BPF_RINGBUF_HDR_SZ);
		uint32_t size = len & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (len & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(len & BPF_RINGBUF_DISCARD_BIT)) {
			if (size < sizeof(e->type) + offsetof(struct accel_event, type) ||
			    size != event_bytes(e))
				return -EPROTO;
			if (t->end + size > t->room && !make_room(r, t, size)) {
				if (t->begin == t->end)
					return -ENOMEM;
				if (at(t, t->last)->ts_ns < *until)
					*until = at(t, t->last)->ts_ns;
				break;
			}
			memcpy(t->buf + t->end, e, size);
			settle(t, size);
			n++;
		}
		pos += (size + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
	}
	__atomic_store_n(ring->consumer, pos, __ATOMIC_RELEASE);
	return n;
}

long rings_take(struct rings *r, uint64_t *until)
{
	long all = 0;

	for (int i = 0; i < r->num; i++) {
		struct ring *ring = &r->ring[i];
		long n = 0;

		if (*ring->consumer != __atomic_load_n(ring->producer, __ATOMIC_RELAXED))
			n = take(r, ring, until);
		if (n < 0)
			return n;
		all += n;
	}
	if (all)
		r->first = NULL;
	return all;
}

/* ------------------------------------------------------------------ merging */

static void find_first(struct rings *r)
{
	uint64_t first = UINT64_MAX;

	r->first = NULL;
	r->others_ns = UINT64_MAX;
	for (int i = 0; i < r->num; i++) {
		const struct taken *t = &r->ring[i].taken;
		uint64_t ts;

		if (t->begin == t->end)
			continue;
		ts = at(t, t->begin)->ts_ns;
		if (!r->first || ts < first) {
			r->others_ns = first;
			first = ts;
			r->first = &r->ring[i];
		} else if (ts < r->others_ns) {
			r->others_ns = ts;
		}
	}
}

/* Events come in runs from one processor: only at a run's end are the others looked at. */
const struct accel_event *rings_first(struct rings *r, uint64_t until)
{
	const struct accel_event *e;

	if (r->first) {
		const struct taken *t = &r->first->taken;

		if (t->begin == t->end || at(t, t->begin)->ts_ns > r->others_ns)
			r->first = NULL;
	}
	if (!r->first)
		find_first(r);
	if (!r->first)
		return NULL;
	e = at(&r->first->taken, r->first->taken.begin);
	return e->ts_ns <= until ? e : NULL;
}

void rings_next(struct rings *r)
{
	struct taken *t = &r->first->taken;

	t->begin += event_bytes(at(t, t->begin));
}

int rings_wait(struct rings *r, int ms)
{
	struct epoll_event wake;

	return epoll_wait(r->epoll, &wake, 1, ms) < 0 ? -errno : 0;
}
