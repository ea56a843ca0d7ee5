// SPDX-License-Identifier: GPL-2.0-only
/*
 * Latencies from BPF; see latency.h.
 *
 * The kernel's pieces only grow. Two looks are two sorted arrays, and their
 * difference is a walk along both. What closed contexts have counted is kept
 * here, as context 0 of their device.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>

#include "accel_top.skel.h"
#include "bpf_util.h"
#include "latency.h"

#define BATCH		1024
#define NR_PROGS	4
#define SAMPLE_EVERY	64	/* looks between two measurements of our programs */
#define SAMPLE_RUNS	2000	/* runs that make a measurement */
#define PIECE		((int)ACCEL_HIST_SUB)

struct piece {
	struct accel_top_key key;
	uint64_t total[PIECE];
	uint64_t interval[PIECE];
	bool closed;		/* its context is, and the kernel has it no more */
};

struct pieces {
	struct piece *piece;
	size_t nr;
	size_t room;
};

struct latency {
	struct accel_top_bpf *skel;
	int map;
	int progs[NR_PROGS];
	struct pieces now;	/* what the kernel has, sorted */
	struct pieces before;	/* at the look before */
	struct pieces closed;	/* of closed contexts, as context 0, sorted */
	struct accel_top_key *keys;
	struct accel_top_piece *values;
	uint64_t events;
	uint64_t events_new;
	/* what our programs cost: the kernel takes the time only while asked to */
	int stats_fd;
	uint64_t looks;
	uint64_t run_ns;
	uint64_t runs;
	double ns_per_event;
};

/* ------------------------------------------------------------------- loading */

/* libbpf's last complaint, for people who want to know more. */
static char last_words[120];

static int keep_words(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBBPF_WARN) {
		vsnprintf(last_words, sizeof(last_words), fmt, ap);
		last_words[strcspn(last_words, "\n")] = '\0';
	}
	return 0;
}

static void explain(char *why, size_t size, int err)
{
	if (err == -EPERM || err == -EACCES)
		snprintf(why, size, "no latencies (\"-\"): BPF is for root: run accel-top with sudo");
	else if (!accel_event_present("accel_ioctl"))
		snprintf(why, size,
			 "no latencies (\"-\"): module accelerator has no BTF: accelctl doctor");
	else
		snprintf(why, size, "no latencies (\"-\"): BPF: %s%s%s", strerror(-err),
			 last_words[0] ? ": " : "", last_words);
}

/*
 * The BTF of a module is for CAP_SYS_ADMIN alone (Linux 6.12). libbpf would
 * not say so, but that it did not find the tracepoint.
 */
static bool may_load(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &head, data))
		return false;
	return data[0].effective & 1U << CAP_SYS_ADMIN;
}

int latency_open(struct latency **out, uint32_t max_pieces, char *why, size_t size)
{
	struct latency *l = calloc(1, sizeof(*l));
	libbpf_print_fn_t print;
	int err = -ENOMEM;

	*out = NULL;
	why[0] = '\0';
	last_words[0] = '\0';
	print = libbpf_set_print(keep_words);
	if (!l)
		goto cleanup;
	l->stats_fd = -1;
	l->ns_per_event = -1;
	l->keys = calloc(BATCH, sizeof(*l->keys));
	l->values = calloc(BATCH, sizeof(*l->values));
	if (!l->keys || !l->values)
		goto cleanup;
	err = -EPERM;
	if (!may_load())
		goto cleanup;
	err = -ENOMEM;
	l->skel = accel_top_bpf__open();
	if (!l->skel)
		goto cleanup;
	if (max_pieces)
		bpf_map__set_max_entries(l->skel->maps.pieces, max_pieces);
	err = accel_top_bpf__load(l->skel);
	if (!err)
		err = accel_top_bpf__attach(l->skel);
	if (err)
		goto cleanup;
	l->map = bpf_map__fd(l->skel->maps.pieces);
	l->progs[0] = bpf_program__fd(l->skel->progs.top_ioctl);
	l->progs[1] = bpf_program__fd(l->skel->progs.top_mem_pin);
	l->progs[2] = bpf_program__fd(l->skel->progs.top_job_start);
	l->progs[3] = bpf_program__fd(l->skel->progs.top_job_done);
	*out = l;
	l = NULL;

cleanup:
	libbpf_set_print(print);
	if (err)
		explain(why, size, err);
	latency_close(l);
	return err;
}

void latency_close(struct latency *l)
{
	if (!l)
		return;
	if (l->stats_fd >= 0)
		close(l->stats_fd);
	accel_top_bpf__destroy(l->skel);
	free(l->now.piece);
	free(l->before.piece);
	free(l->closed.piece);
	free(l->keys);
	free(l->values);
	free(l);
}

/* ---------------------------------------------------------------------- cost */

/*
 * Taking the time of each run costs more than some runs: it is done for one look
 * in SAMPLE_EVERY, and the number of runs is known anyhow.
 */
static void sample_cost(struct latency *l)
{
	uint64_t ns = 0, runs = 0;

	if (l->stats_fd >= 0) {
		for (int i = 0; i < NR_PROGS; i++) {
			struct bpf_prog_info info = { 0 };
			__u32 len = sizeof(info);

			if (!bpf_prog_get_info_by_fd(l->progs[i], &info, &len)) {
				ns += info.run_time_ns;
				runs += info.run_cnt;
			}
		}
		if (runs > l->runs)
			l->ns_per_event = (double)(ns - l->run_ns) / (double)(runs - l->runs);
		/* Too few say little, and the first ones are slow: go on. */
		if (runs - l->runs >= SAMPLE_RUNS) {
			close(l->stats_fd);
			l->stats_fd = -1;
			l->run_ns = ns;
			l->runs = runs;
		}
	} else if (l->looks % SAMPLE_EVERY == 0 || l->ns_per_event < 0) {
		l->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	}
	l->looks++;
}

void latency_cost(const struct latency *l, struct latency_cost *cost)
{
	memset(cost, 0, sizeof(*cost));
	cost->events = l->events;
	cost->events_new = l->events_new;
	cost->lost_full = __atomic_load_n(&l->skel->bss->lost_full, __ATOMIC_RELAXED);
	cost->untimed = __atomic_load_n(&l->skel->bss->untimed, __ATOMIC_RELAXED);
	for (int i = 0; i < NR_PROGS; i++)
		cost->lost_missed += bpf_util_missed(l->progs[i]);
	cost->ns_per_event = l->ns_per_event;
}

/* ------------------------------------------------------------------- reading */

static int cmp_key(const struct accel_top_key *a, const struct accel_top_key *b)
{
	if (a->dev_id != b->dev_id)
		return a->dev_id < b->dev_id ? -1 : 1;
	if (a->ctx_id != b->ctx_id)
		return a->ctx_id < b->ctx_id ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->engine != b->engine)
		return a->engine < b->engine ? -1 : 1;
	return a->piece < b->piece ? -1 : a->piece > b->piece;
}

static int cmp_piece(const void *a, const void *b)
{
	return cmp_key(&((const struct piece *)a)->key, &((const struct piece *)b)->key);
}

static struct piece *add(struct pieces *p, const struct accel_top_key *key)
{
	if (p->nr == p->room) {
		size_t room = p->room ? 2 * p->room : 256;
		struct piece *more = realloc(p->piece, room * sizeof(*more));

		if (!more)
			return NULL;
		p->piece = more;
		p->room = room;
	}
	memset(&p->piece[p->nr], 0, sizeof(*p->piece));
	p->piece[p->nr].key = *key;
	return &p->piece[p->nr++];
}

static void sort(struct pieces *p)
{
	if (p->nr)
		qsort(p->piece, p->nr, sizeof(*p->piece), cmp_piece);
}

/* What was removed at the last look becomes its device's; that of gone devices goes. */
static int retire(struct latency *l, const struct accel_snapshot *snap)
{
	struct pieces *c = &l->closed;
	size_t i, nr = 0;

	for (i = 0; i < l->now.nr; i++) {
		struct piece *old = &l->now.piece[i], *p;

		if (!old->closed) {
			l->now.piece[nr++] = *old;
			continue;
		}
		p = add(c, &old->key);
		if (!p)
			return -ENOMEM;
		p->key.ctx_id = 0;
		memcpy(p->total, old->total, sizeof(p->total));
	}
	l->now.nr = nr;
	sort(c);
	nr = 0;
	for (i = 0; i < c->nr; i++) {
		if (!accel_snapshot_device_id(snap, c->piece[i].key.dev_id))
			continue;
		if (!nr || cmp_piece(&c->piece[nr - 1], &c->piece[i])) {
			c->piece[nr++] = c->piece[i];
			continue;
		}
		for (int s = 0; s < PIECE; s++)
			c->piece[nr - 1].total[s] += c->piece[i].total[s];
	}
	c->nr = nr;
	return 0;
}

static int read_map(struct latency *l)
{
	__u32 nr, in[16], out[16];	/* a position in the map, opaque */
	bool first = true;
	int err;

	do {
		nr = BATCH;
		err = bpf_map_lookup_batch(l->map, first ? NULL : in, out, l->keys, l->values,
					   &nr, NULL);
		if (err && err != -ENOENT)
			return err;
		for (__u32 i = 0; i < nr; i++) {
			struct piece *p = add(&l->now, &l->keys[i]);

			if (!p)
				return -ENOMEM;
			memcpy(p->total, l->values[i].slots, sizeof(p->total));
		}
		memcpy(in, out, sizeof(in));
		first = false;
	} while (!err);
	return 0;
}

/*
 * Not in the snapshot, but known at the last look, which was before it: closed,
 * and nothing will be added any more. (Not known then: perhaps opened since.)
 */
static void remove_if_closed(struct latency *l, struct piece *p, const struct accel_snapshot *snap)
{
	if (!snap->has_contexts || accel_snapshot_context(snap, p->key.ctx_id, NULL))
		return;
	if (!bpf_map_delete_elem(l->map, &p->key))
		p->closed = true;
}

int latency_read(struct latency *l, const struct accel_snapshot *snap)
{
	struct pieces swap;
	size_t i, b = 0;
	int err;

	sample_cost(l);
	err = retire(l, snap);
	if (err)
		return err;
	swap = l->before;
	l->before = l->now;
	l->now = swap;
	l->now.nr = 0;
	err = read_map(l);
	if (err) {
		/* As if there had been no look: the next one's interval is longer. */
		swap = l->before;
		l->before = l->now;
		l->now = swap;
		return err;
	}
	sort(&l->now);

	l->events_new = 0;
	for (i = 0; i < l->now.nr; i++) {
		struct piece *p = &l->now.piece[i];
		const struct piece *old = NULL;

		while (b < l->before.nr && cmp_piece(&l->before.piece[b], p) < 0)
			b++;
		if (b < l->before.nr && !cmp_piece(&l->before.piece[b], p))
			old = &l->before.piece[b];
		for (int s = 0; s < PIECE; s++) {
			p->interval[s] = p->total[s] - (old ? old->total[s] : 0);
			l->events_new += p->interval[s];
		}
		if (old)
			remove_if_closed(l, p, snap);
	}
	l->events += l->events_new;
	return 0;
}

/* ------------------------------------------------------------------- summing */

/* The first piece that is not below @key. */
static size_t first_of(const struct pieces *p, const struct accel_top_key *key)
{
	size_t low = 0, high = p->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (cmp_key(&p->piece[mid].key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void add_slots(struct accel_hist *h, const uint64_t slots[PIECE], uint32_t piece)
{
	for (uint32_t s = 0; s < ACCEL_HIST_SUB; s++) {
		uint32_t slot = piece * ACCEL_HIST_SUB + s;

		if (!slots[s] || slot >= ACCEL_HIST_SLOTS)
			continue;
		h->slots[slot] += slots[s];
		/* The exact ones were not kept: as near as the slots are. */
		h->sum += slots[s] * (accel_hist_low(slot) + accel_hist_width(slot) / 2);
		if (accel_hist_high(slot) > h->max)
			h->max = accel_hist_high(slot);
	}
}

void latency_sum(const struct latency *l, uint64_t dev_id, uint64_t ctx_id,
		 enum accel_top_kind kind, int engine, struct accel_hist *interval,
		 struct accel_hist *total)
{
	const struct pieces *list[] = { &l->now, &l->closed };
	struct accel_top_key from = { .dev_id = dev_id, .ctx_id = ctx_id };

	if (ctx_id)
		from.kind = (__u16)kind;
	for (int n = 0; n < 2; n++) {
		for (size_t i = first_of(list[n], &from); i < list[n]->nr; i++) {
			const struct piece *p = &list[n]->piece[i];

			if (p->key.dev_id != dev_id || (ctx_id && (p->key.ctx_id != ctx_id ||
								  p->key.kind != kind)))
				break;
			if (p->key.kind != kind || (engine >= 0 && p->key.engine != engine))
				continue;
			add_slots(interval, p->interval, p->key.piece);
			add_slots(total, p->total, p->key.piece);
		}
	}
}
