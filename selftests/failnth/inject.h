/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fail the Nth allocation, or copy from or to user space, that this task makes in
 * the kernel, through /proc/self/task/TID/fail-nth.
 */
#ifndef FAILNTH_INJECT_H
#define FAILNTH_INJECT_H

#include <stdbool.h>

/* inject_init() - 0; -ENOENT: this kernel cannot do it */
int inject_init(void);

/* From inject_start() to inject_stop(), the @nth chance to fail, from 1, fails. */
void inject_start(unsigned int nth);
/* inject_stop() - true: something has failed; false: there were not that many chances */
bool inject_stop(void);

#endif
