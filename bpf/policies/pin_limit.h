/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* pin-limit's maps, as the program and who sets it see them. */
#ifndef _PIN_LIMIT_H
#define _PIN_LIMIT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define PIN_LIMIT_NONE		(~0ULL)

/* What a cgroup's own copy of its limit is at most: sums are compared as signed numbers. */
#define PIN_LIMIT_MOST		(~0ULL >> 1)

/* Cgroups deeper than this count for their ancestor of this depth. */
#define PIN_LIMIT_LEVELS	15

/* Powers of two. Cgroups that are in use at a time; those with a common remainder. */
#define PIN_LIMIT_CGROUPS	4096
#define PIN_LIMIT_WAYS		16
#define PIN_LIMIT_FILES		4096

/* Of the latter, for cgroups below the level of the default that have no limit of their own. */
#define PIN_LIMIT_WAYS_BELOW	8

/* Map ".bss.settings". */
struct pin_limit_settings {
	__u64 def;		/* bytes, of each cgroup of depth @level; or PIN_LIMIT_NONE */
	__u32 level;		/* not to be changed while the policy is attached */
	__u32 generation;	/* one more whenever @def or "limits" changed; 0: no @def yet */
};

/* Map "limits": id of a cgroup -> __u64 bytes that it and all below it may pin. */

/*
 * Map ".bss.cgroups", PIN_LIMIT_CGROUPS of them: what a cgroup has pinned, all below it
 * included. With @alone: what those pinned that are in this very cgroup, which is the root,
 * or less deep than the level for which the default is.
 */
struct pin_limit_cgroup {
	__u64 id;
	__u64 bytes;
	__u64 limit;		/* as of @generation; PIN_LIMIT_MOST: none */
	__u64 refused;
	__u32 generation;
	__u32 refs;		/* files that count for it; 0: nobody's */
	__u32 level;
	__u32 alone;
	__u64 unused[2];
};

/* What a file counts for: from below the root down; indices of ".bss.cgroups". */
struct pin_limit_file {
	__u64 id;		/* of the context; 0: free */
	__u32 num;
	__u32 generation;	/* of the limits that it last went by */
	__u16 cgroups[PIN_LIMIT_LEVELS + 1];
};

#endif /* _PIN_LIMIT_H */
