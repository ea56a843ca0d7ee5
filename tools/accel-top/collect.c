// SPDX-License-Identifier: GPL-2.0-only
/* Makes frames; see collect.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "collect.h"
#include "commands.h"
#include "latency.h"
#include "lats.h"
#include "model.h"
#include "proc.h"

struct history {
	uint64_t dev_id;
	size_t nr;
	float util[FRAME_HISTORY_LEN];
};

struct collect {
	struct accel_source *source;
	struct accel_snapshot *before;
	struct latency *latency;
	bool want_latency;
	struct stats_room room;
	char why_no_latency[256];
	const struct stats *stats;	/* of this look; NULL: there are none */
	uint64_t lost;			/* as of the look before */
	bool own_pids;			/* the kernel's process ids are ours */
	struct commands *commands;
	struct history *history;
	size_t nr_history;
	uint64_t seq;
	uint64_t begin_ns;
	uint64_t look_ns;
	uint64_t cpu_ns;
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int collect_open(struct collect **out, char *why, size_t size)
{
	struct collect *c = calloc(1, sizeof(*c));
	int err = -ENOMEM;

	*out = NULL;
	snprintf(why, size, "out of memory");
	if (!c)
		return err;
	c->commands = commands_new();
	if (!c->commands)
		goto cleanup;
	err = accel_source_open(&c->source);
	if (err == -ENODEV)
		snprintf(why, size,
			 "no accelerator subsystem on this machine: modprobe accelerator");
	else if (err)
		snprintf(why, size, "cannot read the accelerators: %s", strerror(-err));
	if (err)
		goto cleanup;
	snprintf(c->why_no_latency, sizeof(c->why_no_latency),
		 "no latencies (\"-\") yet: loading the BPF programs");
	c->begin_ns = now_ns(CLOCK_MONOTONIC);
	c->own_pids = proc_own_pids();
	*out = c;
	c = NULL;

cleanup:
	collect_close(c);
	return err;
}

void collect_close(struct collect *c)
{
	if (!c)
		return;
	latency_close(c->latency);
	accel_snapshot_free(c->before);
	accel_source_close(c->source);
	commands_free(c->commands);
	free(c->history);
	free(c);
}

bool collect_attach(struct collect *c, const struct stats_room *room, const char **why)
{
	char reason[200];

	c->want_latency = true;
	c->room = room ? *room : (struct stats_room){ 0 };
	c->why_no_latency[0] = '\0';
	if (latency_open(&c->latency, &c->room, reason, sizeof(reason)))
		snprintf(c->why_no_latency, sizeof(c->why_no_latency), "no latencies (\"-\"): %s", reason);
	*why = c->why_no_latency;
	return c->latency;
}

void collect_do_without(struct collect *c)
{
	snprintf(c->why_no_latency, sizeof(c->why_no_latency),
		 "no latencies (\"-\"): not wanted (--no-latency)");
}

const char *collect_error(const struct collect *c)
{
	return accel_source_error(c->source);
}

/* ----------------------------------------------------------------- latencies */

/* What is pinned may go ("accelctl observe off") and come while we look. */
static const struct stats *look_at_latencies(struct collect *c)
{
	int err = c->latency ? latency_look(c->latency) : -ESTALE;
	const char *why;

	if (err == -ESTALE && c->want_latency && (c->latency || stats_maps_pinned())) {
		latency_close(c->latency);
		c->latency = NULL;
		c->lost = 0;
		if (collect_attach(c, &c->room, &why))
			err = latency_look(c->latency);
	}
	return err ? NULL : latency_stats(c->latency);
}

static const struct stats_row *dev_row(const struct collect *c, uint32_t index, uint64_t id)
{
	return c->stats ? stats_device(c->stats, index, id) : NULL;
}

static const struct stats_row *ctx_row(const struct collect *c, uint64_t id)
{
	return c->stats ? stats_context(c->stats, id) : NULL;
}

/* --------------------------------------------------------------------- rates */

static unsigned int fill_rates(struct frame_rates *to, const struct accel_rates *from)
{
	if (!from->valid)
		return 0;
	to->util = from->util;
	to->jobs_s = from->jobs_s;
	to->bytes_s = from->bytes_s;
	to->errors_new = from->errors;
	return FRAME_RATES;
}

/*
 * The calls that a process makes. What an ioctl does inside (pin, map, job) fails
 * with it and is not counted twice; all of them are in ops.
 */
static const char * const called[] = { "open", "ioctl", "mmap" };

static uint64_t call_errors(const struct accel_op_info *ops, size_t nr)
{
	uint64_t errors = 0;

	for (size_t i = 0; i < sizeof(called) / sizeof(called[0]); i++) {
		const struct accel_op_info *op = accel_op_find(ops, nr, called[i]);

		if (op)
			errors += op->errors;
	}
	return errors;
}

static uint64_t call_errors_new(const struct accel_snapshot *old,
				const struct accel_snapshot *new, uint64_t dev_id,
				uint64_t ctx_id)
{
	struct accel_op_rates rates;
	uint64_t errors = 0;

	if (!old)
		return 0;
	for (size_t i = 0; i < sizeof(called) / sizeof(called[0]); i++) {
		accel_op_rates(old, new, dev_id, ctx_id, called[i], &rates);
		if (rates.valid)
			errors += rates.errors;
	}
	return errors;
}

static struct frame_op *copy_ops(const struct accel_op_info *ops, size_t nr)
{
	struct frame_op *copy = calloc(nr ? nr : 1, sizeof(*copy));

	for (size_t i = 0; copy && i < nr; i++) {
		snprintf(copy[i].name, sizeof(copy[i].name), "%s", ops[i].name);
		copy[i].calls = ops[i].calls;
		copy[i].errors = ops[i].errors;
		copy[i].inflight = ops[i].inflight;
	}
	return copy;
}

static void add_counts(struct frame_counts *to, const struct frame_counts *from)
{
	to->jobs += from->jobs;
	to->job_errors += from->job_errors;
	to->bytes += from->bytes;
	to->busy_ns += from->busy_ns;
	to->wait_ns += from->wait_ns;
}

/* ------------------------------------------------------------------- devices */

/* The device's history with this look's utilization added; below 0: not known. */
static void fill_history(struct collect *c, struct frame_dev *d)
{
	struct history *h = NULL;

	for (size_t i = 0; i < c->nr_history; i++)
		if (c->history[i].dev_id == d->id)
			h = &c->history[i];
	if (!h) {
		h = realloc(c->history, (c->nr_history + 1) * sizeof(*h));
		if (!h)
			return;
		c->history = h;
		h = &c->history[c->nr_history++];
		memset(h, 0, sizeof(*h));
		h->dev_id = d->id;
	}
	if (d->valid & FRAME_RATES) {
		if (h->nr == FRAME_HISTORY_LEN)
			memmove(h->util, h->util + 1, --h->nr * sizeof(h->util[0]));
		h->util[h->nr++] = (float)d->rate.util;
	}
	d->nr_history = h->nr;
	memcpy(d->history, h->util, sizeof(d->history));
}

static void forget_history(struct collect *c, const struct accel_snapshot *snap)
{
	size_t nr = 0;

	for (size_t i = 0; i < c->nr_history; i++)
		if (accel_snapshot_device_id(snap, c->history[i].dev_id))
			c->history[nr++] = c->history[i];
	c->nr_history = nr;
}

static void fill_engine(struct collect *c, struct frame_engine *e,
			const struct accel_snapshot *snap, const struct accel_device_info *dev,
			const struct accel_engine_info *from)
{
	struct accel_rates rates = { 0 };

	snprintf(e->name, sizeof(e->name), "%s", from->name);
	e->index = from->index;
	e->depth = from->depth;
	e->queued = from->queued;
	e->running = from->running;
	e->count = (struct frame_counts){ from->jobs, from->errors, from->bytes, from->busy_ns,
					  from->wait_ns };
	if (c->before)
		accel_engine_rates(c->before, snap, dev->id, from->index, &rates);
	e->valid = fill_rates(&e->rate, &rates);
	e->valid |= lats_fill(c->stats, e->lat, dev_row(c, dev->index, dev->id), (int)from->index);
}

static int fill_dev(struct collect *c, struct frame_dev *d, const struct accel_snapshot *snap,
		    const struct accel_device_info *from)
{
	struct accel_rates rates = { 0 };

	d->id = from->id;
	d->index = from->index;
	snprintf(d->name, sizeof(d->name), "%s", from->name);
	snprintf(d->driver, sizeof(d->driver), "%.31s", from->driver);
	snprintf(d->type, sizeof(d->type), "%.31s", from->type);
	snprintf(d->parent, sizeof(d->parent), "%s", from->parent);
	d->state = (enum frame_state)from->state;
	d->contexts = from->open_contexts;
	d->pinned = from->pinned_bytes;
	d->mapped = from->mapped_bytes;
	d->engines = calloc(from->num_engines + 1, sizeof(*d->engines));
	d->ops = copy_ops(from->ops, from->num_ops);
	if (!d->engines || !d->ops)
		return -ENOMEM;
	d->nr_engines = from->num_engines;
	d->nr_ops = from->num_ops;
	for (size_t i = 0; i < d->nr_engines; i++) {
		fill_engine(c, &d->engines[i], snap, from, &from->engines[i]);
		add_counts(&d->count, &d->engines[i].count);
		d->queued += d->engines[i].queued;
		d->running += d->engines[i].running;
	}
	if (c->before)
		accel_total_rates(c->before, snap, d->id, 0, &rates);
	d->valid = fill_rates(&d->rate, &rates);
	d->errors = d->count.job_errors;
	if (from->valid & ACCEL_DEV_OPS) {
		d->valid |= FRAME_OPS;
		d->errors += call_errors(from->ops, from->num_ops);
		d->rate.errors_new += call_errors_new(c->before, snap, d->id, 0);
	}
	d->valid |= lats_fill(c->stats, d->lat, dev_row(c, d->index, d->id), STATS_ALL);
	fill_history(c, d);
	return 0;
}

/* ------------------------------------------------------------------ contexts */

static void fill_cgroup(struct frame_ctx *x, uint64_t id)
{
	struct proc_container container;
	const char *path;

	x->cgroup_id = id;
	path = proc_cgroup_path(id);
	if (!path)
		return;
	snprintf(x->cgroup, sizeof(x->cgroup), "%s", path);
	x->valid |= FRAME_CGROUP;
	if (proc_container(path, &container)) {
		snprintf(x->container, sizeof(x->container), "%s", proc_cgroup_label(id));
		x->valid |= FRAME_CONTAINER;
	}
}

static void fill_owner(struct collect *c, struct frame_ctx *x,
		       const struct accel_context_info *from)
{
	snprintf(x->command, sizeof(x->command), "%s",
		 commands_get(c->commands, from->id,
			      from->valid & ACCEL_CTX_PID ? from->pid : 0, from->comm));
	x->valid |= FRAME_COMMAND;
	if (from->valid & ACCEL_CTX_PID && from->pid) {
		x->pid = from->pid;
		x->valid |= FRAME_PID;
	}
	if (from->valid & ACCEL_CTX_UID) {
		x->uid = from->uid;
		snprintf(x->user, sizeof(x->user), "%s", proc_user(from->uid));
		x->valid |= FRAME_USER;
	}
	if (from->valid & ACCEL_CTX_CGROUP && from->cgroup_id)
		fill_cgroup(x, from->cgroup_id);
}

static void fill_usage(struct collect *c, struct frame_usage *u,
		       const struct accel_snapshot *snap, uint64_t dev_id, uint64_t ctx_id,
		       const struct accel_usage_info *from)
{
	struct accel_rates rates = { 0 };

	snprintf(u->name, sizeof(u->name), "%s", from->name);
	u->index = from->engine;
	u->count = (struct frame_counts){ from->jobs, from->errors, from->bytes, from->busy_ns,
					  from->wait_ns };
	if (c->before)
		accel_usage_rates(c->before, snap, dev_id, ctx_id, from->engine, &rates);
	u->valid = fill_rates(&u->rate, &rates);
	u->valid |= lats_fill(c->stats, u->lat, ctx_row(c, ctx_id), (int)from->engine);
}

static int fill_ctx(struct collect *c, struct frame_ctx *x, const struct accel_snapshot *snap,
		    const struct accel_device_info *dev, const struct accel_context_info *from)
{
	struct accel_rates rates = { 0 };

	x->id = from->id;
	x->dev_id = dev->id;
	x->dev_index = dev->index;
	snprintf(x->dev_name, sizeof(x->dev_name), "%s", dev->name);
	x->age_ns = from->age_ns;
	x->pinned = from->pinned_bytes;
	x->mapped = from->mapped_bytes;
	x->mems = from->mems;
	x->jobs_open = from->jobs;
	x->engines = calloc(from->num_usage + 1, sizeof(*x->engines));
	x->ops = copy_ops(from->ops, from->num_ops);
	if (!x->engines || !x->ops)
		return -ENOMEM;
	x->nr_engines = from->num_usage;
	x->nr_ops = from->num_ops;
	fill_owner(c, x, from);
	for (size_t i = 0; i < x->nr_engines; i++) {
		fill_usage(c, &x->engines[i], snap, dev->id, x->id, &from->usage[i]);
		add_counts(&x->count, &x->engines[i].count);
	}
	if (c->before)
		accel_total_rates(c->before, snap, dev->id, x->id, &rates);
	x->valid |= fill_rates(&x->rate, &rates);
	if (from->num_ops)
		x->valid |= FRAME_OPS;
	x->errors = x->count.job_errors + call_errors(from->ops, from->num_ops);
	x->rate.errors_new += call_errors_new(c->before, snap, dev->id, x->id);
	x->valid |= lats_fill(c->stats, x->lat, ctx_row(c, x->id), STATS_ALL);
	x->ended = ctx_row(c, x->id) && ctx_row(c, x->id)->ended;
	return 0;
}

/*
 * One that netlink has not: it ended since the look before, and may have begun since, too;
 * or it is not ours to see there, and we may read the pinned maps.
 */
static int fill_ctx_of_stats(struct collect *c, struct frame_ctx *x,
			     const struct accel_device_info *dev, const struct stats_row *row,
			     double interval_s)
{
	const struct accel_stats_head *h = row->head;
	char comm[sizeof(h->comm) + 1] = "";
	uint64_t now = now_ns(CLOCK_MONOTONIC);

	memcpy(comm, h->comm, sizeof(h->comm));
	x->id = row->id;
	x->dev_id = dev->id;
	x->dev_index = dev->index;
	snprintf(x->dev_name, sizeof(x->dev_name), "%s", dev->name);
	x->ended = row->ended;
	x->partial = true;
	if (h->begun_ns)
		x->age_ns = (row->ended ? h->ended_ns : now) - h->begun_ns;
	if (c->own_pids) {
		x->pid = h->tgid;
		x->valid |= FRAME_PID;
	}
	x->uid = h->uid;
	snprintf(x->user, sizeof(x->user), "%s", proc_user(h->uid));
	snprintf(x->command, sizeof(x->command), "%s",
		 commands_get(c->commands, row->id, row->ended ? 0 : x->pid, comm));
	x->valid |= FRAME_USER | FRAME_COMMAND;
	if (h->cgroup_id)
		fill_cgroup(x, h->cgroup_id);
	x->count = (struct frame_counts){ h->jobs, h->job_errors, h->bytes, h->sum[ACCEL_STATS_RUN],
					  h->sum[ACCEL_STATS_WAIT] };
	x->errors = h->job_errors;
	if (c->before && interval_s > 0) {
		/* Of jobs that ended; one may have run for longer than this interval. */
		double busy = (double)stats_delta(row, sum[ACCEL_STATS_RUN]) / 1e9;

		x->rate.util = dev->num_engines ? busy / interval_s / (double)dev->num_engines : 0;
		if (x->rate.util > 1)
			x->rate.util = 1;
		x->rate.jobs_s = (double)stats_delta(row, jobs) / interval_s;
		x->rate.bytes_s = (double)stats_delta(row, bytes) / interval_s;
		x->rate.errors_new = stats_delta(row, job_errors);
		x->valid |= FRAME_RATES;
	}
	x->engines = calloc(1, sizeof(*x->engines));
	x->ops = calloc(1, sizeof(*x->ops));
	if (!x->engines || !x->ops)
		return -ENOMEM;
	x->valid |= lats_fill(c->stats, x->lat, row, STATS_ALL);
	return 0;
}

/* ----------------------------------------------------------------- the frame */

static void fill_self(struct collect *c, struct frame *f)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC), cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	uint64_t wall = c->look_ns ? now - c->look_ns : 0, lost;
	struct stats_loss loss;
	double ns;

	if (wall)
		f->self.cpu = (double)(cpu - c->cpu_ns) / (double)wall;
	c->cpu_ns = cpu;
	c->look_ns = now;
	if (!c->stats)
		return;
	f->valid |= FRAME_LATENCY;
	stats_loss(c->stats, &loss);
	f->self.events = loss.events;
	f->self.lost_full = loss.unkept + loss.no_device;
	f->self.missed_known = latency_missed(c->latency, &f->self.lost_missed);
	f->self.unsplit = loss.unsplit;
	f->self.contexts_unkept = loss.no_record;
	f->self.contexts_missed = loss.missed;
	lost = f->self.lost_full + f->self.lost_missed;
	f->self.lost_new = lost - c->lost;
	c->lost = lost;
	f->self.untimed = loss.untimed;
	ns = latency_ns(c->latency);
	if (ns >= 0 && wall) {
		f->valid |= FRAME_BPF_COST;
		f->self.bpf_ns = ns;
		f->self.bpf = ns * (double)loss.events_new / (double)wall;
	}
}

static void fill_totals(struct frame *f)
{
	double util = 0;

	f->valid |= FRAME_RATES;
	for (size_t i = 0; i < f->nr_devs; i++) {
		const struct frame_dev *d = &f->devs[i];

		f->pinned += d->pinned;
		f->mapped += d->mapped;
		f->errors += d->errors;
		add_counts(&f->count, &d->count);
		if (!(d->valid & FRAME_RATES))
			continue;	/* new: next time */
		f->rate.jobs_s += d->rate.jobs_s;
		f->rate.bytes_s += d->rate.bytes_s;
		f->rate.errors_new += d->rate.errors_new;
		util += d->rate.util * (double)d->nr_engines;
		f->nr_engines += d->nr_engines;
	}
	if (f->nr_engines)
		f->rate.util = util / (double)f->nr_engines;
	if (!(f->interval_s > 0))
		f->valid &= ~FRAME_RATES;
}

static void fill_notes(const struct collect *c, struct frame *f, const struct accel_snapshot *snap)
{
	uint64_t hidden = accel_snapshot_hidden(snap);
	uint64_t lost = f->self.lost_full + f->self.lost_missed;

	if (c->why_no_latency[0])
		frame_note(f, "%s", c->why_no_latency);
	else if (c->latency && !c->stats)
		frame_note(f, "no latencies in this frame: out of memory");
	if (c->latency && latency_note(c->latency))
		frame_note(f, "%s", latency_note(c->latency));
	if (!snap->has_contexts)
		frame_note(f, "no contexts: generic netlink does not answer (accelctl doctor)");
	if (hidden)
		frame_note(f, "%llu contexts are not ours to see and not in the list; totals have them: sudo",
			   (unsigned long long)hidden);
	if (f->self.contexts_missed)
		frame_note(f, "%llu contexts ended unseen, their records were needed: look more often (-d) or make room (--contexts)",
			   (unsigned long long)f->self.contexts_missed);
	if (f->self.contexts_unkept)
		frame_note(f, "%llu contexts found no room for latencies (--contexts): only their devices have these",
			   (unsigned long long)f->self.contexts_unkept);
	if (lost)
		frame_note(f, "%llu latencies were lost (%llu: no room; %llu: program busy): p50, p99 may be off",
			   (unsigned long long)lost, (unsigned long long)f->self.lost_full,
			   (unsigned long long)f->self.lost_missed);
}

static int fill(struct collect *c, struct frame *f, const struct accel_snapshot *snap)
{
	const struct stats_row *rows = NULL;
	size_t nr = 0, nr_rows = 0;
	int err;

	if (c->stats)
		rows = stats_contexts(c->stats, &nr_rows);
	for (size_t i = 0; i < snap->num_devices; i++)
		nr += snap->devices[i].num_contexts;
	f->devs = calloc(snap->num_devices + 1, sizeof(*f->devs));
	f->ctxs = calloc(nr + nr_rows + 1, sizeof(*f->ctxs));
	if (!f->devs || !f->ctxs)
		return -ENOMEM;
	for (size_t i = 0; i < snap->num_devices; i++) {
		const struct accel_device_info *d = &snap->devices[i];

		err = fill_dev(c, &f->devs[f->nr_devs++], snap, d);
		for (size_t k = 0; !err && k < d->num_contexts; k++)
			err = fill_ctx(c, &f->ctxs[f->nr_ctxs++], snap, d, &d->contexts[k]);
		if (err)
			return err;
	}
	for (size_t i = 0; i < nr_rows; i++) {
		const struct accel_device_info *d =
			accel_snapshot_device_id(snap, rows[i].head->dev_id);

		if (!d || accel_snapshot_context(snap, rows[i].id, NULL))
			continue;
		/* Opened since the snapshot was taken: the next one has all of it. */
		if (snap->has_contexts && !rows[i].ended && !accel_device_hidden(d))
			continue;
		err = fill_ctx_of_stats(c, &f->ctxs[f->nr_ctxs++], d, &rows[i], f->interval_s);
		if (err)
			return err;
	}
	for (size_t i = 0; i < f->nr_ctxs; i++)
		f->nr_ended += f->ctxs[i].ended;
	return 0;
}

int collect_frame(struct collect *c, struct frame **out)
{
	struct accel_snapshot *snap = NULL;
	struct frame *f = calloc(1, sizeof(*f));
	int err = -ENOMEM;

	*out = NULL;
	if (!f)
		goto cleanup;
	f->time_ns = now_ns(CLOCK_REALTIME);
	err = accel_snapshot_read(c->source, &snap);
	if (err)
		goto cleanup;
	c->stats = look_at_latencies(c);
	f->seq = c->seq++;
	f->uptime_ns = now_ns(CLOCK_MONOTONIC) - c->begin_ns;
	gethostname(f->host, sizeof(f->host) - 1);
	if (c->before)
		f->interval_s = (double)(snap->end_ns + snap->begin_ns - c->before->end_ns -
					 c->before->begin_ns) / 2e9;
	err = fill(c, f, snap);
	if (err)
		goto cleanup;
	fill_totals(f);
	fill_self(c, f);
	fill_notes(c, f, snap);
	forget_history(c, snap);
	commands_sweep(c->commands);
	accel_snapshot_free(c->before);
	c->before = snap;
	snap = NULL;
	*out = f;
	f = NULL;

cleanup:
	accel_snapshot_free(snap);
	frame_free(f);
	return err;
}
