// SPDX-License-Identifier: GPL-2.0-only
#include "metrics.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "families.h"
#include "latencies.h"
#include "model.h"

int metrics_open(struct metrics *m, bool contexts)
{
	*m = (struct metrics){ .contexts = contexts, .latencies = latencies_new(contexts) };
	return m->latencies ? 0 : -ENOMEM;
}

void metrics_close(struct metrics *m)
{
	latencies_free(m->latencies);
	*m = (struct metrics){ 0 };
}

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Whoever keeps no source needs not know that the module was unloaded since. */
static int read_snapshot(struct metrics *m, struct accel_snapshot **snap)
{
	struct accel_source *source = NULL;
	int err;

	*snap = NULL;
	m->error[0] = '\0';
	err = accel_source_open(&source);
	if (!err) {
		accel_source_select(source, ACCEL_READ_DEVICES | ACCEL_READ_ENGINES |
				    ACCEL_READ_STATS | (m->contexts ? ACCEL_READ_CONTEXTS : 0));
		err = accel_snapshot_read(source, snap);
	}
	if (err == -ENODEV)
		snprintf(m->error, sizeof(m->error),
			 "no accelerator subsystem on this machine: modprobe accelerator");
	else if (err)
		snprintf(m->error, sizeof(m->error), "cannot read the accelerators: %s",
			 source && *accel_source_error(source) ? accel_source_error(source) :
								 strerror(-err));
	accel_source_close(source);
	return err;
}

/* ------------------------------------------------------------------- whether */

static void up(struct text *t, const struct accel_snapshot *snap)
{
	static const struct text_family family = {
		"accel_up", TEXT_GAUGE, NULL,
		"Whether the subsystem could be read: 0 when its module is not loaded."
	}, source = {
		"accel_source", TEXT_INFO, NULL,
		"Where that is from: sysfs, which has no operations, only without netlink."
	};

	text_family(t, &family);
	text_u64(t, NO_LABELS, snap != NULL);
	if (!snap)
		return;
	text_family(t, &source);
	text_info(t, LABELS({ "source", snap->kind == ACCEL_SOURCE_NETLINK ? "netlink" : "sysfs" }));
}

static void observed(struct text *t, enum latencies_state state)
{
	static const struct text_family family = {
		"accel_observe_up", TEXT_GAUGE, NULL,
		"Whether there are latencies: 0 until accelctl observe on, and to who may not read them."
	}, why = {
		"accel_observe_state", TEXT_STATESET, NULL,
		"Why: off or unreachable (accelctl observe on), denied (be of its group), mismatch (accelctl observe off, then on)."
	};
	const char *names[LATENCIES_STATES];

	for (int i = 0; i < LATENCIES_STATES; i++)
		names[i] = latencies_state_name((enum latencies_state)i);
	text_family(t, &family);
	text_u64(t, NO_LABELS, state == LATENCIES_ON);
	text_family(t, &why);
	text_states(t, NO_LABELS, names, LATENCIES_STATES, state);
}

/* -------------------------------------------------------------- the exporter */

static void own(struct text *t, const struct metrics *m, uint64_t duration_ns)
{
	static const struct text_family build = {
		"accel_exporter_build", TEXT_INFO, NULL, "The exporter's version."
	}, scrapes = {
		"accel_exporter_scrapes", TEXT_COUNTER, NULL, "How often it was asked."
	}, failed = {
		"accel_exporter_scrape_errors", TEXT_COUNTER, NULL,
		"How often the subsystem could not be read."
	}, duration = {
		"accel_exporter_scrape_duration_seconds", TEXT_GAUGE, "seconds",
		"How long it took to read and to write what is above."
	}, cpu = {
		"accel_exporter_cpu_seconds", TEXT_COUNTER, "seconds",
		"Processor time that the exporter has used."
	};

	text_family(t, &build);
	text_info(t, LABELS({ "version", ACCEL_VERSION }));
	text_family(t, &scrapes);
	text_u64(t, NO_LABELS, m->scrapes);
	text_family(t, &failed);
	text_u64(t, NO_LABELS, m->failed);
	text_family(t, &duration);
	text_ns(t, NO_LABELS, duration_ns);
	text_family(t, &cpu);
	text_ns(t, NO_LABELS, now(CLOCK_PROCESS_CPUTIME_ID));
}

int metrics_write(struct metrics *m, FILE *f, enum text_format format)
{
	uint64_t begin = now(CLOCK_MONOTONIC);
	enum latencies_state state;
	struct accel_snapshot *snap;
	struct text t;
	int err;

	err = read_snapshot(m, &snap);
	state = latencies_look(m->latencies);
	m->scrapes++;
	m->failed += err != 0;

	text_begin(&t, f, format);
	up(&t, snap);
	observed(&t, state);
	if (snap) {
		families_devices(&t, snap);
		families_latencies(&t, snap, m->latencies);
		if (m->contexts)
			families_contexts(&t, snap, m->latencies);
	}
	own(&t, m, now(CLOCK_MONOTONIC) - begin);
	text_end(&t);
	accel_snapshot_free(snap);
	return err;
}
