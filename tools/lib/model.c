// SPDX-License-Identifier: GPL-2.0-only
/* Snapshots: building, copying, looking things up. */
#include "bpf_util.h"
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_source.h"

/* Room for one more in an array whose capacity is the next power of two. */
static void *grow(void *array, size_t num, size_t size)
{
	void *larger;

	/* full exactly when num is 0 or a power of two */
	if (num & (num - 1))
		return array;
	larger = reallocarray(array, num ? num * 2 : 1, size);
	return larger;
}

#define ADD(_array, _num) ({						\
	void *_larger = grow(_array, _num, sizeof(*(_array)));		\
	if (_larger) {							\
		(_array) = _larger;					\
		memset(&(_array)[_num], 0, sizeof(*(_array)));		\
		(_num)++;						\
	}								\
	_larger ? &(_array)[(_num) - 1] : NULL;				\
})

void accel_text_set(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
}

struct accel_snapshot *accel_snapshot_new(enum accel_source_kind kind)
{
	struct accel_snapshot *snap = calloc(1, sizeof(*snap));

	if (snap)
		snap->kind = kind;
	return snap;
}

struct accel_device_info *accel_snapshot_add_device(struct accel_snapshot *snap, uint64_t id,
						    uint32_t index)
{
	struct accel_device_info *dev = ADD(snap->devices, snap->num_devices);

	if (!dev)
		return NULL;
	dev->id = id;
	dev->index = index;
	dev->numa_node = -1;
	snprintf(dev->name, sizeof(dev->name), "acc%u", index);
	return dev;
}

struct accel_node_info *accel_device_add_node(struct accel_device_info *dev, const char *name)
{
	struct accel_node_info *node;

	if (dev->num_nodes == ACCEL_MODEL_NODES)
		return NULL;
	node = &dev->nodes[dev->num_nodes++];
	accel_text_set(node->name, sizeof(node->name), name);
	return node;
}

struct accel_engine_info *accel_device_add_engine(struct accel_device_info *dev,
						  uint32_t index, const char *name)
{
	struct accel_engine_info *engine = ADD(dev->engines, dev->num_engines);

	if (!engine)
		return NULL;
	engine->index = index;
	accel_text_set(engine->name, sizeof(engine->name), name);
	return engine;
}

struct accel_context_info *accel_device_add_context(struct accel_device_info *dev, uint64_t id)
{
	struct accel_context_info *ctx = ADD(dev->contexts, dev->num_contexts);

	if (ctx)
		ctx->id = id;
	return ctx;
}

struct accel_usage_info *accel_context_add_usage(struct accel_context_info *ctx,
						 uint32_t engine, const char *name)
{
	struct accel_usage_info *usage = ADD(ctx->usage, ctx->num_usage);

	if (!usage)
		return NULL;
	usage->engine = engine;
	accel_text_set(usage->name, sizeof(usage->name), name);
	return usage;
}

struct accel_op_info *accel_op_add(struct accel_op_info *ops, size_t *num, const char *name)
{
	struct accel_op_info *op;

	if (*num == ACCEL_MODEL_OPS)
		return NULL;
	op = &ops[(*num)++];
	memset(op, 0, sizeof(*op));
	accel_text_set(op->name, sizeof(op->name), name);
	return op;
}

#define COMPARE(_name, _type, _member)					\
static int _name(const void *a, const void *b)				\
{									\
	const _type *x = a, *y = b;					\
									\
	return (x->_member > y->_member) - (x->_member < y->_member);	\
}
COMPARE(by_index, struct accel_device_info, index)
COMPARE(by_engine_index, struct accel_engine_info, index)
COMPARE(by_context_id, struct accel_context_info, id)
COMPARE(by_usage_engine, struct accel_usage_info, engine)

/* Sources mostly deliver in order: look before calling qsort(). */
static void sort(void *array, size_t num, size_t size, int (*cmp)(const void *, const void *))
{
	char *at = array;
	size_t i;

	for (i = 1; i < num; i++) {
		if (cmp(at + (i - 1) * size, at + i * size) > 0) {
			qsort(array, num, size, cmp);
			return;
		}
	}
}

#define SORT(_array, _num, _cmp) sort(_array, _num, sizeof(*(_array)), _cmp)

void accel_snapshot_finish(struct accel_snapshot *snap)
{
	size_t d, c;

	SORT(snap->devices, snap->num_devices, by_index);
	for (d = 0; d < snap->num_devices; d++) {
		struct accel_device_info *dev = &snap->devices[d];

		SORT(dev->engines, dev->num_engines, by_engine_index);
		SORT(dev->contexts, dev->num_contexts, by_context_id);
		for (c = 0; c < dev->num_contexts; c++)
			SORT(dev->contexts[c].usage, dev->contexts[c].num_usage, by_usage_engine);
	}
}

void accel_snapshot_free(struct accel_snapshot *snap)
{
	size_t d, c;

	if (!snap)
		return;
	for (d = 0; d < snap->num_devices; d++) {
		struct accel_device_info *dev = &snap->devices[d];

		for (c = 0; c < dev->num_contexts; c++)
			free(dev->contexts[c].usage);
		free(dev->contexts);
		free(dev->engines);
	}
	free(snap->devices);
	free(snap);
}

/*
 * A copy of an array at @*array; the copy has room as grow() expects it. On
 * failure the copy is empty, so that the half-made snapshot can be freed.
 */
static bool duplicate(void *array, size_t *num, size_t size)
{
	void *from, *to;
	size_t room = 1;

	memcpy(&from, array, sizeof(from));
	while (room < *num)
		room *= 2;
	to = *num ? calloc(room, size) : NULL;
	memcpy(array, &to, sizeof(to));
	if (!*num)
		return true;
	if (!to) {
		*num = 0;
		return false;
	}
	memcpy(to, from, *num * size);
	return true;
}

static bool copy_device(struct accel_device_info *dev)
{
	size_t c;
	bool ok;

	ok = duplicate(&dev->engines, &dev->num_engines, sizeof(*dev->engines));
	ok &= duplicate(&dev->contexts, &dev->num_contexts, sizeof(*dev->contexts));
	for (c = 0; c < dev->num_contexts; c++)
		ok &= duplicate(&dev->contexts[c].usage, &dev->contexts[c].num_usage,
				sizeof(*dev->contexts[c].usage));
	return ok;
}

struct accel_snapshot *accel_snapshot_copy(const struct accel_snapshot *snap)
{
	struct accel_snapshot *copy = malloc(sizeof(*copy));
	bool ok;
	size_t d;

	if (!copy)
		return NULL;
	*copy = *snap;
	ok = duplicate(&copy->devices, &copy->num_devices, sizeof(*copy->devices));
	for (d = 0; d < copy->num_devices; d++)
		ok &= copy_device(&copy->devices[d]);
	if (!ok) {
		accel_snapshot_free(copy);
		return NULL;
	}
	return copy;
}

/* ------------------------------------------------------------------ look-up */

const char *accel_model_state_name(enum accel_model_state state)
{
	static const char *const names[ACCEL_MODEL_STATES] = {
		"ok", "resetting", "failed", "gone",
	};

	return (unsigned int)state < ACCEL_MODEL_STATES ? names[state] : "unknown";
}

const struct accel_device_info *accel_snapshot_device(const struct accel_snapshot *snap,
						      const char *name)
{
	static const char dir[] = "/dev/accelerator/";
	bool node = !strncmp(name, dir, sizeof(dir) - 1);
	char *end;
	unsigned long index;
	size_t d, n;

	if (node)
		name += sizeof(dir) - 1;
	for (d = 0; d < snap->num_devices; d++) {
		const struct accel_device_info *dev = &snap->devices[d];

		if (!strcmp(dev->name, name))
			return dev;
		for (n = 0; node && n < dev->num_nodes; n++)
			if (!strcmp(dev->nodes[n].name, name))
				return dev;
	}
	if (node || *name < '0' || *name > '9')
		return NULL;
	index = strtoul(name, &end, 10);
	for (d = 0; !*end && d < snap->num_devices; d++)
		if (snap->devices[d].index == index)
			return &snap->devices[d];
	return NULL;
}

const struct accel_device_info *accel_snapshot_device_id(const struct accel_snapshot *snap,
							 uint64_t id)
{
	size_t d;

	for (d = 0; d < snap->num_devices; d++)
		if (snap->devices[d].id == id)
			return &snap->devices[d];
	return NULL;
}

const struct accel_context_info *accel_device_context(const struct accel_device_info *dev,
						      uint64_t ctx_id)
{
	struct accel_context_info key = { .id = ctx_id };

	if (!dev->num_contexts)
		return NULL;
	return bsearch(&key, dev->contexts, dev->num_contexts, sizeof(key), by_context_id);
}

const struct accel_context_info *accel_snapshot_context(const struct accel_snapshot *snap,
							uint64_t ctx_id,
							const struct accel_device_info **dev)
{
	const struct accel_context_info *ctx;
	size_t d;

	for (d = 0; d < snap->num_devices; d++) {
		ctx = accel_device_context(&snap->devices[d], ctx_id);
		if (!ctx)
			continue;
		if (dev)
			*dev = &snap->devices[d];
		return ctx;
	}
	return NULL;
}

const struct accel_engine_info *accel_device_engine(const struct accel_device_info *dev,
						    uint32_t index)
{
	size_t e;

	for (e = 0; e < dev->num_engines; e++)
		if (dev->engines[e].index == index)
			return &dev->engines[e];
	return NULL;
}

const struct accel_usage_info *accel_context_usage(const struct accel_context_info *ctx,
						   uint32_t engine)
{
	size_t u;

	for (u = 0; u < ctx->num_usage; u++)
		if (ctx->usage[u].engine == engine)
			return &ctx->usage[u];
	return NULL;
}

const struct accel_op_info *accel_op_find(const struct accel_op_info *ops, size_t num,
					  const char *name)
{
	size_t i;

	for (i = 0; i < num; i++)
		if (!strcmp(ops[i].name, name))
			return &ops[i];
	return NULL;
}

uint32_t accel_device_hidden(const struct accel_device_info *dev)
{
	if (!(dev->valid & ACCEL_DEV_CONTEXTS) || dev->open_contexts < dev->num_contexts)
		return 0;
	return dev->open_contexts - dev->num_contexts;
}

uint64_t accel_snapshot_hidden(const struct accel_snapshot *snap)
{
	uint64_t hidden = 0;

	if (!snap->has_contexts || bpf_util_may_load())
		return 0;
	for (size_t i = 0; i < snap->num_devices; i++)
		hidden += accel_device_hidden(&snap->devices[i]);
	return hidden;
}
