/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What accel-top and its BPF programs share: one hash map of pieces of
 * histograms. A piece is one power of two of bpf/accel_hist.h, 16 slots: most
 * latencies of one kind lie within a few of them, so that a context costs a few
 * hundred bytes, not a few kilobytes for each kind.
 */
#ifndef _ACCEL_TOP_H
#define _ACCEL_TOP_H

#include "accel_hist.h"

#define ACCEL_TOP_MAX_PIECES	65536		/* at most 16 MB of kernel memory */
#define ACCEL_TOP_NO_ENGINE	0xffff

enum accel_top_kind {
	ACCEL_TOP_IOCTL,
	ACCEL_TOP_WAIT,
	ACCEL_TOP_RUN,
	ACCEL_TOP_PIN,
	ACCEL_TOP_KINDS
};

struct accel_top_key {
	__u64 dev_id;
	__u64 ctx_id;
	__u16 kind;
	__u16 engine;		/* index, or ACCEL_TOP_NO_ENGINE */
	__u32 piece;		/* slots 16 * piece to 16 * piece + 15 */
};

struct accel_top_piece {
	__u64 slots[ACCEL_HIST_SUB];
};

#endif /* _ACCEL_TOP_H */
