// SPDX-License-Identifier: GPL-2.0-only
/*
 * A series for each open context, where that is asked for. Netlink tells of those that are
 * ours to see; of all others that were opened while it was observed, what is pinned for the
 * group knows the owner and the jobs. None that has ended is shown.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "families.h"
#include "latencies.h"
#include "proc.h"

/* The inode of the initial pid namespace, fixed by the kernel (PROC_PID_INIT_INO). */
#define PID_NS_INIT	0xEFFFFFFCU

struct one {
	const struct accel_device_info *dev;
	const struct accel_context_info *info;	/* NULL: not ours to see */
	const struct stats_row *row;		/* NULL: not observed */
	char id[24];
};

struct all {
	struct one *of;
	size_t nr;
};

static void add(struct all *all, const struct accel_device_info *dev,
		const struct accel_context_info *info, const struct stats_row *row)
{
	struct one *one = &all->of[all->nr++];

	*one = (struct one){ .dev = dev, .info = info, .row = row };
	snprintf(one->id, sizeof(one->id), "%" PRIu64, info ? info->id : (uint64_t)row->head->id);
}

static bool collect(struct all *all, const struct accel_snapshot *snap, const struct stats *stats)
{
	const struct stats_row *rows = NULL;
	size_t nr = 0, nr_rows = 0;

	if (stats)
		rows = stats_contexts(stats, &nr_rows);
	FOR_DEVICES(snap, d)
		nr += d->num_contexts;
	*all = (struct all){ .of = calloc(nr + nr_rows + 1, sizeof(*all->of)) };
	if (!all->of)
		return false;
	FOR_DEVICES(snap, d) {
		for (size_t i = 0; i < d->num_contexts; i++) {
			const struct accel_context_info *info = &d->contexts[i];
			const struct stats_row *row = stats ? stats_context(stats, info->id) : NULL;

			/* closed since netlink was asked */
			if (!row || !row->ended)
				add(all, d, info, row);
		}
	}
	for (size_t i = 0; i < nr_rows; i++) {
		const struct accel_device_info *d =
			accel_snapshot_device_id(snap, rows[i].head->dev_id);

		if (!d || rows[i].ended || accel_snapshot_context(snap, rows[i].id, NULL))
			continue;
		/* Opened since: the next scrape has all of it. */
		if (snap->has_contexts && !accel_device_hidden(d))
			continue;
		add(all, d, NULL, &rows[i]);
	}
	return true;
}

/* --------------------------------------------------------------------- owner */

static void info_of(struct text *t, const struct one *x, bool own_pids)
{
	char pid[16] = "", uid[16] = "", comm[ACCEL_MODEL_NAME + 1] = "";
	struct proc_container container = { 0 };
	const char *cgroup = NULL;
	uint64_t cgroup_id;

	if (x->info) {
		if (x->info->valid & ACCEL_CTX_PID)
			snprintf(pid, sizeof(pid), "%u", x->info->pid);
		if (x->info->valid & ACCEL_CTX_UID)
			snprintf(uid, sizeof(uid), "%u", x->info->uid);
		snprintf(comm, sizeof(comm), "%s", x->info->comm);
		cgroup_id = x->info->cgroup_id;
	} else {
		if (own_pids)
			snprintf(pid, sizeof(pid), "%u", x->row->head->tgid);
		snprintf(uid, sizeof(uid), "%u", x->row->head->uid);
		memcpy(comm, x->row->head->comm, sizeof(x->row->head->comm));
		cgroup_id = x->row->head->cgroup_id;
	}
	if (cgroup_id)
		cgroup = proc_cgroup_path(cgroup_id);
	if (cgroup)
		proc_container(cgroup, &container);
	text_info(t, LABELS({ "device", x->dev->name }, { "context", x->id }, { "pid", pid },
			    { "uid", uid }, { "comm", comm }, { "cgroup", cgroup },
			    { "container", container.id }, { "pod", container.pod }));
}

/* -------------------------------------------------------------------- values */

enum value { PINNED, MAPPED, JOBS, ERRORS, BYTES, WAIT, RUN };

/* False: not known of this one. */
static bool value_of(const struct one *x, enum value which, uint64_t *value)
{
	const struct accel_stats_head *h = x->row ? x->row->head : NULL;
	struct accel_usage_info sum = { 0 };

	for (size_t i = 0; x->info && i < x->info->num_usage; i++) {
		const struct accel_usage_info *u = &x->info->usage[i];

		sum.jobs += u->jobs;
		sum.errors += u->errors;
		sum.bytes += u->bytes;
		sum.wait_ns += u->wait_ns;
		sum.busy_ns += u->busy_ns;
	}
	switch (which) {
	case PINNED:
		*value = x->info ? x->info->pinned_bytes : 0;
		return x->info && x->info->valid & ACCEL_CTX_BYTES;
	case MAPPED:
		*value = x->info ? x->info->mapped_bytes : 0;
		return x->info && x->info->valid & ACCEL_CTX_BYTES;
	case JOBS:
		*value = x->info ? sum.jobs : h->jobs;
		return true;
	case ERRORS:
		*value = x->info ? sum.errors : h->job_errors;
		return true;
	case BYTES:
		*value = x->info ? sum.bytes : h->bytes;
		return true;
	case WAIT:
		*value = x->info ? sum.wait_ns : h->sum[ACCEL_STATS_WAIT];
		return true;
	case RUN:
		*value = x->info ? sum.busy_ns : h->sum[ACCEL_STATS_RUN];
		return true;
	}
	return false;
}

static void values(struct text *t, const struct all *all)
{
	static const struct {
		enum value which;
		struct text_family family;
	} each[] = {
		{ PINNED, { "accel_context_pinned_bytes", TEXT_GAUGE, "bytes",
			    "Memory that it has pinned; only of contexts that are ours to see." } },
		{ MAPPED, { "accel_context_mapped_bytes", TEXT_GAUGE, "bytes",
			    "Memory that it has mapped for DMA; likewise." } },
		{ JOBS, { "accel_context_jobs", TEXT_COUNTER, NULL,
			  "Its jobs that have ended, well or badly." } },
		{ ERRORS, { "accel_context_job_errors", TEXT_COUNTER, NULL,
			    "Its jobs that have ended badly: a part of accel_context_jobs." } },
		{ BYTES, { "accel_context_processed_bytes", TEXT_COUNTER, "bytes",
			   "What its jobs that ended well have processed." } },
		{ WAIT, { "accel_context_wait_seconds", TEXT_COUNTER, "seconds",
			  "Time that its jobs have waited in queues, summed up over jobs." } },
		{ RUN, { "accel_context_run_seconds", TEXT_COUNTER, "seconds",
			 "Time that its jobs have run, summed up over jobs." } },
	};
	uint64_t value;

	for (size_t v = 0; v < sizeof(each) / sizeof(each[0]); v++) {
		text_family(t, &each[v].family);
		for (size_t i = 0; i < all->nr; i++) {
			const struct one *x = &all->of[i];

			if (!value_of(x, each[v].which, &value))
				continue;
			(each[v].which == WAIT || each[v].which == RUN ? text_ns : text_u64)
				(t, LABELS({ "device", x->dev->name }, { "context", x->id }), value);
		}
	}
}

/*
 * Of a context that has a record: its slots are of 32 bits, which one context does not fill
 * as a device may; where they do not add up to its count, nothing is shown.
 */
static void waits(struct text *t, const struct all *all)
{
	static const struct text_family family = {
		"accel_context_job_wait_seconds", TEXT_HISTOGRAM, "seconds",
		"How long its jobs that have started had waited, since it was observed."
	};

	text_family(t, &family);
	for (size_t i = 0; i < all->nr; i++) {
		const struct one *x = &all->of[i];
		struct buckets b = { 0 };
		struct accel_hist h;

		if (!x->row)
			continue;
		memset(&h, 0, sizeof(h));
		stats_hist(x->row, ACCEL_STATS_WAIT, STATS_ALL, NULL, &h);
		buckets_add(&b, &h);
		if (x->row->head->count[ACCEL_STATS_WAIT] > buckets_total(&b) + UINT32_MAX / 2)
			continue;
		text_histogram(t, LABELS({ "device", x->dev->name }, { "context", x->id }),
			       &(struct text_histogram){ &b, x->row->head->sum[ACCEL_STATS_WAIT], 0 });
	}
}

static void unkept(struct text *t, const struct accel_stats_control *c)
{
	static const struct text_family family = {
		"accel_observe_unkept_latencies", TEXT_COUNTER, NULL,
		"Latencies that their device has and their context has not, for want of room."
	};

	if (!c)
		return;
	text_family(t, &family);
	text_u64(t, NO_LABELS, c->unkept);
}

void families_contexts(struct text *t, const struct accel_snapshot *snap,
		       const struct latencies *l)
{
	static const struct text_family family = {
		"accel_context", TEXT_INFO, NULL, "Whose it is. A context is an open file."
	};
	bool own_pids;
	struct stat st;
	struct all all;

	if (!collect(&all, snap, latencies_contexts(l)))
		return;
	own_pids = !stat("/proc/self/ns/pid", &st) && st.st_ino == PID_NS_INIT;
	text_family(t, &family);
	for (size_t i = 0; i < all.nr; i++)
		info_of(t, &all.of[i], own_pids);
	values(t, &all);
	waits(t, &all);
	unkept(t, latencies_control(l));
	free(all.of);
	/* Cgroups come and go: what was found out is for one scrape. */
	proc_forget();
}
