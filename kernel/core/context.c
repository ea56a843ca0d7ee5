// SPDX-License-Identifier: GPL-2.0-only
/* Contexts: one open file, who opened it, and the end of all that it owns. */
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/idr.h>
#include <linux/ktime.h>
#include <linux/pid.h>
#include <linux/slab.h>

#include "core.h"
#include "policy.h"

VISIBLE_IF_KUNIT struct ida accel_slots = IDA_INIT(accel_slots);
EXPORT_SYMBOL_IF_KUNIT(accel_slots);

/**
 * accel_context_new - a context for the current task, not yet to be found by others
 * @node: the node it opens
 *
 * Context: process, may sleep.
 * Return: the context, given back with accel_context_put(); NULL: no memory.
 */
struct accel_context *accel_context_new(struct accel_node *node)
{
	struct accel_device *adev = node->adev;
	struct accel_context *ctx;
	unsigned int i;
	int slot;

	ctx = kzalloc(adev->context_size, GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return NULL;
	ctx->stats = alloc_percpu_gfp(struct accel_op_stats, GFP_KERNEL_ACCOUNT);
	ctx->usage = kcalloc(max(adev->num_engines, 1u), sizeof(*ctx->usage),
			     GFP_KERNEL_ACCOUNT);
	if (!ctx->stats || !ctx->usage) {
		kfree(ctx->usage);
		free_percpu(ctx->stats);
		kfree(ctx);
		return NULL;
	}
	for (i = 0; i < adev->num_engines; i++) {
		INIT_LIST_HEAD(&ctx->usage[i].queued);
		init_waitqueue_head(&ctx->usage[i].idle_wq);
	}
	/* without one a context is as good, but observers see no more of it than its device */
	slot = ida_alloc_max(&accel_slots, ACCEL_MAX_SLOTS - 1, GFP_KERNEL);
	ctx->slot = slot < 0 ? ACCEL_NO_SLOT : slot;
	kref_init(&ctx->ref);
	get_device(&adev->dev);
	ctx->adev = adev;
	ctx->id = accel_id_next();
	ctx->node = node - adev->nodes;
	ctx->opened_node = node;
	ctx->pid = get_task_pid(current, PIDTYPE_TGID);
	ctx->tgid = task_tgid_nr(current);
	ctx->uid = from_kuid(&init_user_ns, current_euid());
	rcu_read_lock();
	ctx->cgroup_id = cgroup_id(task_dfl_cgroup(current));
	rcu_read_unlock();
	get_task_comm(ctx->comm, current);
	ctx->opened_ns = ktime_get_boottime_ns();
	init_rwsem(&ctx->call_sem);
	mutex_init(&ctx->lock);
	ctx->mems = RB_ROOT;
	spin_lock_init(&ctx->mem_lock);
	seqcount_init(&ctx->mem_seq);
	xa_init(&ctx->jobs);
	spin_lock_init(&ctx->job_lock);
	spin_lock_init(&ctx->error_lock);
	spin_lock_init(&ctx->policy_owed.lock);
	init_waitqueue_head(&ctx->mem_wq);
	init_waitqueue_head(&ctx->poll_wq);
	return ctx;
}
EXPORT_SYMBOL_IF_KUNIT(accel_context_new);

/* What a BPF program that found the context may still look at. */
static void accel_context_free_rcu(struct rcu_head *rcu)
{
	struct accel_context *ctx = container_of(rcu, struct accel_context, rcu);

	kfree(ctx->usage);
	free_percpu(ctx->stats);
	kfree(ctx);
}

static void accel_context_free(struct kref *ref)
{
	struct accel_context *ctx = container_of(ref, struct accel_context, ref);

	if (ctx->slot != ACCEL_NO_SLOT)
		ida_free(&accel_slots, ctx->slot);
	xa_destroy(&ctx->jobs);
	mutex_destroy(&ctx->lock);
	put_pid(ctx->pid);
	put_device(&ctx->adev->dev);
	kfree(ctx->last_error);
	accel_mem_free_spare(ctx);
	call_rcu(&ctx->rcu, accel_context_free_rcu);
}

/**
 * accel_context_put - give back a reference
 * @ctx: the context
 *
 * Context: process, may sleep.
 */
void accel_context_put(struct accel_context *ctx)
{
	kref_put(&ctx->ref, accel_context_free);
}
EXPORT_SYMBOL_IF_KUNIT(accel_context_put);

/**
 * accel_context_add - make a context known to its device
 * @ctx: a new context
 *
 * Without adev->lock: who pauses the engines has it for as long as a job takes, and an
 * open could not be killed meanwhile.
 *
 * Context: process, gated.
 * Return: 0, -EBUSY (the device is exclusive and in use) or -ENOMEM.
 */
int accel_context_add(struct accel_context *ctx)
{
	struct accel_device *adev = ctx->adev;
	int ret;

	if (!adev->exclusive)
		atomic_inc(&adev->num_contexts);
	else if (atomic_cmpxchg(&adev->num_contexts, 0, 1))
		return -EBUSY;
	ret = xa_insert(&adev->contexts, ctx->id, ctx, GFP_KERNEL_ACCOUNT);
	if (ret)
		atomic_dec(&adev->num_contexts);
	return ret;
}

/**
 * accel_context_next - walk a device's contexts
 * @adev: the device
 * @id: the least id that will do
 *
 * Contexts may come and go meanwhile; ids ascend, so the walk ends.
 *
 * Context: any that may take the xarray's lock.
 * Return: a context with a reference for the caller, or NULL.
 */
struct accel_context *accel_context_next(struct accel_device *adev, u64 id)
{
	unsigned long index = id;
	struct accel_context *ctx;

	xa_lock(&adev->contexts);
	ctx = xa_find(&adev->contexts, &index, ULONG_MAX, XA_PRESENT);
	if (ctx)
		kref_get(&ctx->ref);
	xa_unlock(&adev->contexts);
	return ctx;
}
EXPORT_SYMBOL_IF_KUNIT(accel_context_next);

/**
 * accel_context_error - say why a call is refused, where an errno does not tell
 * @ctx: the caller's context
 * @error: the negative errno
 * @fmt: what failed, on what, and what can be done, in a line without its end
 *
 * The context's last such text is shown by netlink, accelctl and fdinfo, to those who
 * may see the context. Without memory it is lost. Control characters, which a file's name
 * may have, become question marks: it is one line.
 *
 * Context: process, may sleep.
 * Return: @error.
 */
int accel_context_error(struct accel_context *ctx, int error, const char *fmt, ...)
{
	char *text = kmalloc(ACCEL_ERROR_LEN, GFP_KERNEL_ACCOUNT | __GFP_NOWARN), *c;
	va_list args;
	int n;

	if (!text)
		return error;
	/* errname() is not exported; the sign is for programs */
	n = scnprintf(text, ACCEL_ERROR_LEN, "%pe: ", ERR_PTR(error));
	if (text[0] == '-')
		memmove(text, text + 1, n--);
	va_start(args, fmt);
	vscnprintf(text + n, ACCEL_ERROR_LEN - n, fmt, args);
	va_end(args);
	for (c = text; *c; c++)
		if (iscntrl(*c))
			*c = '?';
	spin_lock(&ctx->error_lock);
	swap(ctx->last_error, text);
	spin_unlock(&ctx->error_lock);
	kfree(text);
	return error;
}
EXPORT_SYMBOL_NS_GPL(accel_context_error, ACCEL_EXPORT_NS);

/**
 * accel_context_last_error - read what accel_context_error() has said last
 * @ctx: the context
 * @text: filled in
 * @size: of @text, %ACCEL_ERROR_LEN for all of it
 *
 * Context: process.
 * Return: false when there is none.
 */
bool accel_context_last_error(struct accel_context *ctx, char *text, size_t size)
{
	bool any;

	spin_lock(&ctx->error_lock);
	any = ctx->last_error;
	if (any)
		strscpy(text, ctx->last_error, size);
	spin_unlock(&ctx->error_lock);
	return any;
}

/**
 * accel_context_teardown - end all that a context owns: jobs, the driver's part, regions
 * @ctx: the context; nothing of it is inside the gate
 *
 * From the last close or from accel_device_unregister(), whichever is first; the
 * other then waits here until it is done, so the device cannot go in the middle.
 *
 * Context: process, sleeps until the jobs have ended.
 */
void accel_context_teardown(struct accel_context *ctx)
{
	mutex_lock(&ctx->lock);
	if (!ctx->dead) {
		accel_jobs_cancel(ctx);
		WRITE_ONCE(ctx->closing, true);
		if (ctx->opened && ctx->adev->drv->close) {
			/* called in any case: hardware that cannot be resumed has nothing left */
			bool powered = !accel_power_get(ctx->adev);

			ctx->adev->drv->close(ctx);
			if (powered)
				accel_power_put(ctx->adev);
		}
		accel_mem_release_all(ctx);
		ctx->dead = true;
		WRITE_ONCE(ctx->closing, false);
		accel_iommufd_leave(ctx);
	}
	mutex_unlock(&ctx->lock);
	/* what is freed is not in the list of those that owe */
	accel_policy_settle();
	wake_up_all(&ctx->mem_wq);
}

/**
 * accel_context_close - the last close of a context's file
 * @ctx: the context, freed when nobody else has a reference
 *
 * Context: process, may sleep.
 */
void accel_context_close(struct accel_context *ctx)
{
	struct accel_device *adev = ctx->adev;
	struct accel_call call = { .ctx = ctx, .op = ACCEL_OP_CLOSE };

	accel_call_begin(&call);
	accel_context_teardown(ctx);
	accel_iommufd_wait(ctx);
	accel_jobs_forget(ctx);
	accel_netlink_context_closed(ctx);
	xa_erase(&adev->contexts, ctx->id);
	atomic_dec(&adev->num_contexts);
	accel_policy_context_close(ctx);
	accel_call_end(&call, 0);
	accel_context_put(ctx);
}
EXPORT_SYMBOL_IF_KUNIT(accel_context_close);
