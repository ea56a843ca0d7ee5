/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* audit's maps, as the program and who reads it see them. */
#ifndef _AUDIT_H
#define _AUDIT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* Map "records": an array, as long as it was made; number N is in element N % length. */
struct audit_record {
	__u64 number;		/* from 1; 0: being written, or nothing yet */
	__u64 opened_ns;	/* CLOCK_BOOTTIME */
	__u64 closed_ns;	/* 0: open */
	__u64 context;
	__u64 cgroup_id;
	__u32 device;		/* N of accN */
	__u32 node;
	__u32 tgid;
	__u32 uid;
	char comm[16];
};

/* Map ".data.state" */
struct audit_state {
	__u64 last;		/* number of the last record, so far */
	__u32 length;		/* of "records" */
	__u32 unused;
};

#endif /* _AUDIT_H */
