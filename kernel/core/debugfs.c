// SPDX-License-Identifier: GPL-2.0-only
/* debugfs: accelerator/accN/, for developers; nothing here is a stable interface. */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "core.h"

static struct dentry *accel_debugfs_root;

static int contexts_show(struct seq_file *m, void *unused)
{
	struct accel_device *adev = m->private;
	struct accel_context *ctx;
	u64 id;

	seq_puts(m, "id node tgid uid comm pinned_bytes mapped_bytes jobs ended\n");
	for (ctx = accel_context_next(adev, 0); ctx; ctx = accel_context_next(adev, id + 1)) {
		id = ctx->id;
		seq_printf(m, "%llu %u %u %u %s %lld %lld %u %u\n", id, ctx->node, ctx->tgid,
			   ctx->uid, ctx->comm, atomic64_read(&ctx->pinned_bytes),
			   atomic64_read(&ctx->mapped_bytes), READ_ONCE(ctx->num_jobs),
			   READ_ONCE(ctx->num_ended));
		accel_context_put(ctx);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(contexts);

static int gate_show(struct seq_file *m, void *unused)
{
	struct accel_device *adev = m->private;
	struct accel_op_count sum;
	int op;

	seq_printf(m, "state %s\nop calls errors inflight held\n", accel_state_name(adev->state));
	for (op = 0; op < ACCEL_OP_NR; op++) {
		accel_stats_sum(adev->stats, op, &sum);
		seq_printf(m, "%s %llu %llu %u %u\n", accel_op_name(op), sum.calls, sum.errors,
			   sum.inflight, sum.held);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(gate);

static int engines_show(struct seq_file *m, void *unused)
{
	struct accel_device *adev = m->private;
	struct accel_engine_count count;
	unsigned int i;

	seq_puts(m, "name depth queued running jobs errors bytes busy_ns wait_ns\n");
	for (i = 0; i < adev->num_engines; i++) {
		accel_engine_read(adev->engines[i], &count);
		seq_printf(m, "%s %u %u %u %llu %llu %llu %llu %llu\n", adev->engines[i]->name,
			   adev->engines[i]->depth, count.queued, count.running, count.jobs,
			   count.errors, count.bytes, count.busy_ns, count.wait_ns);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(engines);

/**
 * accel_debugfs_add - a device's directory
 * @adev: the device; a failure is no error
 */
void accel_debugfs_add(struct accel_device *adev)
{
	adev->debugfs = debugfs_create_dir(adev->name, accel_debugfs_root);
	debugfs_create_file("contexts", 0400, adev->debugfs, adev, &contexts_fops);
	debugfs_create_file("gate", 0400, adev->debugfs, adev, &gate_fops);
	debugfs_create_file("engines", 0400, adev->debugfs, adev, &engines_fops);
}

/**
 * accel_debugfs_remove - undo accel_debugfs_add(), waits for readers
 * @adev: the device
 */
void accel_debugfs_remove(struct accel_device *adev)
{
	debugfs_remove_recursive(adev->debugfs);
	adev->debugfs = NULL;
}

/**
 * accel_debugfs_init - the root directory
 *
 * Return: 0; without debugfs there is just no directory.
 */
int __init accel_debugfs_init(void)
{
	accel_debugfs_root = debugfs_create_dir("accelerator", NULL);
	return 0;
}

/**
 * accel_debugfs_exit - undo accel_debugfs_init()
 */
void accel_debugfs_exit(void)
{
	debugfs_remove_recursive(accel_debugfs_root);
}
