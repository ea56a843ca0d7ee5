// SPDX-License-Identifier: GPL-2.0-only
#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE	UINT32_MAX

/* A record as we have seen it: its head, and as many pieces as it uses. */
struct seen {
	struct stats_row row;
	struct accel_stats_head *now, *before;
	uint32_t most;		/* pieces that it may have */
	bool over;		/* it has ended, and was shown */
};

struct stats {
	struct stats_maps *maps;
	struct seen *contexts;
	struct seen *devices;
	struct stats_row *rows;	/* of contexts, by id */
	size_t num_rows;
	uint64_t looks;
	uint64_t ended_at_first, ended_found;
	struct stats_loss loss, first;
};

struct stats *stats_new(struct stats_maps *m)
{
	struct stats *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->maps = m;
	s->contexts = calloc(m->num_contexts, sizeof(*s->contexts));
	s->devices = calloc(m->num_devices, sizeof(*s->devices));
	s->rows = calloc(m->num_contexts, sizeof(*s->rows));
	if (!s->contexts || !s->devices || !s->rows) {
		stats_free(s);
		return NULL;
	}
	return s;
}

static void forget(struct seen *seen)
{
	free(seen->now);
	free(seen->before);
	*seen = (struct seen){ 0 };
}

void stats_free(struct stats *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; s->contexts && i < s->maps->num_contexts; i++)
		forget(&s->contexts[i]);
	for (uint32_t i = 0; s->devices && i < s->maps->num_devices; i++)
		forget(&s->devices[i]);
	free(s->contexts);
	free(s->devices);
	free(s->rows);
	free(s);
}

/* ------------------------------------------------------------------ looking */

static uint64_t owner(const struct accel_stats_head *h)
{
	return __atomic_load_n(&h->id, __ATOMIC_ACQUIRE);
}

static const struct accel_stats_piece *pieces(const struct accel_stats_head *h)
{
	return (const struct accel_stats_piece *)(h + 1);
}

/* The other one, behind the last of the pieces that a record may have. */
static uint64_t owner_again(const struct accel_stats_head *h, uint32_t most)
{
	return __atomic_load_n((const uint64_t *)(pieces(h) + most), __ATOMIC_ACQUIRE);
}

static bool same_counts(const struct accel_stats_head *a, const struct accel_stats_head *b)
{
	return !memcmp(a->count, b->count, sizeof(a->count)) && a->jobs == b->jobs;
}

/*
 * A copy of a record that is being counted in. A program adds to a slot and then to the
 * count, we read the count and then the slots: what is in a slot too early, or in a piece
 * that was handed out too late, makes the count differ, and the next look takes it.
 */
static struct accel_stats_head *copy(const struct accel_stats_head *from, uint32_t most)
{
	uint32_t used = __atomic_load_n(&from->used, __ATOMIC_ACQUIRE);
	struct accel_stats_head *to;

	if (used > most)
		used = most;
	to = malloc(sizeof(*to) + used * sizeof(struct accel_stats_piece));
	if (!to)
		return NULL;
	memcpy(to, from, sizeof(*to));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	memcpy(to + 1, from + 1, used * sizeof(struct accel_stats_piece));
	to->used = used;
	return to;
}

/* 0: nobody has it; 1: @seen is up to date; -errno */
static int look(struct seen *seen, const struct accel_stats_head *h, uint32_t most)
{
	uint64_t id = owner(h);
	uint32_t state = __atomic_load_n(&h->state, __ATOMIC_ACQUIRE);
	struct accel_stats_head *now;
	bool first;

	if (!id || (state != ACCEL_STATS_LIVE && state != ACCEL_STATS_ENDED))
		return 0;
	if (seen->row.id != id)
		forget(seen);
	first = !seen->now;
	seen->row.id = id;
	seen->most = most;
	if (seen->over)
		return 0;
	free(seen->before);
	seen->before = NULL;
	if (first || !same_counts(h, seen->now)) {
		now = copy(h, most);
		if (!now)
			return -ENOMEM;
		/* It changed hands meanwhile, or while the kernel copied it for us. */
		if (now->id != id || owner_again(h, most) != id) {
			free(now);
			forget(seen);
			return 0;
		}
		seen->before = seen->now;
		seen->now = now;
		seen->row.changed = true;
	} else {
		seen->row.changed = false;
	}
	/* All has been counted before it is said to have ended, and was copied after. */
	seen->row.ended = state == ACCEL_STATS_ENDED;
	seen->now->state = state;
	seen->now->ended_ns = h->ended_ns;
	seen->row.head = seen->now;
	seen->row.before = seen->before;
	return 1;
}

static int by_id(const void *a, const void *b)
{
	const struct stats_row *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static uint64_t sum_of(const __u64 count[ACCEL_STATS_KINDS])
{
	uint64_t sum = 0;

	for (int k = 0; k < ACCEL_STATS_KINDS; k++)
		sum += count[k];
	return sum;
}

static int look_at_devices(struct stats *s)
{
	s->loss.events_new = 0;
	for (uint32_t i = 0; i < s->maps->num_devices; i++) {
		struct seen *seen = &s->devices[i];
		int ret = look(seen, &s->maps->devices[i].head, ACCEL_STATS_DEV_PIECES);

		if (ret < 0)
			return ret;
		/* What was counted before we began is not ours to report. */
		if (ret && seen->row.changed && s->looks)
			s->loss.events_new += sum_of(seen->now->count) -
					      (seen->before ? sum_of(seen->before->count) : 0);
		if (!s->looks)
			seen->row.changed = false;
	}
	s->loss.events += s->loss.events_new;
	return 0;
}

static int look_at_contexts(struct stats *s)
{
	s->num_rows = 0;
	for (uint32_t i = 0; i < s->maps->num_contexts; i++) {
		const struct accel_stats_head *h = &s->maps->contexts[i].head;
		struct seen *seen = &s->contexts[i];
		int ret;

		/* Most records of a large array: never used, or over. */
		if (!owner(h) || (seen->over && owner(h) == seen->row.id))
			continue;
		ret = look(seen, h, ACCEL_STATS_CTX_PIECES);
		if (ret < 0)
			return ret;
		if (!ret)
			continue;
		if (seen->row.ended) {
			seen->over = true;
			if (!s->looks)
				continue;	/* ended before we began */
			s->ended_found++;
		}
		if (!s->looks)
			seen->row.changed = false;
		s->rows[s->num_rows++] = seen->row;
	}
	qsort(s->rows, s->num_rows, sizeof(*s->rows), by_id);
	return 0;
}

int stats_look(struct stats *s)
{
	const struct accel_stats_control *c = s->maps->control;
	struct stats_loss *l = &s->loss;
	int err = stats_maps_refresh(s->maps);
	uint64_t ended = __atomic_load_n(&c->ended, __ATOMIC_ACQUIRE);

	if (err)
		return err;
	if (c->version != ACCEL_STATS_VERSION)
		return -ESTALE;
	if (!s->looks)
		s->ended_at_first = ended;
	err = look_at_devices(s);
	if (!err)
		err = look_at_contexts(s);
	if (err)
		return err;
	/* What ended since @ended was read may have been found, too. */
	if (ended - s->ended_at_first > s->ended_found + l->missed)
		l->missed = ended - s->ended_at_first - s->ended_found;
	if (!s->looks++ && s->maps->pinned)
		s->first = (struct stats_loss){
			.unkept = c->unkept, .unsplit = c->unsplit, .no_device = c->no_device,
			.no_record = c->no_record, .untimed = c->untimed,
		};
	l->unkept = c->unkept - s->first.unkept;
	l->unsplit = c->unsplit - s->first.unsplit;
	l->no_device = c->no_device - s->first.no_device;
	l->no_record = c->no_record - s->first.no_record;
	l->untimed = c->untimed - s->first.untimed;
	return 0;
}

/* ------------------------------------------------------------------- asking */

const struct stats_row *stats_contexts(const struct stats *s, size_t *nr)
{
	*nr = s->num_rows;
	return s->rows;
}

const struct stats_row *stats_context(const struct stats *s, uint64_t id)
{
	struct stats_row key = { .id = id };

	return bsearch(&key, s->rows, s->num_rows, sizeof(key), by_id);
}

const struct stats_row *stats_device(const struct stats *s, uint32_t index, uint64_t id)
{
	const struct seen *seen;

	if (index >= s->maps->num_devices)
		return NULL;
	seen = &s->devices[index];
	return seen->now && seen->row.id == id ? &seen->row : NULL;
}

void stats_loss(const struct stats *s, struct stats_loss *loss)
{
	*loss = s->loss;
}

/* ------------------------------------------------------------------ summing */

static const struct accel_stats_piece *piece_at(const struct accel_stats_head *h, uint32_t at)
{
	uint32_t piece = h ? h->dir[at] : 0;

	return piece && piece <= h->used ? &pieces(h)[piece - 1] : NULL;
}

static void add(struct accel_hist *h, uint32_t slot, uint32_t count)
{
	if (!count)
		return;
	h->slots[slot] += count;
	/* The exact ones were not kept: as near as the slots are. */
	h->sum += count * (accel_hist_low(slot) + accel_hist_width(slot) / 2);
	if (accel_hist_high(slot) > h->max)
		h->max = accel_hist_high(slot);
}

static void add_row(const struct stats_row *row, uint32_t nr, struct accel_hist *interval,
		    struct accel_hist *total)
{
	for (uint32_t octave = 0; octave < ACCEL_STATS_OCTAVES; octave++) {
		uint32_t at = nr * ACCEL_STATS_OCTAVES + octave;
		const struct accel_stats_piece *now = piece_at(row->head, at);
		const struct accel_stats_piece *before = piece_at(row->before, at);

		for (uint32_t i = 0; now && i < ACCEL_HIST_SUB; i++) {
			uint32_t slot = octave * ACCEL_HIST_SUB + i;

			if (total)
				add(total, slot, now->slots[i]);
			if (interval && row->changed)
				add(interval, slot, now->slots[i] - (before ? before->slots[i] : 0));
		}
	}
}

void stats_hist(const struct stats_row *row, enum accel_stats_kind kind, int engine,
		struct accel_hist *interval, struct accel_hist *total)
{
	if (!row->head->count[kind])
		return;
	if (engine < 0)
		add_row(row, kind, interval, total);
	if (kind < ACCEL_STATS_WAIT)
		return;
	for (int e = engine < 0 ? 0 : engine; e < ACCEL_STATS_ENGINES && (engine < 0 || e == engine); e++)
		add_row(row, ACCEL_STATS_ROW(kind, e), interval, total);
}
