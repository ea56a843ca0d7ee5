/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts that metrics.c puts together. */
#ifndef ACCEL_EXPORTER_FAMILIES_H
#define ACCEL_EXPORTER_FAMILIES_H

#include "model.h"
#include "exposition.h"

struct latencies;

/* Of devices and engines, what the kernel counts all the time. */
void families_devices(struct text *t, const struct accel_snapshot *snap);
/* Of the same, histograms. */
void families_latencies(struct text *t, const struct accel_snapshot *snap,
			const struct latencies *l);
/* Of contexts, with their owners. */
void families_contexts(struct text *t, const struct accel_snapshot *snap,
		       const struct latencies *l);

#define FOR_DEVICES(_snap, _dev)							\
	for (const struct accel_device_info *_dev = (_snap)->devices;			\
	     _dev && _dev < (_snap)->devices + (_snap)->num_devices; _dev++)

#define FOR_ENGINES(_dev, _engine)							\
	for (const struct accel_engine_info *_engine = (_dev)->engines;			\
	     _engine && _engine < (_dev)->engines + (_dev)->num_engines; _engine++)

#endif /* ACCEL_EXPORTER_FAMILIES_H */
