// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/PID/fdinfo/FD, in the grammar of the kernel's drm-usage-stats document, so
 * that what reads GPUs' clients reads these; what has no drm key has an accel one.
 */
#include <linux/seq_file.h>

#include "core.h"

/**
 * accel_show_fdinfo - the file operation
 * @m: the output
 * @file: a context's file
 */
void accel_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct accel_context *ctx = file->private_data;
	struct accel_device *adev = ctx->adev;
	struct accel_engine_count count;
	struct accel_op_count sum;
	char text[ACCEL_ERROR_LEN];
	unsigned int i;

	seq_printf(m, "drm-driver:\t%s\n", adev->drv_name);
	/* remembered: the hardware may be gone */
	if (adev->pci_name[0])
		seq_printf(m, "drm-pdev:\t%s\n", adev->pci_name);
	seq_printf(m, "drm-client-id:\t%llu\n", ctx->id);
	seq_puts(m, "drm-client-name:\t");
	seq_escape(m, ctx->comm, ACCEL_COMM_ESCAPED);
	seq_putc(m, '\n');
	for (i = 0; i < adev->num_engines; i++) {
		struct accel_engine *engine = adev->engines[i];

		accel_engine_read_usage(engine, ctx, &count);
		seq_printf(m, "drm-engine-%s:\t%llu ns\n", engine->name, count.busy_ns);
		if (engine->depth > 1)
			seq_printf(m, "drm-engine-capacity-%s:\t%u\n", engine->name,
				   engine->depth);
		seq_printf(m, "accel-jobs-%s:\t%llu\n", engine->name, count.jobs);
	}
	seq_printf(m, "drm-total-pinned:\t%lld KiB\n",
		   atomic64_read(&ctx->pinned_bytes) / 1024);
	seq_printf(m, "accel-device:\t%s\n", adev->name);
	seq_printf(m, "accel-device-id:\t%llu\n", adev->id);
	seq_printf(m, "accel-state:\t%s\n", accel_state_name(READ_ONCE(adev->state)));
	seq_printf(m, "accel-mapped:\t%lld KiB\n", atomic64_read(&ctx->mapped_bytes) / 1024);
	if (accel_context_pasid(ctx))
		seq_printf(m, "accel-pasid:\t%u\n", accel_context_pasid(ctx));
	for (i = 0; i < ACCEL_OP_NR; i++) {
		accel_stats_sum(ctx->stats, i, &sum);
		seq_printf(m, "accel-%s:\t%llu calls %llu errors\n",
			   accel_op_name(i), sum.calls, sum.errors);
	}
	if (accel_context_last_error(ctx, text, sizeof(text)))
		seq_printf(m, "accel-last-error:\t%s\n", text);
}
