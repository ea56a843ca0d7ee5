/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What accel_stats.bpf.c counts and its readers map: an array of records of devices, by
 * the device's number; one of records of contexts; one page of what is about all of them.
 *
 * A record has histograms (accel_hist.h) of five kinds of latencies, those of jobs by
 * engine: up to 67 histograms of 35 powers of two, of which a context uses a few. So it is
 * made of pieces of one power of two each, which a directory finds and which are handed
 * out as they are needed: each slot is as exact as in a whole histogram, and all of it is
 * 8 KiB. When an engine's pieces run out, its latencies go to a row for all engines,
 * which has pieces set aside: then only the division by engine is incomplete.
 *
 * Slots are of 32 bits and go round; readers look more often than every 2^32 events, and
 * subtract. @count and @sum are of 64.
 */
#ifndef _ACCEL_STATS_H
#define _ACCEL_STATS_H

#include "accel_hist.h"

/* Of the layout below, and of what is counted where: readers refuse any other. */
#define ACCEL_STATS_VERSION	3

#define ACCEL_STATS_DEVICES	256		/* that are told apart, by default */
#define ACCEL_STATS_CONTEXTS	2048		/* records, by default: 16 MiB */
#define ACCEL_STATS_SLOTS	65536		/* the core's ACCEL_MAX_SLOTS */
#define ACCEL_STATS_ENGINES	32		/* ACCEL_MAX_ENGINES */

enum accel_stats_kind {
	ACCEL_STATS_IOCTL,
	ACCEL_STATS_PIN,
	ACCEL_STATS_DMA,	/* mapping for DMA, a part of a pin */
	ACCEL_STATS_WAIT,	/* a job in its queue, of jobs that started */
	ACCEL_STATS_RUN,	/* a job on its engine, of jobs that had started */
	ACCEL_STATS_KINDS
};

/* Rows of the directory: one for each kind, then wait and run for each engine. */
#define ACCEL_STATS_ROWS	(ACCEL_STATS_KINDS + 2 * ACCEL_STATS_ENGINES)
#define ACCEL_STATS_ROW(kind, engine) \
	(ACCEL_STATS_KINDS + 2 * (engine) + ((kind) - ACCEL_STATS_WAIT))
#define ACCEL_STATS_OCTAVES	(ACCEL_HIST_SLOTS / ACCEL_HIST_SUB)
#define ACCEL_STATS_DIR		((ACCEL_STATS_ROWS * ACCEL_STATS_OCTAVES + 7) / 8 * 8)

#define ACCEL_STATS_CTX_PIECES	87
#define ACCEL_STATS_DEV_PIECES	255		/* as many as a byte can name */
/* Left to the rows of kinds when those of engines have taken the rest. */
#define ACCEL_STATS_SET_ASIDE	24

struct accel_stats_piece {
	__u32 slots[ACCEL_HIST_SUB];
};

enum accel_stats_state {
	ACCEL_STATS_FREE,
	ACCEL_STATS_CLAIMED,	/* somebody fills it in */
	ACCEL_STATS_LIVE,
	ACCEL_STATS_ENDED,	/* kept until its record is needed */
};

/**
 * struct accel_stats_head - what is known of a device or a context but its slots
 * @id: whose it is, never reused; also behind the last piece (@id_again), where it is
 *	cleared before anything else of a record that gets a new owner, and written last.
 *	Who copies a record from its begin to its end, and finds the same id at both, has
 *	what is of one owner
 * @state: enum accel_stats_state
 * @used: pieces that were handed out
 * @count: latencies, by kind
 * @sum: of their nanoseconds
 * @jobs: that ended
 * @job_errors: of these, badly
 * @bytes: of those that ended well
 * @dev_id: its device
 * @dev: the device's number
 * @tgid: @uid, @cgroup_id and @comm, of a context's owner, as in struct accel_context
 * @uid: see @tgid
 * @slot: the context's
 * @begun_ns: CLOCK_MONOTONIC, when counting began: the open, if it was seen and found a record
 * @ended_ns: when it was closed
 * @cgroup_id: see @tgid
 * @comm: see @tgid
 * @dir: by row and power of two, the number of a piece; 0: none yet
 */
struct accel_stats_head {
	__u64 id;
	__u32 state;
	__u32 used;
	__u64 count[ACCEL_STATS_KINDS];
	__u64 sum[ACCEL_STATS_KINDS];
	__u64 jobs;
	__u64 job_errors;
	__u64 bytes;
	__u64 dev_id;
	__u32 dev;
	__u32 tgid;
	__u32 uid;
	__u32 slot;
	__u64 begun_ns;
	__u64 ended_ns;
	__u64 cgroup_id;
	char comm[16];
	__u8 dir[ACCEL_STATS_DIR];
};

struct accel_stats_ctx {
	struct accel_stats_head head;
	struct accel_stats_piece pieces[ACCEL_STATS_CTX_PIECES];
	__u64 id_again;
};

struct accel_stats_dev {
	struct accel_stats_head head;
	struct accel_stats_piece pieces[ACCEL_STATS_DEV_PIECES];
	__u64 id_again;
};

enum accel_stats_way {
	ACCEL_STATS_TP_BTF,
	ACCEL_STATS_RAW_TP,
};

/**
 * struct accel_stats_control - about all records, in a page of its own
 * @version: ACCEL_STATS_VERSION; 0: not set up yet, or nothing is counted any more
 * @ctx_size: bytes of a context's record
 * @dev_size: bytes of a device's
 * @way: enum accel_stats_way: how the programs are attached
 * @contexts: records of contexts
 * @devices: records of devices
 * @contexts_used: no context's record from it on was ever used; it only grows
 * @devices_used: nor any device's record from this one on
 * @cursor: where the next context looks for a record: the one longest unused. Counts those
 *	that were left out, too, so that 32 bits of it would go round
 * @taken: records that no new context can have, which is tried no more when they are all
 * @ended: contexts that ended and had a record: a reader that found fewer of them than
 *	this grew by has missed the rest
 * @no_record: contexts that found none at first, since all were of open ones: they get the
 *	first that becomes free, at their next event
 * @unkept: latencies that their device has and their context has not, for want of a
 *	record or of a piece
 * @unsplit: latencies that their context has and their engine has not, see above
 * @no_device: latencies of devices beyond the last record; not counted at all
 * @untimed: calls that began before anybody looked
 */
struct accel_stats_control {
	__u32 version;
	__u32 ctx_size;
	__u32 dev_size;
	__u32 way;
	__u32 contexts;
	__u32 devices;
	__u32 contexts_used;
	__u32 devices_used;
	__u64 cursor;
	__u64 taken;
	__u64 ended;
	__u64 no_record;
	__u64 unkept;
	__u64 unsplit;
	__u64 no_device;
	__u64 untimed;
};

#endif /* _ACCEL_STATS_H */
