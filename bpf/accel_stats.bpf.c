// SPDX-License-Identifier: GPL-2.0-only
/*
 * Latencies of every device, context and engine: additions in memory that readers map,
 * no event leaves the kernel, nothing is looked up in a hash.
 *
 * A device's record is found by its number. A context's is found by its slot, the least
 * number that no other open context has: @slots says which record that one has. Records
 * are handed out in turn, open contexts' left out: so that of an ended one stays until all
 * the others were used, and readers see contexts that lived between two of their looks.
 */
#include "accel.bpf.h"
#include "accel_stats.h"

char LICENSE[] SEC("license") = "GPL";

#define NO_RECORD	0xffffffffU

/* Copied over a record that gets a new owner: empty, and not to be had by anybody else. */
static const struct accel_stats_ctx new_ctx = { .head.state = ACCEL_STATS_CLAIMED };
static const struct accel_stats_dev new_dev = { .head.state = ACCEL_STATS_CLAIMED };

/* A context's record; @low of its id tells it from the context that had the slot before. */
struct slot {
	__u32 record;
	__u32 low;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct accel_stats_control);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, ACCEL_STATS_CONTEXTS);
	__type(key, u32);
	__type(value, struct accel_stats_ctx);
} contexts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, ACCEL_STATS_DEVICES);
	__type(key, u32);
	__type(value, struct accel_stats_dev);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ACCEL_STATS_SLOTS);
	__type(key, u32);
	__type(value, struct slot);
} slots SEC(".maps");

static __always_inline struct accel_stats_control *get_control(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

#define COUNT(what)							\
	do {								\
		struct accel_stats_control *c_ = get_control();		\
									\
		if (c_)							\
			__sync_fetch_and_add(&c_->what, 1);		\
	} while (0)

/* ------------------------------------------------------------------ records */

struct mark {
	u32 devices;		/* of devices, not of contexts */
	u32 least;
};

/* Whenever another processor is faster the mark has grown: at some time it is enough. */
static long try_raise(u32 i, struct mark *m)
{
	struct accel_stats_control *c = get_control();
	u32 *mark, old;

	if (!c)
		return 1;
	mark = m->devices ? &c->devices_used : &c->contexts_used;
	old = *(volatile u32 *)mark;
	return old >= m->least || __sync_val_compare_and_swap(mark, old, m->least) == old;
}

/* Before a record of a number below @least may be seen in use. */
static __always_inline void raise_mark(bool devices, u32 least)
{
	struct mark m = { devices, least };

	bpf_loop(least, try_raise, &m, 0);
}

struct search {
	u32 record;
};

/* One step of a search: the next record in turn, unless a context has it. */
static long try_next(u32 i, struct search *s)
{
	struct accel_stats_control *c = get_control();
	struct accel_stats_ctx *r;
	u32 next, state;

	if (!c || !c->contexts)
		return 1;
	next = __sync_fetch_and_add(&c->cursor, 1) % c->contexts;
	r = bpf_map_lookup_elem(&contexts, &next);
	if (!r)
		return 1;
	state = *(volatile u32 *)&r->head.state;
	if (state != ACCEL_STATS_FREE && state != ACCEL_STATS_ENDED)
		return 0;
	if (__sync_val_compare_and_swap(&r->head.state, state, ACCEL_STATS_CLAIMED) != state)
		return 0;
	s->record = next;
	return 1;
}

/*
 * Before a record is emptied for a new owner: a reader that is in the middle of it finds
 * no id at its end. An exchange, since it is a full barrier.
 */
static __always_inline void disown(__u64 *id_again)
{
	__sync_lock_test_and_set(id_again, 0);
}

/* And when the new one's is complete; what it has counted by then is there to be copied. */
static __always_inline void own(struct accel_stats_head *head, __u64 *id_again, __u64 id)
{
	__sync_lock_test_and_set(&head->id, id);
	__sync_lock_test_and_set(id_again, id);
}

/* Of @taken. Subtracted when the record can be had: it may be too great, but never stays so. */
static __always_inline void count_taken(s64 n)
{
	struct accel_stats_control *c = get_control();

	if (c)
		__sync_fetch_and_add(&c->taken, n);
}

/* No event comes for it any more; what it has is kept. */
static __always_inline void end_record(struct accel_stats_ctx *r)
{
	r->head.ended_ns = bpf_ktime_get_ns();
	if (__sync_val_compare_and_swap(&r->head.state, ACCEL_STATS_LIVE, ACCEL_STATS_ENDED) !=
	    ACCEL_STATS_LIVE)
		return;
	count_taken(-1);
	COUNT(ended);
}

/*
 * A record for a context that has none: at its open, or at its first event when it was
 * open before we were attached. Two processors may be here for one context: the first to
 * write its slot wins, the other one frees what it took.
 */
static __noinline struct accel_stats_ctx *claim(struct accel_context *actx, u32 nr)
{
	struct accel_stats_control *c = get_control();
	struct search s = { .record = NO_RECORD };
	u64 id = GET(actx, id), old, new;
	struct accel_stats_ctx *r = NULL;
	struct slot *slot;
	bool full;

	slot = bpf_map_lookup_elem(&slots, &nr);
	if (!slot || !c)
		return NULL;
	old = *(volatile u64 *)slot;
	full = *(volatile u64 *)&c->taken >= c->contexts;
	if (old >> 32 == (u32)id) {
		s.record = old;
		if (s.record == NO_RECORD && full)
			return NULL;
		/* Another processor has given it one since we looked. */
		r = bpf_map_lookup_elem(&contexts, &s.record);
		if (r && r->head.id == id)
			return r;
		r = NULL;
		s.record = NO_RECORD;
	}
	if (!full)
		bpf_loop(c->contexts, try_next, &s, 0);
	if (s.record != NO_RECORD)
		r = bpf_map_lookup_elem(&contexts, &s.record);
	if (r) {
		count_taken(1);
		raise_mark(false, s.record + 1);
		disown(&r->id_again);
		bpf_map_update_elem(&contexts, &s.record, &new_ctx, BPF_ANY);
		r->head.dev_id = GET(actx, adev, id);
		r->head.dev = GET(actx, adev, index);
		r->head.tgid = GET(actx, tgid);
		r->head.uid = GET(actx, uid);
		r->head.slot = nr;
		r->head.cgroup_id = GET(actx, cgroup_id);
		r->head.begun_ns = bpf_ktime_get_ns();
		bpf_probe_read_kernel(r->head.comm, sizeof(r->head.comm), actx->comm);
		own(&r->head, &r->id_again, id);
	}
	new = (u64)(u32)id << 32 | s.record;
	if (__sync_val_compare_and_swap((u64 *)slot, old, new) != old) {
		if (r) {
			disown(&r->id_again);
			r->head.id = 0;
			__sync_lock_test_and_set(&r->head.state, ACCEL_STATS_FREE);
			count_taken(-1);
		}
		old = *(volatile u64 *)slot;
		s.record = old;
		r = bpf_map_lookup_elem(&contexts, &s.record);
		return r && r->head.id == id ? r : NULL;
	}
	if (!r) {
		if (new != old)		/* else it was counted already */
			COUNT(no_record);
		return NULL;
	}
	r->head.state = ACCEL_STATS_LIVE;
	/* Its close was not seen: it cannot be open, for its slot is another one's. */
	s.record = old;
	if (old && s.record != NO_RECORD) {
		struct accel_stats_ctx *before = bpf_map_lookup_elem(&contexts, &s.record);

		if (before && before != r && before->head.slot == nr && before->head.id != id &&
		    (u32)before->head.id == old >> 32 &&
		    before->head.state == ACCEL_STATS_LIVE)
			end_record(before);
	}
	return r;
}

static __always_inline struct accel_stats_ctx *find(struct accel_context *actx)
{
	u32 nr = GET(actx, slot), record;
	struct accel_stats_ctx *r;
	struct slot *slot;

	slot = bpf_map_lookup_elem(&slots, &nr);
	if (!slot)
		return NULL;
	record = slot->record;
	r = bpf_map_lookup_elem(&contexts, &record);
	if (r && r->head.id == GET(actx, id))
		return r;
	return claim(actx, nr);
}

static __noinline struct accel_stats_dev *claim_device(struct accel_device *adev, u32 nr)
{
	struct accel_stats_dev *d = bpf_map_lookup_elem(&devices, &nr);
	u32 state;

	if (!d)
		return NULL;
	state = *(volatile u32 *)&d->head.state;
	if (state == ACCEL_STATS_CLAIMED ||
	    __sync_val_compare_and_swap(&d->head.state, state, ACCEL_STATS_CLAIMED) != state)
		return NULL;
	if (d->head.id == GET(adev, id)) {
		/* Another processor has made it the device's since we looked. */
		d->head.state = ACCEL_STATS_LIVE;
		return d;
	}
	raise_mark(true, nr + 1);
	disown(&d->id_again);
	bpf_map_update_elem(&devices, &nr, &new_dev, BPF_ANY);
	d->head.dev_id = GET(adev, id);
	d->head.dev = nr;
	d->head.begun_ns = bpf_ktime_get_ns();
	own(&d->head, &d->id_again, GET(adev, id));
	d->head.state = ACCEL_STATS_LIVE;
	return d;
}

static __always_inline struct accel_stats_dev *find_device(struct accel_device *adev)
{
	u32 nr = GET(adev, index);
	struct accel_stats_dev *d = bpf_map_lookup_elem(&devices, &nr);

	if (d && d->head.id == GET(adev, id))
		return d;
	return claim_device(adev, nr);
}

/* ----------------------------------------------------------------- counting */

/*
 * A new piece for @at, or the one that another processor was faster with; 0: none left.
 * Not static: verified once, and not where it is called.
 */
__noinline u32 accel_new_piece(struct accel_stats_head *head, u32 at, u32 most)
{
	u32 shift = at % 4 * 8, old, piece;
	u32 *word;

	if (!head || at > ACCEL_STATS_DIR - 4)
		return 0;
	word = (u32 *)head->dir + at / 4;
	if (head->used >= most)
		return 0;
	piece = __sync_fetch_and_add(&head->used, 1) + 1;
	if (piece > most)
		return 0;
	for (int try = 0; try < 8; try++) {
		old = *(volatile u32 *)word;
		if (old >> shift & 0xff)
			return old >> shift & 0xff;
		if (__sync_val_compare_and_swap(word, old, old | piece << shift) == old)
			return piece;
	}
	return 0;
}

/* Not static either: each of its branches would double the verifier's work behind it. */
__noinline u32 accel_slot_of(u64 ns)
{
	return accel_hist_index(ns);
}

/* In @row's piece of @slot; false when there is none. */
static __always_inline bool add(struct accel_stats_head *head, struct accel_stats_piece *pieces,
				u32 num_pieces, u32 most, u32 row, u32 slot)
{
	u32 at = row * ACCEL_STATS_OCTAVES + slot / ACCEL_HIST_SUB, piece;

	barrier_var(at);	/* what is checked is what is used */
	if (at >= ACCEL_STATS_DIR)
		return false;
	piece = head->dir[at];
	if (!piece) {
		piece = accel_new_piece(head, at, most);
		if (!piece)
			return false;
	}
	piece--;
	if (piece >= num_pieces)
		return false;
	__sync_fetch_and_add(&pieces[piece].slots[slot % ACCEL_HIST_SUB], 1);
	return true;
}

/* @row: of the kind, or of the kind on an engine */
static __always_inline void take(struct accel_context *actx, u32 kind, u32 row, u64 ns)
{
	struct accel_stats_dev *d = find_device(GET(actx, adev));
	struct accel_stats_ctx *r = find(actx);
	u32 slot = accel_slot_of(ns);

	/* Counted last: a reader that finds the same count need not look at the slots. */
	if (d) {
		if (!add(&d->head, d->pieces, ACCEL_STATS_DEV_PIECES,
			 ACCEL_STATS_DEV_PIECES - (row != kind ? ACCEL_STATS_SET_ASIDE : 0), row, slot))
			add(&d->head, d->pieces, ACCEL_STATS_DEV_PIECES, ACCEL_STATS_DEV_PIECES,
			    kind, slot);
		__sync_fetch_and_add(&d->head.sum[kind], ns);
		__sync_fetch_and_add(&d->head.count[kind], 1);
	} else {
		COUNT(no_device);
	}
	if (!r) {
		COUNT(unkept);
		return;
	}
	if (!add(&r->head, r->pieces, ACCEL_STATS_CTX_PIECES,
		 ACCEL_STATS_CTX_PIECES - (row != kind ? ACCEL_STATS_SET_ASIDE : 0), row, slot)) {
		if (row != kind && add(&r->head, r->pieces, ACCEL_STATS_CTX_PIECES,
				       ACCEL_STATS_CTX_PIECES, kind, slot))
			COUNT(unsplit);
		else
			COUNT(unkept);
	}
	__sync_fetch_and_add(&r->head.sum[kind], ns);
	__sync_fetch_and_add(&r->head.count[kind], 1);
}

static __always_inline void take_job(struct accel_job *job, u32 kind, u64 ns)
{
	u32 engine = GET(job, engine, index), row = kind;

	if (engine < ACCEL_STATS_ENGINES)
		row = ACCEL_STATS_ROW(kind, engine);
	take(GET(job, ctx), kind, row, ns);
}

/* ----------------------------------------------------------------- programs */

/* Devices that were there before have theirs claimed by their first event. */
TRACEPOINT(accel_device_register)
int BPF_PROG(stats_device_register, struct accel_device *adev)
{
	if (adev)
		find_device(adev);
	return 0;
}

TRACEPOINT(accel_context_open)
int BPF_PROG(stats_context_open, struct accel_context *actx, int ret, u64 duration_ns)
{
	if (actx && ret >= 0)
		find(actx);
	return 0;
}

TRACEPOINT(accel_context_close)
int BPF_PROG(stats_context_close, struct accel_context *actx, int ret, u64 duration_ns)
{
	struct accel_stats_ctx *r;
	struct slot *slot;
	u32 nr;

	if (!actx)
		return 0;
	nr = GET(actx, slot);
	slot = bpf_map_lookup_elem(&slots, &nr);
	if (!slot)
		return 0;
	nr = slot->record;
	r = bpf_map_lookup_elem(&contexts, &nr);
	if (r && r->head.id == GET(actx, id) && r->head.state == ACCEL_STATS_LIVE)
		end_record(r);
	return 0;
}

TRACEPOINT(accel_ioctl)
int BPF_PROG(stats_ioctl, struct accel_context *actx, unsigned int cmd, const char *name, long ret,
	     u64 duration_ns)
{
	if (!actx)
		return 0;
	if (!duration_ns) {
		COUNT(untimed);
		return 0;
	}
	take(actx, ACCEL_STATS_IOCTL, ACCEL_STATS_IOCTL, duration_ns);
	return 0;
}

TRACEPOINT(accel_mem_pin)
int BPF_PROG(stats_mem_pin, struct accel_context *actx, struct accel_mem *mem,
	     const struct accel_pin_times *times, int ret, u64 duration_ns)
{
	if (!actx)
		return 0;
	if (!duration_ns) {
		COUNT(untimed);
		return 0;
	}
	take(actx, ACCEL_STATS_PIN, ACCEL_STATS_PIN, duration_ns);
	return 0;
}

TRACEPOINT(accel_dma_map)
int BPF_PROG(stats_dma_map, struct accel_context *actx, struct accel_mem *mem, int ret,
	     u64 duration_ns, u64 iommu_ns)
{
	if (!actx)
		return 0;
	if (!duration_ns) {
		COUNT(untimed);
		return 0;
	}
	take(actx, ACCEL_STATS_DMA, ACCEL_STATS_DMA, duration_ns);
	return 0;
}

/* Jobs are always timed: a wait of 0 ns is one. */
TRACEPOINT(accel_job_start)
int BPF_PROG(stats_job_start, struct accel_job *job, u64 queue_ns)
{
	if (job)
		take_job(job, ACCEL_STATS_WAIT, queue_ns);
	return 0;
}

static __always_inline void count_job(struct accel_stats_head *head, int ret, u64 bytes)
{
	__sync_fetch_and_add(&head->jobs, 1);
	if (ret)
		__sync_fetch_and_add(&head->job_errors, 1);
	else
		__sync_fetch_and_add(&head->bytes, bytes);
}

/* A job that was cancelled in its queue did not run, not even for 0 ns. */
TRACEPOINT(accel_job_done)
int BPF_PROG(stats_job_done, struct accel_job *job, int ret, u64 queue_ns, u64 run_ns,
	     u64 duration_ns)
{
	struct accel_stats_dev *d;
	struct accel_stats_ctx *r;
	u64 bytes;

	if (!job)
		return 0;
	bytes = GET(job, bytes);
	r = find(GET(job, ctx));
	if (r)
		count_job(&r->head, ret, bytes);
	d = find_device(GET(job, ctx, adev));
	if (d)
		count_job(&d->head, ret, bytes);
	if (GET(job, started_ns))
		take_job(job, ACCEL_STATS_RUN, run_ns);
	return 0;
}
