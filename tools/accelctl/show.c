// SPDX-License-Identifier: GPL-2.0-only
/* Devices, engines, contexts and counters, as tables. */
#include "show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "accelctl.h"
#include "fmt.h"
#include "proc.h"
#include "table.h"
#include "text.h"

typedef int (*show_fn)(const struct settings *set, const struct accel_snapshot *snap);

/* Read @parts and print them with @table, or as JSON. */
static int show(const struct settings *set, const char *name, unsigned int parts,
		enum json_kind kind, show_fn table)
{
	const struct accel_device_info *dev;
	struct accel_snapshot *snap = NULL;
	struct accel_source *src = NULL;
	int ret, code;

	ret = accel_source_open(&src);
	if (ret) {
		code = fail_source(NULL, ret);
		goto cleanup;
	}
	accel_source_select(src, ACCEL_READ_DEVICES);
	ret = accel_snapshot_read(src, &snap);
	if (!ret && name) {
		dev = accel_snapshot_device(snap, name);
		if (!dev) {
			code = fail(EXIT_NO_DEVICE, "no device \"%s\"; accelctl dev lists them", name);
			goto cleanup;
		}
		accel_source_restrict(src, dev->id);
	}
	if (!ret && parts != ACCEL_READ_DEVICES) {
		accel_snapshot_free(snap);
		accel_source_select(src, parts);
		ret = accel_snapshot_read(src, &snap);
	} else if (!ret && name) {
		accel_snapshot_free(snap);
		ret = accel_snapshot_read(src, &snap);
	}
	if (ret) {
		code = fail_source(src, ret);
		goto cleanup;
	}
	if (set->json)
		ret = show_json(snap, kind);
	else
		ret = table(set, snap);
	code = ret ? fail(EXIT_FAILED, "cannot write the output: %s", strerror(-ret)) : EXIT_OK;
cleanup:
	accel_snapshot_free(snap);
	accel_source_close(src);
	return code;
}

static const char *bytes(const struct settings *set, struct fmt_buf *b, uint64_t n)
{
	if (!set->bytes)
		return fmt_bytes(b, n);
	snprintf(b->text, sizeof(b->text), "%" PRIu64, n);
	return b->text;
}

static const char *ns(const struct settings *set, struct fmt_buf *b, uint64_t n)
{
	if (!set->bytes)
		return fmt_ns(b, n);
	snprintf(b->text, sizeof(b->text), "%" PRIu64, n);
	return b->text;
}

static const char *count(const struct settings *set, struct fmt_buf *b, uint64_t n)
{
	if (!set->bytes)
		return fmt_count(b, n);
	snprintf(b->text, sizeof(b->text), "%" PRIu64, n);
	return b->text;
}

#define BYTES(_n)	FMT_SET(bytes, _n)
#define NS(_n)		FMT_SET(ns, _n)
#define COUNT(_n)	FMT_SET(count, _n)
#define FMT_SET(_fn, _n) _fn(set, &(struct fmt_buf){ { 0 } }, _n)

static const char *text_or_dash(uint32_t valid, const char *text)
{
	return valid && *text ? text : "-";
}

/* ------------------------------------------------------------------- dev */

static int table_dev_list(const struct settings *set, const struct accel_snapshot *snap)
{
	static const struct table_column columns[] = {
		{ "DEVICE", 0 }, { "DRIVER", 0 }, { "TYPE", 0 }, { "STATE", 0 }, { "PARENT", 0 },
		{ "NUMA", TABLE_RIGHT }, { "ENGINES", TABLE_RIGHT }, { "CONTEXTS", TABLE_RIGHT },
		{ "PINNED", TABLE_RIGHT }, { "MAPPED", TABLE_RIGHT }, { NULL, 0 }
	};
	struct table t;
	size_t d;

	if (!snap->num_devices) {
		fputs("no devices\n", stdout);
		return 0;
	}
	if (table_begin(&t, columns))
		return -ENOMEM;
	for (d = 0; d < snap->num_devices; d++) {
		const struct accel_device_info *dev = &snap->devices[d];
		bool has_bytes = dev->valid & ACCEL_DEV_BYTES;

		table_row(&t);
		table_cell(&t, dev->name);
		table_cell(&t, text_or_dash(dev->valid & ACCEL_DEV_DRIVER, dev->driver));
		table_cell(&t, text_or_dash(dev->valid & ACCEL_DEV_TYPE, dev->type));
		table_cell(&t, dev->valid & ACCEL_DEV_STATE ?
			       accel_model_state_name(dev->state) : NULL);
		table_cell(&t, text_or_dash(dev->valid & ACCEL_DEV_PARENT, dev->parent));
		if (dev->valid & ACCEL_DEV_NUMA && dev->numa_node >= 0)
			table_cellf(&t, "%d", dev->numa_node);
		else
			table_cell(&t, NULL);
		table_cellf(&t, "%zu", dev->num_engines);
		table_cellf(&t, "%u", dev->open_contexts);
		table_cell(&t, has_bytes ? BYTES(dev->pinned_bytes) : NULL);
		table_cell(&t, has_bytes ? BYTES(dev->mapped_bytes) : NULL);
	}
	return table_end(&t, stdout);
}

static void show_text(const char *label, uint32_t valid, const char *text)
{
	if (valid && *text)
		printf("  %-10s %s\n", label, text);
}

static int text_dev_show(const struct settings *set, const struct accel_snapshot *snap)
{
	size_t d, i;

	for (d = 0; d < snap->num_devices; d++) {
		const struct accel_device_info *dev = &snap->devices[d];

		printf("%s%s\n", d ? "\n" : "", dev->name);
		printf("  %-10s %" PRIu64 "\n", "id", dev->id);
		show_text("driver", dev->valid & ACCEL_DEV_DRIVER, dev->driver);
		show_text("type", dev->valid & ACCEL_DEV_TYPE, dev->type);
		show_text("state", dev->valid & ACCEL_DEV_STATE,
			  accel_model_state_name(dev->state));
		show_text("parent", dev->valid & ACCEL_DEV_PARENT, dev->parent);
		if (dev->valid & ACCEL_DEV_NUMA && dev->numa_node >= 0)
			printf("  %-10s %d\n", "numa node", dev->numa_node);
		show_text("firmware", dev->valid & ACCEL_DEV_FIRMWARE, dev->firmware);
		show_text("serial", dev->valid & ACCEL_DEV_SERIAL, dev->serial);
		show_text("uuid", dev->valid & ACCEL_DEV_UUID, dev->uuid);
		show_text("flags", dev->flags & ACCEL_DEV_EXCLUSIVE, "exclusive");
		if (dev->valid & ACCEL_DEV_CONTEXTS)
			printf("  %-10s %u\n", "contexts", dev->open_contexts);
		if (dev->valid & ACCEL_DEV_BYTES) {
			printf("  %-10s %s\n", "pinned", BYTES(dev->pinned_bytes));
			printf("  %-10s %s\n", "mapped", BYTES(dev->mapped_bytes));
		}
		for (i = 0; i < dev->num_nodes; i++)
			printf("  %-10s /dev/accelerator/%s (%u:%u)\n", "node",
			       dev->nodes[i].name, dev->nodes[i].major, dev->nodes[i].minor);
		for (i = 0; i < dev->num_engines; i++)
			printf("  %-10s %s (%u, depth %u)\n", "engine", dev->engines[i].name,
			       dev->engines[i].index, dev->engines[i].depth);
	}
	return 0;
}

int cmd_dev_list(const struct settings *set, const char *dev)
{
	return show(set, dev, ACCEL_READ_DEVICES | ACCEL_READ_ENGINES, JSON_DEVICES,
		    table_dev_list);
}

int cmd_dev_show(const struct settings *set, const char *dev)
{
	return show(set, dev, ACCEL_READ_DEVICES | ACCEL_READ_ENGINES, JSON_DEVICES,
		    text_dev_show);
}

/* ---------------------------------------------------------------- engine */

static int table_engine_list(const struct settings *set, const struct accel_snapshot *snap)
{
	static const struct table_column columns[] = {
		{ "DEVICE", 0 }, { "ENGINE", 0 }, { "INDEX", TABLE_RIGHT },
		{ "DEPTH", TABLE_RIGHT }, { "QUEUED", TABLE_RIGHT }, { "RUNNING", TABLE_RIGHT },
		{ "JOBS", TABLE_RIGHT }, { "ERRORS", TABLE_RIGHT }, { "BYTES", TABLE_RIGHT },
		{ "BUSY", TABLE_RIGHT }, { "WAIT", TABLE_RIGHT }, { NULL, 0 }
	};
	struct table t;
	size_t d, i;

	if (table_begin(&t, columns))
		return -ENOMEM;
	for (d = 0; d < snap->num_devices; d++) {
		for (i = 0; i < snap->devices[d].num_engines; i++) {
			const struct accel_engine_info *e = &snap->devices[d].engines[i];

			table_row(&t);
			table_cell(&t, snap->devices[d].name);
			table_cell(&t, e->name);
			table_cellf(&t, "%u", e->index);
			table_cellf(&t, "%u", e->depth);
			table_cellf(&t, "%u", e->queued);
			table_cellf(&t, "%u", e->running);
			table_cell(&t, COUNT(e->jobs));
			table_cell(&t, COUNT(e->errors));
			table_cell(&t, BYTES(e->bytes));
			table_cell(&t, NS(e->busy_ns));
			table_cell(&t, NS(e->wait_ns));
		}
	}
	return table_end(&t, stdout);
}

int cmd_engine_list(const struct settings *set, const char *dev)
{
	return show(set, dev, ACCEL_READ_DEVICES | ACCEL_READ_ENGINES, JSON_ENGINES,
		    table_engine_list);
}

/* ------------------------------------------------------------------- ctx */

static void row_context(struct table *t, const struct settings *set,
			const struct accel_device_info *dev,
			const struct accel_context_info *ctx)
{
	uint64_t jobs = 0, busy = 0;
	size_t u;

	for (u = 0; u < ctx->num_usage; u++) {
		jobs += ctx->usage[u].jobs;
		busy += ctx->usage[u].busy_ns;
	}
	table_row(t);
	table_cell(t, dev->name);
	table_cellf(t, "%" PRIu64, ctx->id);
	if (ctx->valid & ACCEL_CTX_PID)
		table_cellf(t, "%u", ctx->pid);
	else
		table_cell(t, NULL);
	table_cell(t, ctx->valid & ACCEL_CTX_UID ? proc_user(ctx->uid) : NULL);
	table_cell(t, NS(ctx->age_ns));
	table_cell(t, BYTES(ctx->pinned_bytes));
	table_cell(t, BYTES(ctx->mapped_bytes));
	table_cellf(t, "%u", ctx->mems);
	table_cell(t, COUNT(jobs));
	table_cell(t, NS(busy));
	table_cell(t, proc_cgroup_label(ctx->cgroup_id));
	table_cell(t, TEXT_SAFE(ctx->comm, 31));
}

static void note_hidden(const struct accel_snapshot *snap)
{
	uint64_t hidden = accel_snapshot_hidden(snap);

	if (hidden)
		fprintf(stderr, "accelctl: note: %" PRIu64 " context%s of other users %s not shown; "
			"root sees all\n", hidden, hidden == 1 ? "" : "s", hidden == 1 ? "is" : "are");
}

/* Below the table, where there is room for a sentence. */
static void list_errors(const struct accel_snapshot *snap)
{
	size_t d, i;

	for (d = 0; d < snap->num_devices; d++)
		for (i = 0; i < snap->devices[d].num_contexts; i++) {
			const struct accel_context_info *ctx = &snap->devices[d].contexts[i];

			if (*ctx->last_error)
				printf("%s/%" PRIu64 " was refused: %s\n", snap->devices[d].name,
				       ctx->id, TEXT_SAFE(ctx->last_error, sizeof(ctx->last_error)));
		}
}

static int table_ctx_list(const struct settings *set, const struct accel_snapshot *snap)
{
	static const struct table_column columns[] = {
		{ "DEVICE", 0 }, { "CONTEXT", TABLE_RIGHT }, { "PID", TABLE_RIGHT },
		{ "USER", 0 }, { "AGE", TABLE_RIGHT }, { "PINNED", TABLE_RIGHT },
		{ "MAPPED", TABLE_RIGHT }, { "REGIONS", TABLE_RIGHT }, { "JOBS", TABLE_RIGHT },
		{ "BUSY", TABLE_RIGHT }, { "CGROUP", TABLE_TRUNC }, { "COMMAND", 0 }, { NULL, 0 }
	};
	struct table t;
	size_t d, i, num = 0;
	int ret;

	if (!snap->has_contexts) {
		fprintf(stderr, "accelctl: note: contexts are known to netlink only, "
			"which is not to be had here\n");
		return 0;
	}
	for (d = 0; d < snap->num_devices; d++)
		num += snap->devices[d].num_contexts;
	if (!num) {
		fputs("no contexts\n", stdout);
		note_hidden(snap);
		return 0;
	}
	if (table_begin(&t, columns))
		return -ENOMEM;
	for (d = 0; d < snap->num_devices; d++)
		for (i = 0; i < snap->devices[d].num_contexts; i++)
			row_context(&t, set, &snap->devices[d], &snap->devices[d].contexts[i]);
	ret = table_end(&t, stdout);
	proc_forget();
	list_errors(snap);
	note_hidden(snap);
	return ret;
}

int cmd_ctx_list(const struct settings *set, const char *dev)
{
	return show(set, dev, ACCEL_READ_DEVICES | ACCEL_READ_CONTEXTS, JSON_CONTEXTS,
		    table_ctx_list);
}

/* ----------------------------------------------------------------- stats */

static int table_stats(const struct settings *set, const struct accel_snapshot *snap)
{
	static const struct table_column columns[] = {
		{ "DEVICE", 0 }, { "OPERATION", 0 }, { "CALLS", TABLE_RIGHT },
		{ "ERRORS", TABLE_RIGHT }, { "IN FLIGHT", TABLE_RIGHT }, { NULL, 0 }
	};
	struct table t;
	size_t d, i;

	if (table_begin(&t, columns))
		return -ENOMEM;
	for (d = 0; d < snap->num_devices; d++) {
		for (i = 0; i < snap->devices[d].num_ops; i++) {
			const struct accel_op_info *op = &snap->devices[d].ops[i];

			table_row(&t);
			table_cell(&t, snap->devices[d].name);
			table_cell(&t, op->name);
			table_cell(&t, COUNT(op->calls));
			table_cell(&t, COUNT(op->errors));
			table_cellf(&t, "%u", op->inflight);
		}
	}
	return table_end(&t, stdout);
}

int cmd_stats(const struct settings *set, const char *dev)
{
	return show(set, dev, ACCEL_READ_DEVICES | ACCEL_READ_STATS, JSON_STATS, table_stats);
}
