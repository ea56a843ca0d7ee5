/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ioctl-filter's maps, as the program and who sets it see them. */
#ifndef _IOCTL_FILTER_H
#define _IOCTL_FILTER_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define IOCTL_FILTER_RULES	64

/* Depth of the cgroups that rules may name: from 0, the root, to one less. */
#define IOCTL_FILTER_LEVELS	32

#define IOCTL_FILTER_DEVICE	1
#define IOCTL_FILTER_USER	2
#define IOCTL_FILTER_CGROUP	4
#define IOCTL_FILTER_USED	8

/* Map ".bss.rules", IOCTL_FILTER_RULES of them: whoever fits all that it names is refused. */
struct ioctl_filter_rule {
	__u32 flags;		/* IOCTL_FILTER_*: what is named; without _USED there is no rule */
	__u32 number;		/* _IOC_NR() of the command */
	__u32 device;		/* N of accN */
	__u32 uid;		/* of who opened the file */
	__u64 cgroup_id;	/* it was opened in, or below */
	__u32 level;		/* depth of that cgroup */
	__u32 error;		/* what it gets: EPERM, … */
	__u64 hits;
};

/* Map "files": id of a context -> where it was opened, from the root down. */
struct ioctl_filter_file {
	__u32 num;		/* of @cgroups; 0: it was gone, and may have been any */
	__u32 unused;
	__u64 cgroups[IOCTL_FILTER_LEVELS];
};

/* Map ".bss.numbers": bit N: there may be a rule for number N. */
struct ioctl_filter_numbers {
	__u64 bits[4];
};

#endif /* _IOCTL_FILTER_H */
