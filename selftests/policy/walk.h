/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What walk.bpf.c finds. */
#ifndef WALK_H
#define WALK_H

struct walk {
	unsigned long long devices, contexts, mems, bytes;
	unsigned long long context_sum, mem_sum;	/* of the ids */
	unsigned long long engine_jobs, engine_busy_ns;
	unsigned long long ioctls, pins;		/* of the kept context, by the counters */
	unsigned long long kept, kept_id, kept_pinned;	/* of a context in a map */
	unsigned int kept_tgid, index, wrong;
};

#endif
