/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens to every event of accel_trace.bpf.c: the filter, then a ring or a
 * row of the summary, and the counting of all that.
 *
 * Rings are one for each processor: many producers on one ring collapse. The
 * reader is woken only by a backlog; below that it looks by itself.
 */
#ifndef _ACCEL_TRACE_BPF_H
#define _ACCEL_TRACE_BPF_H

#include "accel.bpf.h"
#include "accel_events.h"

#define MAX_DEVICES	16
#define MAX_CONTEXTS	16
#define MAX_ERRNOS	16

/* What to look at, fixed before loading: the verifier drops what is not used. */
const volatile bool summarize;		/* into rows, not records */
const volatile __u32 summary_by;		/* ACCEL_BY_* */
const volatile bool with_stack;
const volatile __u32 own_tgid;		/* never traced */
const volatile bool filter_pids;
const volatile bool filter_cgroups;
const volatile __u32 num_devices;
const volatile __u32 devices[MAX_DEVICES];
const volatile __u32 num_contexts;
const volatile __u64 contexts[MAX_CONTEXTS];
const volatile __u32 num_errnos;
const volatile __s32 errnos[MAX_ERRNOS];
const volatile bool only_failed;
const volatile bool only_ok;
const volatile __u64 min_time_ns;
const volatile __u64 max_events;		/* 0: no end */
const volatile __u64 wake_bytes;		/* backlog that wakes the reader */

__u64 taken;				/* with max_events: how many so far */

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

/* The tool puts a ring for each possible processor into it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct accel_trace_count);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct accel_agg_key);
	__type(value, struct accel_agg);
} rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u8);
} pids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, u8);
} cgroups SEC(".maps");

static const struct accel_agg empty_row;

/* ------------------------------------------------------------------- filter */

/* What a filter looks at, before there is a record. */
struct who {
	u64 ctx;
	u64 cgroup_id;
	u64 time_ns;
	s64 ret;
	u32 dev;
	u32 tgid;
	u32 tid;
	u32 owner;
	u32 flags;
	u32 cmd;		/* of an ioctl */
	struct accel_job *job;	/* of a job's event */
};

static __always_inline bool passes(const struct who *w)
{
	u32 i;

	if (w->tgid == own_tgid)
		return false;
	if (filter_pids && !bpf_map_lookup_elem(&pids, &w->tgid) &&
	    !bpf_map_lookup_elem(&pids, &w->owner))
		return false;
	if (num_devices) {
		for (i = 0; i < MAX_DEVICES; i++)
			if (i >= num_devices || devices[i] == w->dev)
				break;
		if (i >= num_devices || i >= MAX_DEVICES)
			return false;
	}
	if (num_contexts) {
		for (i = 0; i < MAX_CONTEXTS; i++)
			if (i >= num_contexts || contexts[i] == w->ctx)
				break;
		if (i >= num_contexts || i >= MAX_CONTEXTS)
			return false;
	}
	if (filter_cgroups && !bpf_map_lookup_elem(&cgroups, &w->cgroup_id))
		return false;
	if (only_failed && !(w->flags & ACCEL_EVF_RET && w->ret < 0))
		return false;
	if (only_ok && !(w->flags & ACCEL_EVF_RET && w->ret >= 0))
		return false;
	if (num_errnos) {
		if (!(w->flags & ACCEL_EVF_RET))
			return false;
		for (i = 0; i < MAX_ERRNOS; i++)
			if (i >= num_errnos || -errnos[i] == w->ret)
				break;
		if (i >= num_errnos || i >= MAX_ERRNOS)
			return false;
	}
	if (min_time_ns && w->time_ns < min_time_ns)
		return false;
	if (max_events && __sync_fetch_and_add(&taken, 1) >= max_events)
		return false;
	return true;
}

/* ---------------------------------------------------------- where events go */

/* Atomic: an interrupt may count in the middle of it. */
static __always_inline void count_lost(u32 type)
{
	u32 zero = 0;
	struct accel_trace_count *c = bpf_map_lookup_elem(&counts, &zero);

	if (c && type < ACCEL_EV_NR)
		__sync_fetch_and_add(&c->lost[type], 1);
}

static __always_inline void count_emitted(u32 type)
{
	u32 zero = 0;
	struct accel_trace_count *c = bpf_map_lookup_elem(&counts, &zero);

	if (c && type < ACCEL_EV_NR)
		__sync_fetch_and_add(&c->emitted[type], 1);
}

/* Only what the summary is by; the rest is read when a row begins. */
static __always_inline void row_key(struct accel_agg_key *key, u32 type, const struct who *w)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->type = type;
	if (summary_by & ACCEL_BY_NAME)
		key->cmd = w->cmd;
	if (summary_by & ACCEL_BY_DEVICE)
		key->dev = w->dev;
	if (summary_by & ACCEL_BY_CONTEXT)
		key->ctx = w->ctx;
	if (summary_by & ACCEL_BY_PROCESS)
		key->tgid = w->owner;
	if (w->job && summary_by & ACCEL_BY_ENGINE) {
		struct accel_engine *engine = GET(w->job, engine);

		bpf_probe_read_kernel(key->engine, sizeof(key->engine), engine->name);
	}
	if (w->job && summary_by & ACCEL_BY_OP)
		key->op = GET(w->job, op);
}

/* NULL: there is no more room. */
static __noinline struct accel_agg *new_row(const struct accel_agg_key *key,
					    const struct accel_event *e)
{
	struct accel_agg *row;

	/* Another processor may be first: then the lookup finds its row. */
	bpf_map_update_elem(&rows, key, &empty_row, BPF_NOEXIST);
	row = bpf_map_lookup_elem(&rows, key);
	if (!row)
		return NULL;
	__builtin_memcpy(row->comm, e->comm, sizeof(row->comm));
	if (key->cmd)
		__builtin_memcpy(row->name, e->ioctl.name, sizeof(row->name));
	return row;
}

static __always_inline void add_to_row(struct accel_agg *row, const struct who *w)
{
	__sync_fetch_and_add(&row->calls, 1);
	if (w->flags & ACCEL_EVF_RET && w->ret < 0)
		__sync_fetch_and_add(&row->errors, 1);
	if (w->time_ns)
		accel_hist_add(&row->hist, w->time_ns);
}

static __always_inline void *ring_here(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&rings, &cpu);
}

/* Room for an event in this processor's ring, and for its stack; NULL: there is none. */
static __always_inline struct accel_event *reserve(void *ring, u32 size)
{
	/* The verifier wants a constant: each of these calls has its own. */
	if (with_stack)
		return bpf_ringbuf_reserve(ring, size + sizeof(struct accel_event_stack), 0);
	return bpf_ringbuf_reserve(ring, size, 0);
}

static __always_inline void add_stack(void *ctx, struct accel_event *e, u32 size)
{
	struct accel_event_stack *stack = (void *)e + size;
	long got;

	e->flags |= ACCEL_EVF_STACK;
	got = bpf_get_stack(ctx, stack->frames, sizeof(stack->frames), 0);
	for (int i = 0; i < ACCEL_EV_STACK_DEPTH; i++)
		if (got < 0 || i * 8 >= got)
			stack->frames[i] = 0;
}

static __always_inline void submit(void *ring, struct accel_event *e, u32 size)
{
	u64 pending, flags = BPF_RB_NO_WAKEUP;

	/* Wake once, as the backlog passes the mark; a missed one is found by the timer. */
	pending = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	if (pending >= wake_bytes && pending < wake_bytes + 4 * size)
		flags = BPF_RB_FORCE_WAKEUP;
	bpf_ringbuf_submit(e, flags);
}

/*
 * EMIT(ctx, who, type, member, fill) - what becomes of an event that passed the filter
 *
 * @fill is the code that writes what is the type's own, @member of the union, to the event
 * "e". In the stream that is the ring's memory, so that nothing is written twice; for the
 * first event of a summary's row it is the stack, and others are not written at all. Which one
 * is known before loading, the other one is not loaded.
 */
#define EMIT(ctx, who, type, member, fill)						\
	do {										\
		count_emitted(type);							\
		if (summarize) {							\
			struct accel_agg_key key;					\
			struct accel_agg *row;						\
											\
			row_key(&key, type, who);					\
			row = bpf_map_lookup_elem(&rows, &key);				\
			if (!row) {							\
				struct accel_event local, *e = &local;			\
											\
				__builtin_memset(e, 0, sizeof(local));			\
				head(e, type, who);					\
				fill;							\
				row = new_row(&key, e);					\
			}								\
			if (row)							\
				add_to_row(row, who);					\
			else								\
				count_lost(type);					\
		} else {								\
			void *ring = ring_here();					\
			struct accel_event *e = NULL;					\
											\
			if (ring)							\
				e = reserve(ring, ACCEL_EV_SIZE(member));		\
			if (e) {							\
				head(e, type, who);					\
				fill;							\
				if (with_stack)						\
					add_stack(ctx, e, ACCEL_EV_SIZE(member));	\
				submit(ring, e, ACCEL_EV_SIZE(member));			\
			} else {							\
				count_lost(type);					\
			}								\
		}									\
	} while (0)

#endif /* _ACCEL_TRACE_BPF_H */
