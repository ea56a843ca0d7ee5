// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: accelerator/accN/, for developers; nothing here is a stable interface.
 *
 * debugfs_create_file() waits, when a file is removed, for its readers to return from
 * read(), and so for the page faults of the buffers that they read into: one of those who
 * serves such faults himself (userfaultfd) would keep the device from going. So these are
 * files without that protection, and take it for as long as their text is being made.
 */
#include <linux/accelerator_debugfs.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "core.h"

static struct dentry *accel_debugfs_root;

/* What makes a file's text, and of what. */
struct accel_debugfs_text {
	struct accel_device *adev;
	accel_debugfs_show_fn show;
};

/* In the device's list while the file can be opened. */
struct accel_debugfs_file {
	struct list_head link;
	struct accel_debugfs_text text;
};

/* The whole file at once: seq_read() copies it out, and in pieces, afterwards. */
static int accel_debugfs_show(struct seq_file *m, void *unused)
{
	const struct accel_debugfs_text *text = m->private;
	struct dentry *dentry = m->file->f_path.dentry;
	int ret;

	if (debugfs_file_get(dentry))
		return -ENODEV;
	ret = text->show(m, text->adev);
	debugfs_file_put(dentry);
	return ret;
}

/* debugfs keeps the file from being removed until this has returned. */
static int accel_debugfs_open(struct inode *inode, struct file *file)
{
	const struct accel_debugfs_file *entry = inode->i_private;
	struct accel_debugfs_text *text;
	int ret;

	text = kmemdup(&entry->text, sizeof(*text), GFP_KERNEL_ACCOUNT);
	if (!text)
		return -ENOMEM;
	ret = single_open(file, accel_debugfs_show, text);
	if (ret) {
		kfree(text);
		return ret;
	}
	get_device(&text->adev->dev);
	return 0;
}

static int accel_debugfs_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;
	struct accel_debugfs_text *text = m->private;

	put_device(&text->adev->dev);
	kfree(text);
	return single_release(inode, file);
}

static const struct file_operations accel_debugfs_fops = {
	.owner = THIS_MODULE,
	.open = accel_debugfs_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = accel_debugfs_release,
};

/**
 * accel_debugfs_create_seq - a file of the driver's own in the device's debugfs directory
 * @adev: a registered device
 * @name: the file's, other than the core's own
 * @show: makes the whole of its text; ends in bounded time, as all callbacks do
 *
 * For root to read. The core removes it when the device is unregistered, and waits for
 * @show then, but for no reader: one who still has the file open is answered ENODEV. Without
 * debugfs, or memory, there is no file, and nobody needs to know.
 *
 * Context: process, may sleep; from the one who unregisters the device, or before.
 */
void accel_debugfs_create_seq(struct accel_device *adev, const char *name,
			      accel_debugfs_show_fn show)
{
	struct accel_debugfs_file *file;

	/* Without a directory it would end up in debugfs' own. */
	if (WARN_ON(!adev->debugfs) || IS_ERR(adev->debugfs))
		return;
	file = kzalloc(sizeof(*file), GFP_KERNEL);
	if (!file)
		return;
	file->text.adev = adev;
	file->text.show = show;
	list_add(&file->link, &adev->debugfs_files);
	debugfs_create_file_unsafe(name, 0400, adev->debugfs, file, &accel_debugfs_fops);
}
EXPORT_SYMBOL_NS_GPL(accel_debugfs_create_seq, ACCEL_EXPORT_NS);

static int contexts_show(struct seq_file *m, struct accel_device *adev)
{
	struct accel_context *ctx;
	u64 id;

	seq_puts(m, "id node tgid uid comm pinned_bytes mapped_bytes jobs ended\n");
	for (ctx = accel_context_next(adev, 0); ctx; ctx = accel_context_next(adev, id + 1)) {
		id = ctx->id;
		seq_printf(m, "%llu %u %u %u ", id, ctx->node, ctx->tgid, ctx->uid);
		seq_escape(m, ctx->comm, " " ACCEL_COMM_ESCAPED);
		seq_printf(m, " %lld %lld %u %u\n", atomic64_read(&ctx->pinned_bytes),
			   atomic64_read(&ctx->mapped_bytes), READ_ONCE(ctx->num_jobs),
			   READ_ONCE(ctx->num_ended));
		accel_context_put(ctx);
	}
	return 0;
}

static int gate_show(struct seq_file *m, struct accel_device *adev)
{
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

static int engines_show(struct seq_file *m, struct accel_device *adev)
{
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

/**
 * accel_debugfs_add - a device's directory
 * @adev: the device; a failure is no error
 */
void accel_debugfs_add(struct accel_device *adev)
{
	INIT_LIST_HEAD(&adev->debugfs_files);
	adev->debugfs = debugfs_create_dir(adev->name, accel_debugfs_root);
	accel_debugfs_create_seq(adev, "contexts", contexts_show);
	accel_debugfs_create_seq(adev, "gate", gate_show);
	accel_debugfs_create_seq(adev, "engines", engines_show);
}

/**
 * accel_debugfs_remove - undo accel_debugfs_add(), and the driver's own files
 * @adev: the device
 *
 * Waits for texts that are being made, and not for who reads them.
 */
void accel_debugfs_remove(struct accel_device *adev)
{
	struct accel_debugfs_file *file, *next;

	debugfs_remove_recursive(adev->debugfs);
	adev->debugfs = NULL;
	list_for_each_entry_safe(file, next, &adev->debugfs_files, link)
		kfree(file);
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
