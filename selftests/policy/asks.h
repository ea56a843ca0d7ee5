/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What asks.bpf.c was told. */
#ifndef ASKS_H
#define ASKS_H

struct asks {
	unsigned int tgid;			/* whose events count */
	unsigned int calls;			/* how often the program ran for it */
	unsigned int index;			/* a device to look for */
	unsigned int engine;			/* of the last job */
	unsigned long long context, device;	/* ids */
	char name[16];				/* of the device */
};

#endif
