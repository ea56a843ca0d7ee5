/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of accel_bench share. */
#ifndef _ACCEL_BENCH_KERNEL_H
#define _ACCEL_BENCH_KERNEL_H

#include "accel_bench.h"

struct bench_region;
struct bench_tight;
struct device;

struct bench_region *bench_pin(struct device *dev, const struct accel_bench_pin *arg);
void bench_unpin(struct bench_region *region);

int bench_tight_init(void);
void bench_tight_exit(void);
struct bench_tight *bench_tight_pin(struct device *dev, const struct accel_bench_pin *arg);
void bench_tight_unpin(struct bench_tight *region);

int bench_gates_init(void);
void bench_gates_exit(void);
int bench_gate_read(struct accel_bench_read *arg);
int bench_gate_close(struct accel_bench_close *arg);
int bench_gate_size(struct accel_bench_size *arg);

#endif /* _ACCEL_BENCH_KERNEL_H */
