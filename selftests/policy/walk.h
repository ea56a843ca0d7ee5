/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What walk.bpf.c finds. */
#ifndef WALK_H
#define WALK_H

struct walk {
	unsigned long long devices, contexts, mems, bytes;
	unsigned long long context_sum, mem_sum;	/* of the ids */
	unsigned long long engine_jobs, engine_busy_ns;
	unsigned long long ioctls, pins;		/* of the kept context, by the counters */
	unsigned long long ioctl_errors, pin_errors;
	unsigned long long ioctls_in_flight;
	unsigned long long device_pinned, device_mapped, mapped;
	unsigned long long kept_cgroup;
	unsigned int kept_uid, queued, running;
	unsigned long long kept, kept_id, kept_pinned;	/* of a context in a map */
	unsigned int kept_tgid, index, wrong;
};

#endif
