/* SPDX-License-Identifier: GPL-2.0-only */
/* What -c and hist show at the end. */
#ifndef ACCEL_TRACE_SUMMARY_H
#define ACCEL_TRACE_SUMMARY_H

#include <stdint.h>
#include <stdio.h>

#include "config.h"
#include "session.h"

/**
 * summary_print() - the table or the histograms
 * @s: detached session
 * @f: where to
 * @counted: out: sum of the rows' calls
 *
 * Return: 0 or -errno.
 */
int summary_print(struct session *s, FILE *f, uint64_t *counted);

#endif /* ACCEL_TRACE_SUMMARY_H */
