// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel counts of devices and engines all the time. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "families.h"

/* ------------------------------------------------------------------- devices */

static void infos(struct text *t, const struct accel_snapshot *snap)
{
	static const struct text_family family = {
		"accel_device", TEXT_INFO, NULL, "What it is. Another id: another device."
	};

	text_family(t, &family);
	FOR_DEVICES(snap, d) {
		bool pci = d->valid & ACCEL_DEV_PARENT && !strncmp(d->parent, "pci/", 4);
		char id[24] = "", numa[16] = "";

		if (d->valid & ACCEL_DEV_ID)
			snprintf(id, sizeof(id), "%" PRIu64, d->id);
		if (d->valid & ACCEL_DEV_NUMA)
			snprintf(numa, sizeof(numa), "%" PRId32, d->numa_node);
		text_info(t, LABELS({ "device", d->name }, { "id", id }, { "driver", d->driver },
				    { "type", d->type }, { "firmware_version", d->firmware },
				    { "serial", d->serial }, { "uuid", d->uuid },
				    { "parent", d->parent }, { "pci", pci ? d->parent + 4 : NULL },
				    { "numa_node", numa }));
	}
}

static void states(struct text *t, const struct accel_snapshot *snap)
{
	static const struct text_family family = {
		"accel_device_state", TEXT_STATESET, NULL, "In which state it is."
	};
	const char *names[ACCEL_MODEL_STATES];

	for (int i = 0; i < ACCEL_MODEL_STATES; i++)
		names[i] = accel_model_state_name((enum accel_model_state)i);
	text_family(t, &family);
	FOR_DEVICES(snap, d)
		if (d->valid & ACCEL_DEV_STATE)
			text_states(t, LABELS({ "device", d->name }), names, ACCEL_MODEL_STATES,
				    d->state);
}

static void gauges(struct text *t, const struct accel_snapshot *snap)
{
	static const struct text_family contexts = {
		"accel_device_contexts", TEXT_GAUGE, NULL, "Contexts (open files), of all users."
	}, pinned = {
		"accel_device_pinned_bytes", TEXT_GAUGE, "bytes", "Memory that is pinned for it."
	}, mapped = {
		"accel_device_mapped_bytes", TEXT_GAUGE, "bytes",
		"Memory that is mapped for its DMA."
	};

	text_family(t, &contexts);
	FOR_DEVICES(snap, d)
		if (d->valid & ACCEL_DEV_CONTEXTS)
			text_u64(t, LABELS({ "device", d->name }), d->open_contexts);
	text_family(t, &pinned);
	FOR_DEVICES(snap, d)
		if (d->valid & ACCEL_DEV_BYTES)
			text_u64(t, LABELS({ "device", d->name }), d->pinned_bytes);
	text_family(t, &mapped);
	FOR_DEVICES(snap, d)
		if (d->valid & ACCEL_DEV_BYTES)
			text_u64(t, LABELS({ "device", d->name }), d->mapped_bytes);
}

/* ---------------------------------------------------------------- operations */

static void operations(struct text *t, const struct accel_snapshot *snap)
{
	static const struct {
		struct text_family family;
		size_t at;
	} each[] = {
		{ { "accel_operations", TEXT_COUNTER, NULL, "Operations that have ended." },
		  offsetof(struct accel_op_info, calls) },
		{ { "accel_operation_errors", TEXT_COUNTER, NULL,
		    "Operations that have ended with an error: a part of accel_operations." },
		  offsetof(struct accel_op_info, errors) },
	};
	static const struct text_family inflight = {
		"accel_operations_inflight", TEXT_GAUGE, NULL, "Operations that have not ended."
	};

	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		text_family(t, &each[i].family);
		FOR_DEVICES(snap, d)
			for (size_t o = 0; o < d->num_ops; o++)
				text_u64(t, LABELS({ "device", d->name },
						   { "op", d->ops[o].name }),
					 *(const uint64_t *)((const char *)&d->ops[o] + each[i].at));
	}
	text_family(t, &inflight);
	FOR_DEVICES(snap, d)
		for (size_t o = 0; o < d->num_ops; o++)
			text_u64(t, LABELS({ "device", d->name }, { "op", d->ops[o].name }),
				 d->ops[o].inflight);
}

/* ------------------------------------------------------------------- engines */

enum engine_value { JOBS, ERRORS, BYTES, BUSY, WAIT, QUEUED, RUNNING, DEPTH };

static bool engine_value(struct text *t, const struct text_label *labels,
			 const struct accel_engine_info *e, enum engine_value which)
{
	static const unsigned int needs[] = {
		[JOBS] = ACCEL_ENGINE_COUNTERS, [ERRORS] = ACCEL_ENGINE_COUNTERS,
		[BYTES] = ACCEL_ENGINE_COUNTERS, [BUSY] = ACCEL_ENGINE_COUNTERS,
		[WAIT] = ACCEL_ENGINE_COUNTERS, [QUEUED] = ACCEL_ENGINE_NOW,
		[RUNNING] = ACCEL_ENGINE_NOW, [DEPTH] = ACCEL_ENGINE_DEPTH,
	};
	const uint64_t values[] = {
		[JOBS] = e->jobs, [ERRORS] = e->errors, [BYTES] = e->bytes,
		[BUSY] = e->busy_ns, [WAIT] = e->wait_ns, [QUEUED] = e->queued,
		[RUNNING] = e->running, [DEPTH] = e->depth,
	};

	if (!(e->valid & needs[which]))
		return false;
	(which == BUSY || which == WAIT ? text_ns : text_u64)(t, labels, values[which]);
	return true;
}

static void engines(struct text *t, const struct accel_snapshot *snap)
{
	static const struct {
		enum engine_value which;
		struct text_family family;
	} each[] = {
		{ JOBS, { "accel_engine_jobs", TEXT_COUNTER, NULL,
			  "Jobs that have ended, well or badly." } },
		{ ERRORS, { "accel_engine_job_errors", TEXT_COUNTER, NULL,
			    "Jobs that have ended badly: a part of accel_engine_jobs." } },
		{ BYTES, { "accel_engine_processed_bytes", TEXT_COUNTER, "bytes",
			   "What jobs that ended well have processed." } },
		{ BUSY, { "accel_engine_busy_seconds", TEXT_COUNTER, "seconds",
			  "Time in which at least one job ran: its rate is the utilization." } },
		{ WAIT, { "accel_engine_wait_seconds", TEXT_COUNTER, "seconds",
			  "Time that jobs have waited in the queue, summed up over jobs." } },
		{ QUEUED, { "accel_engine_queued_jobs", TEXT_GAUGE, NULL, "Jobs that wait." } },
		{ RUNNING, { "accel_engine_running_jobs", TEXT_GAUGE, NULL, "Jobs that run." } },
		{ DEPTH, { "accel_engine_depth_jobs", TEXT_GAUGE, NULL,
			   "Jobs that the hardware takes at a time." } },
	};

	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		text_family(t, &each[i].family);
		FOR_DEVICES(snap, d)
			FOR_ENGINES(d, e)
				engine_value(t, LABELS({ "device", d->name }, { "engine", e->name }),
					     e, each[i].which);
	}
}

void families_devices(struct text *t, const struct accel_snapshot *snap)
{
	infos(t, snap);
	states(t, snap);
	gauges(t, snap);
	operations(t, snap);
	engines(t, snap);
}
