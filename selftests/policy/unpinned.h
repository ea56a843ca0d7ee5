/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the test and unpinned.bpf.c share. */
#ifndef UNPINNED_H
#define UNPINNED_H

struct unpinned {
	unsigned long long limit;	/* bytes; 0: none */
	unsigned int slow;		/* steps that mem_unpinned takes before it counts */
	unsigned long long asked;	/* calls of mem_pin */
	unsigned long long final;	/* of which a refusal would have been final */
	unsigned long long allowed;	/* bytes */
	unsigned long long imports;	/* regions, of no bytes as yet when they are asked about */
	unsigned long long told;	/* calls of mem_unpinned */
	unsigned long long back;	/* bytes that it was told of */
	unsigned long long last;	/* of these, the last time */
	unsigned long long at_close;	/* bytes of a file that it was not told of before its end */
	unsigned long long closed;	/* files */
};

#endif
