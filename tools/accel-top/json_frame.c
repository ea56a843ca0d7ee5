// SPDX-License-Identifier: GPL-2.0-only
/*
 * A frame as one line of JSON. The schema is stable: fields are only added, and
 * every one is always there, null when it is not known.
 */
#include <errno.h>
#include <math.h>

#include "json.h"
#include "json_frame.h"
#include "model.h"
#include "rows.h"

#define VERSION	1

static void quantiles(struct json *j, const char *key, const struct frame_quantiles *q, bool known)
{
	bool any = known && q->count;

	json_object(j, key);
	json_u64_or_null(j, "count", known ? q->count : UINT64_MAX);
	json_u64_or_null(j, "p50_ns", any ? q->p50 : UINT64_MAX);
	json_u64_or_null(j, "p99_ns", any ? q->p99 : UINT64_MAX);
	json_u64_or_null(j, "max_ns", any ? q->max : UINT64_MAX);
	json_close(j);
}

static void latencies(struct json *j, const struct frame_lat lat[FRAME_LATENCIES],
		      unsigned int valid, unsigned int kinds)
{
	static const char * const names[] = {
		[FRAME_IOCTL] = "ioctl", [FRAME_WAIT] = "job_wait", [FRAME_RUN] = "job_run",
		[FRAME_PIN] = "mem_pin", [FRAME_DMA] = "dma_map",
	};

	json_object(j, "latency");
	for (unsigned int k = 0; k < FRAME_LATENCIES; k++) {
		if (!(kinds & 1U << k))
			continue;
		json_object(j, names[k]);
		quantiles(j, "interval", &lat[k].interval, valid & FRAME_LATENCY);
		quantiles(j, "total", &lat[k].total, valid & FRAME_LATENCY);
		json_close(j);
	}
	json_close(j);
}

#define ALL_KINDS	((1U << FRAME_LATENCIES) - 1)
#define JOB_KINDS	(1U << FRAME_WAIT | 1U << FRAME_RUN)

static void counts(struct json *j, const struct frame_counts *c)
{
	json_u64(j, "jobs", c->jobs);
	json_u64(j, "job_errors", c->job_errors);
	json_u64(j, "bytes", c->bytes);
	json_u64(j, "busy_ns", c->busy_ns);
	json_u64(j, "wait_ns", c->wait_ns);
}

static void rates(struct json *j, const struct frame_rates *r, unsigned int valid)
{
	bool known = valid & FRAME_RATES;

	json_double(j, "util", known ? r->util : NAN);
	json_double(j, "jobs_per_s", known ? r->jobs_s : NAN);
	json_double(j, "bytes_per_s", known ? r->bytes_s : NAN);
	json_u64_or_null(j, "errors_new", known ? r->errors_new : UINT64_MAX);
}

static void ops(struct json *j, const struct frame_op *op, size_t nr)
{
	json_object(j, "ops");
	for (size_t i = 0; i < nr; i++) {
		json_object(j, op[i].name);
		json_u64(j, "calls", op[i].calls);
		json_u64(j, "errors", op[i].errors);
		json_u64(j, "inflight", op[i].inflight);
		json_close(j);
	}
	json_close(j);
}

static void device(struct json *j, const struct frame_dev *d)
{
	json_object(j, NULL);
	json_u64(j, "id", d->id);
	json_u64(j, "index", d->index);
	json_str(j, "name", d->name);
	json_str(j, "driver", d->driver);
	json_str(j, "type", d->type);
	json_str(j, "parent", d->parent);
	json_str(j, "state", accel_model_state_name((enum accel_model_state)d->state));
	json_u64(j, "contexts", d->contexts);
	json_u64(j, "queued", d->queued);
	json_u64(j, "running", d->running);
	json_u64(j, "pinned_bytes", d->pinned);
	json_u64(j, "mapped_bytes", d->mapped);
	json_u64(j, "errors", d->errors);
	counts(j, &d->count);
	rates(j, &d->rate, d->valid);
	latencies(j, d->lat, d->valid, ALL_KINDS);
	json_array(j, "engines");
	for (size_t i = 0; i < d->nr_engines; i++) {
		const struct frame_engine *e = &d->engines[i];

		json_object(j, NULL);
		json_u64(j, "index", e->index);
		json_str(j, "name", e->name);
		json_u64(j, "depth", e->depth);
		json_u64(j, "queued", e->queued);
		json_u64(j, "running", e->running);
		counts(j, &e->count);
		rates(j, &e->rate, e->valid);
		latencies(j, e->lat, e->valid, JOB_KINDS);
		json_close(j);
	}
	json_close(j);
	ops(j, d->ops, d->nr_ops);
	json_close(j);
}

static void context(struct json *j, const struct frame_ctx *c)
{
	json_object(j, NULL);
	json_u64(j, "id", c->id);
	json_u64(j, "device_id", c->dev_id);
	json_str(j, "device", c->dev_name);
	json_u64_or_null(j, "pid", c->valid & FRAME_PID ? c->pid : UINT64_MAX);
	json_u64_or_null(j, "uid", c->valid & FRAME_USER ? c->uid : UINT64_MAX);
	json_str(j, "user", c->valid & FRAME_USER ? c->user : NULL);
	json_str(j, "command", c->valid & FRAME_COMMAND ? c->command : NULL);
	json_u64_or_null(j, "cgroup_id", c->cgroup_id ? c->cgroup_id : UINT64_MAX);
	json_str(j, "cgroup", c->valid & FRAME_CGROUP ? c->cgroup : NULL);
	json_str(j, "container", c->valid & FRAME_CONTAINER ? c->container : NULL);
	json_u64(j, "age_ns", c->age_ns);
	json_bool(j, "ended", c->ended);
	json_u64_or_null(j, "pinned_bytes", c->partial ? UINT64_MAX : c->pinned);
	json_u64_or_null(j, "mapped_bytes", c->partial ? UINT64_MAX : c->mapped);
	json_u64_or_null(j, "regions", c->partial ? UINT64_MAX : c->mems);
	json_u64_or_null(j, "jobs_open", c->partial ? UINT64_MAX : c->jobs_open);
	json_u64(j, "errors", c->errors);
	counts(j, &c->count);
	rates(j, &c->rate, c->valid);
	latencies(j, c->lat, c->valid, ALL_KINDS);
	json_array(j, "engines");
	for (size_t i = 0; i < c->nr_engines; i++) {
		const struct frame_usage *u = &c->engines[i];

		json_object(j, NULL);
		json_u64(j, "index", u->index);
		json_str(j, "name", u->name);
		counts(j, &u->count);
		rates(j, &u->rate, u->valid);
		latencies(j, u->lat, u->valid, JOB_KINDS);
		json_close(j);
	}
	json_close(j);
	ops(j, c->ops, c->nr_ops);
	json_close(j);
}

static void self(struct json *j, const struct frame *f)
{
	bool latency = f->valid & FRAME_LATENCY;

	json_object(j, "self");
	json_double(j, "cpu", f->valid & FRAME_RATES ? f->self.cpu : NAN);
	json_double(j, "bpf_cpu", f->valid & FRAME_BPF_COST ? f->self.bpf : NAN);
	json_double(j, "bpf_ns_per_event", f->valid & FRAME_BPF_COST ? f->self.bpf_ns : NAN);
	json_u64_or_null(j, "events", latency ? f->self.events : UINT64_MAX);
	json_u64_or_null(j, "lost_no_room", latency ? f->self.lost_full : UINT64_MAX);
	json_u64_or_null(j, "lost_busy", latency && f->self.missed_known ? f->self.lost_missed : UINT64_MAX);
	json_u64_or_null(j, "untimed", latency ? f->self.untimed : UINT64_MAX);
	json_u64_or_null(j, "unsplit", latency ? f->self.unsplit : UINT64_MAX);
	json_u64_or_null(j, "contexts_no_room", latency ? f->self.contexts_unkept : UINT64_MAX);
	json_u64_or_null(j, "contexts_missed", latency ? f->self.contexts_missed : UINT64_MAX);
	json_close(j);
}

int json_frame(FILE *out, const struct frame *f, const struct view *v)
{
	struct view flat = *v;
	struct rows rows;
	struct json j;

	flat.tree = false;
	flat.expand = false;
	if (rows_build(&rows, f, &flat, PANE_CTXS))
		return -ENOMEM;
	json_begin(&j, out, JSON_LINES);
	json_object(&j, NULL);
	json_u64(&j, "version", VERSION);
	json_u64(&j, "seq", f->seq);
	json_u64(&j, "time_ns", f->time_ns);
	json_u64(&j, "uptime_ns", f->uptime_ns);
	json_double(&j, "interval_s", f->interval_s);
	json_str(&j, "host", f->host);
	json_object(&j, "totals");
	json_u64(&j, "devices", f->nr_devs);
	json_u64(&j, "contexts", f->nr_ctxs - f->nr_ended);
	json_u64(&j, "contexts_ended", f->nr_ended);
	json_u64(&j, "pinned_bytes", f->pinned);
	json_u64(&j, "mapped_bytes", f->mapped);
	json_u64(&j, "errors", f->errors);
	counts(&j, &f->count);
	rates(&j, &f->rate, f->valid);
	json_close(&j);
	self(&j, f);
	json_array(&j, "notes");
	for (size_t i = 0; i < f->nr_notes; i++)
		json_str(&j, NULL, f->notes[i]);
	json_close(&j);
	json_array(&j, "devices");
	for (size_t i = 0; i < f->nr_devs; i++)
		device(&j, &f->devs[i]);
	json_close(&j);
	json_array(&j, "contexts");
	for (size_t i = 0; i < rows.nr; i++)
		context(&j, rows.row[i].ctx);
	json_close(&j);
	json_close(&j);
	rows_free(&rows);
	return json_end(&j);
}
