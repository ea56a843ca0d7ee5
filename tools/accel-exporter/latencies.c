// SPDX-License-Identifier: GPL-2.0-only
#include "latencies.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECOND	UINT64_C(1000000000)

/* What is pinned somewhere: another one, or a changed one, is another place. */
struct place {
	int error;
	dev_t dev;
	ino_t ino;
	struct timespec changed;
};

#define PLACES	2

struct latencies {
	bool contexts;
	struct stats_maps maps;
	struct stats *stats;		/* NULL: nothing is open */
	struct place places[PLACES];	/* where it was opened */
	struct latency_device **devices;	/* by number; NULL: not seen */
	uint32_t num_devices;
	uint64_t realtime_ns;
	enum latencies_state state;
	char why[256];
};

/* ------------------------------------------------------------------ counting */

static void add_row(struct buckets *b, const struct stats_row *row, enum accel_stats_kind kind,
		    int engine, bool all)
{
	struct accel_hist h;

	memset(&h, 0, sizeof(h));
	stats_hist(row, kind, engine, all ? NULL : &h, all ? &h : NULL);
	buckets_add(b, &h);
}

static void add_engines(struct latency_device *d, const struct stats_row *row,
			enum accel_stats_kind kind, bool all)
{
	struct buckets *of = kind == ACCEL_STATS_WAIT ? d->wait : d->run;

	for (int e = 0; e < ACCEL_STATS_ENGINES; e++)
		add_row(&of[e], row, kind, e, all);
}

static void update(struct latency_device *d, const struct stats_row *row,
		   enum accel_stats_kind kind, bool all)
{
	add_row(&d->kinds[kind].buckets, row, kind, STATS_ALL, all);
	if (kind >= ACCEL_STATS_WAIT)
		add_engines(d, row, kind, all);
}

void latency_device_update(struct latency_device *d, const struct stats_row *row, bool first,
			   uint64_t now_ns, uint64_t realtime_ns)
{
	for (int k = 0; k < ACCEL_STATS_KINDS; k++) {
		enum accel_stats_kind kind = (enum accel_stats_kind)k;
		struct latency *l = &d->kinds[k];

		if (first) {
			l->created_ns = row->head->begun_ns + realtime_ns;
			update(d, row, kind, true);
			/* A slot that went round lacks 2^32; nothing else lacks nearly as many. */
			if (row->head->count[k] > buckets_total(&l->buckets) + UINT32_MAX / 2) {
				memset(&l->buckets, 0, sizeof(l->buckets));
				if (kind == ACCEL_STATS_WAIT)
					memset(d->wait, 0, sizeof(d->wait));
				else if (kind == ACCEL_STATS_RUN)
					memset(d->run, 0, sizeof(d->run));
				l->created_ns = now_ns + realtime_ns;
				d->sum_before[k] = row->head->sum[k];
			}
		} else if (row->changed) {
			update(d, row, kind, false);
		}
		l->sum_ns = row->head->sum[k] - d->sum_before[k];
	}
}

/* ------------------------------------------------------------------- opening */

struct latencies *latencies_new(bool contexts)
{
	struct latencies *l = calloc(1, sizeof(*l));

	if (l)
		l->contexts = contexts;
	return l;
}

static void detach(struct latencies *l)
{
	if (!l->stats)
		return;
	stats_free(l->stats);
	stats_maps_close(&l->maps);
	for (uint32_t i = 0; i < l->num_devices; i++)
		free(l->devices[i]);
	free(l->devices);
	l->devices = NULL;
	l->num_devices = 0;
	l->stats = NULL;
}

void latencies_free(struct latencies *l)
{
	if (!l)
		return;
	detach(l);
	free(l);
}

/* No descriptor is needed for it, and none would tell that a name has gone. */
static void look_at_places(struct place places[PLACES])
{
	static const char *const paths[PLACES] = { STATS_PINS "/control", STATS_DOOR "/control" };
	struct stat st;

	memset(places, 0, PLACES * sizeof(*places));
	for (int i = 0; i < PLACES; i++) {
		if (stat(paths[i], &st)) {
			places[i].error = errno;
			continue;
		}
		places[i].dev = st.st_dev;
		places[i].ino = st.st_ino;
		places[i].changed = st.st_ctim;
	}
}

static enum latencies_state state_of(const struct latencies *l, int err)
{
	switch (err) {
	case -ENOENT:
	case -ESTALE:	/* it went while we looked */
		return LATENCIES_OFF;
	case -EACCES:
	case -EPERM:
		/* systemd lets nobody else into /sys/fs/bpf, and observe then makes a door */
		return l->places[0].error == EACCES && l->places[1].error == ENOENT &&
		       access("/sys/fs/bpf", X_OK) ? LATENCIES_UNREACHABLE : LATENCIES_DENIED;
	case -EPROTO:
		return LATENCIES_MISMATCH;
	default:
		return LATENCIES_FAILED;
	}
}

static int attach(struct latencies *l)
{
	int err = stats_maps_open(&l->maps, l->why, sizeof(l->why));

	if (err) {
		stats_maps_close(&l->maps);
		return err;
	}
	/* Else all of the contexts' records would be read, 8 KiB each, and nothing shown. */
	if (!l->contexts)
		l->maps.num_contexts = 0;
	l->devices = calloc(l->maps.num_devices, sizeof(*l->devices));
	l->stats = stats_new(&l->maps);
	l->num_devices = l->devices ? l->maps.num_devices : 0;
	if (l->stats && l->devices)
		return 0;
	snprintf(l->why, sizeof(l->why), "out of memory");
	free(l->devices);
	stats_free(l->stats);
	stats_maps_close(&l->maps);
	l->devices = NULL;
	l->num_devices = 0;
	l->stats = NULL;
	return -ENOMEM;
}

/* ------------------------------------------------------------------- looking */

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

/* Two clocks that are read one after the other never differ by the same: keep it. */
static void compare_clocks(struct latencies *l, uint64_t monotonic)
{
	uint64_t offset = now(CLOCK_REALTIME) - monotonic;
	uint64_t off = offset > l->realtime_ns ? offset - l->realtime_ns : l->realtime_ns - offset;

	if (off > SECOND)
		l->realtime_ns = offset;
}

static int take(struct latencies *l)
{
	uint64_t monotonic = now(CLOCK_MONOTONIC);

	compare_clocks(l, monotonic);
	for (uint32_t i = 0; i < l->num_devices; i++) {
		uint64_t id = l->maps.devices[i].head.id;
		const struct stats_row *row = id ? stats_device(l->stats, i, id) : NULL;
		struct latency_device *d = l->devices[i];
		bool first;

		if (!row)
			continue;	/* nobody's, or just become another's */
		first = !d || d->id != id;
		if (first) {
			free(d);
			d = l->devices[i] = calloc(1, sizeof(*d));
			if (!d)
				return -ENOMEM;
			d->id = id;
		}
		latency_device_update(d, row, first, monotonic, l->realtime_ns);
	}
	return 0;
}

enum latencies_state latencies_look(struct latencies *l)
{
	struct place places[PLACES];
	int err = 0;

	look_at_places(places);
	if (memcmp(places, l->places, sizeof(places)))
		detach(l);
	memcpy(l->places, places, sizeof(places));
	l->why[0] = '\0';
	if (!l->stats)
		err = attach(l);
	if (!err) {
		err = stats_look(l->stats);
		if (!err)
			err = take(l);
		/* Something was seen and not taken in: begin anew. */
		if (err) {
			snprintf(l->why, sizeof(l->why), "cannot read what is pinned: %s",
				 strerror(-err));
			detach(l);
		}
	}
	l->state = err ? state_of(l, err) : LATENCIES_ON;
	return l->state;
}

/* -------------------------------------------------------------------- asking */

const char *latencies_state_name(enum latencies_state state)
{
	static const char *const names[LATENCIES_STATES] = {
		"on", "off", "unreachable", "denied", "mismatch", "failed",
	};

	return names[state];
}

const char *latencies_why(const struct latencies *l)
{
	return l->why;
}

const struct latency_device *latencies_device(const struct latencies *l, uint32_t index,
					      uint64_t id)
{
	const struct latency_device *d = index < l->num_devices ? l->devices[index] : NULL;

	return d && d->id == id ? d : NULL;
}

const struct accel_stats_control *latencies_control(const struct latencies *l)
{
	return l->stats ? l->maps.control : NULL;
}

const struct stats *latencies_contexts(const struct latencies *l)
{
	return l->contexts ? l->stats : NULL;
}
