// SPDX-License-Identifier: GPL-2.0-only
/* Devices, engines, contexts and counters, as JSON: always exact, null where not known. */
#include "show.h"

#include <stdio.h>

#include "accelctl.h"
#include "json.h"
#include "proc.h"

static void text(struct json *j, const char *key, uint32_t valid, const char *value)
{
	json_str(j, key, valid ? value : NULL);
}

static void number(struct json *j, const char *key, uint32_t valid, uint64_t value)
{
	if (valid)
		json_u64(j, key, value);
	else
		json_null(j, key);
}

static void ops(struct json *j, const struct accel_op_info *list, size_t num)
{
	size_t i;

	json_object(j, "operations");
	for (i = 0; i < num; i++) {
		json_object(j, list[i].name);
		json_u64(j, "calls", list[i].calls);
		json_u64(j, "errors", list[i].errors);
		json_u64(j, "in_flight", list[i].inflight);
		json_close(j);
	}
	json_close(j);
}

void json_device(struct json *j, const char *key, const struct accel_device_info *dev)
{
	size_t i;

	json_object(j, key);
	json_str(j, "name", dev->name);
	json_u64(j, "id", dev->id);
	json_u64(j, "index", dev->index);
	text(j, "driver", dev->valid & ACCEL_DEV_DRIVER, dev->driver);
	text(j, "type", dev->valid & ACCEL_DEV_TYPE, dev->type);
	text(j, "state", dev->valid & ACCEL_DEV_STATE, accel_model_state_name(dev->state));
	text(j, "parent", dev->valid & ACCEL_DEV_PARENT, dev->parent);
	if (dev->valid & ACCEL_DEV_NUMA)
		json_i64(j, "numa_node", dev->numa_node);
	else
		json_null(j, "numa_node");
	text(j, "firmware", dev->valid & ACCEL_DEV_FIRMWARE, dev->firmware);
	text(j, "serial", dev->valid & ACCEL_DEV_SERIAL, dev->serial);
	text(j, "uuid", dev->valid & ACCEL_DEV_UUID, dev->uuid);
	json_bool(j, "exclusive", dev->flags & ACCEL_DEV_EXCLUSIVE);
	number(j, "contexts", dev->valid & ACCEL_DEV_CONTEXTS, dev->open_contexts);
	number(j, "pinned_bytes", dev->valid & ACCEL_DEV_BYTES, dev->pinned_bytes);
	number(j, "mapped_bytes", dev->valid & ACCEL_DEV_BYTES, dev->mapped_bytes);
	json_array(j, "nodes");
	for (i = 0; i < dev->num_nodes; i++) {
		json_object(j, NULL);
		json_str(j, "name", dev->nodes[i].name);
		json_u64(j, "major", dev->nodes[i].major);
		json_u64(j, "minor", dev->nodes[i].minor);
		json_close(j);
	}
	json_close(j);
	json_close(j);
}

static void json_engine(struct json *j, const struct accel_device_info *dev,
			const struct accel_engine_info *e)
{
	json_object(j, NULL);
	json_str(j, "device", dev->name);
	json_u64(j, "device_id", dev->id);
	json_str(j, "name", e->name);
	json_u64(j, "index", e->index);
	number(j, "depth", e->valid & ACCEL_ENGINE_DEPTH, e->depth);
	number(j, "queued", e->valid & ACCEL_ENGINE_NOW, e->queued);
	number(j, "running", e->valid & ACCEL_ENGINE_NOW, e->running);
	number(j, "jobs", e->valid & ACCEL_ENGINE_COUNTERS, e->jobs);
	number(j, "errors", e->valid & ACCEL_ENGINE_COUNTERS, e->errors);
	number(j, "bytes", e->valid & ACCEL_ENGINE_COUNTERS, e->bytes);
	number(j, "busy_ns", e->valid & ACCEL_ENGINE_COUNTERS, e->busy_ns);
	number(j, "wait_ns", e->valid & ACCEL_ENGINE_COUNTERS, e->wait_ns);
	number(j, "time_ns", e->valid & ACCEL_ENGINE_COUNTERS, e->time_ns);
	json_close(j);
}

void json_context(struct json *j, const char *key, const char *dev_name, uint64_t dev_id,
		  const struct accel_context_info *ctx)
{
	const char *cgroup = ctx->valid & ACCEL_CTX_CGROUP ? proc_cgroup_path(ctx->cgroup_id) : NULL;
	size_t i;

	json_object(j, key);
	json_str(j, "device", dev_name);
	json_u64(j, "device_id", dev_id);
	json_u64(j, "id", ctx->id);
	number(j, "node", ctx->valid & ACCEL_CTX_NODE, ctx->node);
	number(j, "pid", ctx->valid & ACCEL_CTX_PID, ctx->pid);
	number(j, "uid", ctx->valid & ACCEL_CTX_UID, ctx->uid);
	json_str(j, "command", ctx->comm);
	number(j, "cgroup_id", ctx->valid & ACCEL_CTX_CGROUP, ctx->cgroup_id);
	json_str(j, "cgroup", cgroup);
	number(j, "age_ns", ctx->valid & ACCEL_CTX_AGE, ctx->age_ns);
	number(j, "pinned_bytes", ctx->valid & ACCEL_CTX_BYTES, ctx->pinned_bytes);
	number(j, "mapped_bytes", ctx->valid & ACCEL_CTX_BYTES, ctx->mapped_bytes);
	number(j, "regions", ctx->valid & ACCEL_CTX_OBJECTS, ctx->mems);
	number(j, "jobs_open", ctx->valid & ACCEL_CTX_OBJECTS, ctx->jobs);
	json_array(j, "engines");
	for (i = 0; i < ctx->num_usage; i++) {
		const struct accel_usage_info *u = &ctx->usage[i];

		json_object(j, NULL);
		json_str(j, "name", u->name);
		json_u64(j, "index", u->engine);
		json_u64(j, "jobs", u->jobs);
		json_u64(j, "errors", u->errors);
		json_u64(j, "bytes", u->bytes);
		json_u64(j, "busy_ns", u->busy_ns);
		json_u64(j, "wait_ns", u->wait_ns);
		json_close(j);
	}
	json_close(j);
	ops(j, ctx->ops, ctx->num_ops);
	json_str(j, "last_error", *ctx->last_error ? ctx->last_error : NULL);
	json_u64(j, "time_ns", ctx->time_ns);
	json_close(j);
}

static const char *const keys[] = {
	[JSON_DEVICES] = "devices",
	[JSON_ENGINES] = "engines",
	[JSON_CONTEXTS] = "contexts",
	[JSON_STATS] = "stats",
};

static void json_of_device(struct json *j, const struct accel_device_info *dev,
			   enum json_kind kind)
{
	size_t i;

	switch (kind) {
	case JSON_DEVICES:
		json_device(j, NULL, dev);
		break;
	case JSON_ENGINES:
		for (i = 0; i < dev->num_engines; i++)
			json_engine(j, dev, &dev->engines[i]);
		break;
	case JSON_CONTEXTS:
		for (i = 0; i < dev->num_contexts; i++)
			json_context(j, NULL, dev->name, dev->id, &dev->contexts[i]);
		break;
	case JSON_STATS:
		json_object(j, NULL);
		json_str(j, "device", dev->name);
		json_u64(j, "device_id", dev->id);
		ops(j, dev->ops, dev->num_ops);
		json_close(j);
		break;
	}
}

int show_json(const struct accel_snapshot *snap, enum json_kind kind)
{
	struct json j;
	uint64_t hidden = 0;
	size_t d;
	int ret;

	json_begin(&j, stdout, JSON_PRETTY);
	json_object(&j, NULL);
	json_u64(&j, "version", 1);
	json_array(&j, keys[kind]);
	for (d = 0; d < snap->num_devices; d++) {
		json_of_device(&j, &snap->devices[d], kind);
		hidden += accel_device_hidden(&snap->devices[d]);
	}
	json_close(&j);
	if (kind == JSON_CONTEXTS)
		number(&j, "not_shown", snap->has_contexts, hidden);
	json_close(&j);
	ret = json_end(&j);
	proc_forget();
	return ret;
}
