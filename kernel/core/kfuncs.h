/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that BPF programs call into share. */
#ifndef _ACCEL_KFUNCS_H
#define _ACCEL_KFUNCS_H

#include "core.h"

/* Open-coded iterators: on the program's stack, opaque, of a size that stays. */

struct bpf_iter_accel_device {
	__u64 __opaque[2];
} __aligned(8);

struct bpf_iter_accel_context {
	__u64 __opaque[4];
} __aligned(8);

struct bpf_iter_accel_mem {
	__u64 __opaque[4];
} __aligned(8);

#endif /* _ACCEL_KFUNCS_H */
