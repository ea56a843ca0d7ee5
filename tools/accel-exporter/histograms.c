// SPDX-License-Identifier: GPL-2.0-only
/* Latencies of devices and engines, as histograms. */
#include "families.h"
#include "latencies.h"

static void of_devices(struct text *t, const struct accel_snapshot *snap,
		       const struct latencies *l)
{
	static const struct text_family families[ACCEL_STATS_KINDS] = {
		[ACCEL_STATS_IOCTL] = { "accel_ioctl_duration_seconds", TEXT_HISTOGRAM, "seconds",
					"How long ioctls take." },
		[ACCEL_STATS_PIN] = { "accel_pin_duration_seconds", TEXT_HISTOGRAM, "seconds",
				      "How long it takes to pin memory, mapped for DMA." },
		[ACCEL_STATS_DMA] = { "accel_dma_map_duration_seconds", TEXT_HISTOGRAM, "seconds",
				      "How long it takes to map memory for DMA, a part of a pin." },
		[ACCEL_STATS_WAIT] = { "accel_job_wait_seconds", TEXT_HISTOGRAM, "seconds",
				       "How long jobs that have started had waited." },
		[ACCEL_STATS_RUN] = { "accel_job_run_seconds", TEXT_HISTOGRAM, "seconds",
				      "How long jobs that have ended had run." },
	};

	for (int k = 0; k < ACCEL_STATS_KINDS; k++) {
		text_family(t, &families[k]);
		FOR_DEVICES(snap, d) {
			const struct latency_device *of = latencies_device(l, d->index, d->id);

			if (!of)
				continue;
			text_histogram(t, LABELS({ "device", d->name }),
				       &(struct text_histogram){ &of->kinds[k].buckets,
								 of->kinds[k].sum_ns,
								 of->kinds[k].created_ns });
		}
	}
}

/* Of a sum nothing is known but the device's: these have buckets alone. */
static void of_engines(struct text *t, const struct accel_snapshot *snap,
		       const struct latencies *l, enum accel_stats_kind kind)
{
	static const struct text_family wait = {
		"accel_engine_job_wait_seconds", TEXT_HISTOGRAM, "seconds",
		"accel_job_wait_seconds, by engine."
	}, run = {
		"accel_engine_job_run_seconds", TEXT_HISTOGRAM, "seconds",
		"accel_job_run_seconds, by engine."
	};

	text_family(t, kind == ACCEL_STATS_WAIT ? &wait : &run);
	FOR_DEVICES(snap, d) {
		const struct latency_device *of = latencies_device(l, d->index, d->id);

		FOR_ENGINES(d, e) {
			if (!of || e->index >= ACCEL_STATS_ENGINES)
				continue;
			text_histogram(t, LABELS({ "device", d->name }, { "engine", e->name }),
				       &(struct text_histogram){
						kind == ACCEL_STATS_WAIT ? &of->wait[e->index] :
									   &of->run[e->index],
						TEXT_NO_SUM, of->kinds[kind].created_ns });
		}
	}
}

/* What is in none of them. */
static void lost(struct text *t, const struct accel_stats_control *c)
{
	static const struct text_family family = {
		"accel_observe_lost_latencies", TEXT_COUNTER, NULL,
		"Latencies in no histogram: no room for the device, or begun before it was observed."
	};

	text_family(t, &family);
	text_u64(t, LABELS({ "reason", "no_device" }), c->no_device);
	text_u64(t, LABELS({ "reason", "untimed" }), c->untimed);
}

void families_latencies(struct text *t, const struct accel_snapshot *snap,
			const struct latencies *l)
{
	const struct accel_stats_control *c = latencies_control(l);

	if (!c)
		return;
	of_devices(t, snap, l);
	of_engines(t, snap, l, ACCEL_STATS_WAIT);
	of_engines(t, snap, l, ACCEL_STATS_RUN);
	lost(t, c);
}
