// SPDX-License-Identifier: GPL-2.0-only
/*
 * A context and the IOAS of an iommufd that it is bound to: the beginning and the end.
 *
 * The end is made of calls into iommufd, which may block for as long as user space can
 * prolong a page fault (a pin in flight, of ours or of another user of the same IOAS,
 * holds iommufd's locks while it faults). When a file is closed or its device goes, the
 * device's part is over already, and a work item does the rest: it is waited for a
 * while, so that as a rule nothing is pinned any more afterwards, and then left alone.
 */
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "iommufd.h"

#if IS_ENABLED(CONFIG_IOMMUFD)

/* How long a close or an unregister waits for iommufd. */
#define ACCEL_IOMMUFD_PATIENCE	(5 * HZ)

static struct workqueue_struct *accel_iommufd_wq;

static void accel_iommufd_free(struct kref *ref)
{
	kfree(container_of(ref, struct accel_iommufd, ref));
}

/**
 * accel_iommufd_put - give back a reference
 * @bind: the binding
 */
void accel_iommufd_put(struct accel_iommufd *bind)
{
	kref_put(&bind->ref, accel_iommufd_free);
}

/**
 * accel_iommufd_record - a region joins what its context is bound to
 * @mem: a region that is being obtained
 *
 * Context: process.
 * Return: 0; -ENOTCONN: it is not bound; -ENODEV: the device is gone.
 */
int accel_iommufd_record(struct accel_mem *mem)
{
	struct accel_context *ctx = mem->ctx;
	struct accel_iommufd *bind;
	int ret = 0;

	mutex_lock(&ctx->lock);
	bind = ctx->iommufd;
	if (ctx->dead) {
		ret = -ENODEV;
	} else if (!bind || (bind->idev && !bind->attached)) {
		ret = accel_context_error(ctx, -ENOTCONN, bind ?
					  "mem_pin: no page table was bound for its PASID yet" :
					  "mem_pin: the file is not bound to an IOAS");
	} else {
		kref_get(&bind->ref);
		mem->iommufd.bind = bind;
		spin_lock(&bind->lock);
		if (bind->idev) {
			bind->regions++;
		} else {
			kref_get(&mem->ref);
			mem->iommufd.state = ACCEL_PIN_TAKEN;
			list_add_tail(&mem->iommufd.link, &bind->pins);
		}
		spin_unlock(&bind->lock);
	}
	mutex_unlock(&ctx->lock);
	return ret;
}

/**
 * accel_iommufd_strike - a region of attached hardware has ended
 * @mem: the region, recorded
 */
void accel_iommufd_strike(struct accel_mem *mem)
{
	struct accel_iommufd *bind = mem->iommufd.bind;

	spin_lock(&bind->lock);
	bind->regions--;
	spin_unlock(&bind->lock);
}

/**
 * accel_mem_iommufd_forget - the last reference on a region is gone
 * @mem: a region, recorded or not
 */
void accel_mem_iommufd_forget(struct accel_mem *mem)
{
	if (mem->iommufd.bind)
		accel_iommufd_put(mem->iommufd.bind);
}

/*
 * ctx->iommufd_busy counts who is on the way into iommufd or out of it, for
 * accel_iommufd_wait(). Nobody begins once the context is dead.
 */
static void accel_iommufd_enter(struct accel_context *ctx)
{
	lockdep_assert_held(&ctx->lock);
	atomic_inc(&ctx->iommufd_busy);
}

static void accel_iommufd_exit_one(struct accel_context *ctx)
{
	/* A full barrier, so that who waited sees what was done before. */
	if (atomic_dec_and_test(&ctx->iommufd_busy))
		wake_up_var(&ctx->iommufd_busy);
}

/*
 * The last of a binding, with the references that accel_iommufd_begin() took. No lock is
 * held: the callback that iommufd may make takes the context's.
 */
static void accel_iommufd_end(struct accel_iommufd *bind)
{
	struct accel_context *ctx = bind->ctx;

	if (bind->idev) {
		accel_attach_end(bind);
	} else {
		accel_iommufd_drop_pins(bind);
		iommufd_access_detach(bind->access);
		iommufd_access_destroy(bind->access);
	}
	accel_iommufd_put(bind);
	accel_iommufd_exit_one(ctx);
	accel_context_put(ctx);
	module_put(THIS_MODULE);
}

static void accel_iommufd_set(struct accel_context *ctx, struct accel_iommufd *bind)
{
	lockdep_assert_held(&ctx->lock);
	ctx->iommufd = bind;
	WRITE_ONCE(ctx->pasid, bind->pasid);
}

static void accel_iommufd_unset(struct accel_context *ctx)
{
	lockdep_assert_held(&ctx->lock);
	ctx->iommufd = NULL;
	WRITE_ONCE(ctx->pasid, IOMMU_NO_PASID);
}

static void accel_iommufd_work(struct work_struct *work)
{
	accel_iommufd_end(container_of(work, struct accel_iommufd, work));
}

/**
 * accel_iommufd_leave - the context is dead: let its IOAS go
 * @ctx: the context, without regions; ctx->lock is held
 *
 * Returns at once, see accel_iommufd_wait().
 */
void accel_iommufd_leave(struct accel_context *ctx)
{
	struct accel_iommufd *bind = ctx->iommufd;

	if (!bind)
		return;
	accel_iommufd_unset(ctx);
	/* Otherwise who attaches it has entered, and ends it. */
	if (bind->attaching)
		return;
	accel_iommufd_enter(ctx);
	queue_work(accel_iommufd_wq, &bind->work);
}

static void accel_iommufd_wait_until(struct accel_context *ctx, unsigned long deadline)
{
	long left = deadline - jiffies;

	if (wait_var_event_timeout(&ctx->iommufd_busy, !atomic_read_acquire(&ctx->iommufd_busy),
				   max(left, 0L)))
		return;
	dev_notice(&ctx->adev->dev,
		   "iommufd cannot let go of what context %llu (%*pE, pid %u) had of it: a page fault of its user's does not end\n",
		   ctx->id, (int)strlen(ctx->comm), ctx->comm, ctx->tgid);
}

/**
 * accel_iommufd_wait - wait a while until iommufd has back what a context had of it
 * @ctx: a context that is dead
 *
 * Context: process, sleeps for seconds at most. No lock is held.
 */
void accel_iommufd_wait(struct accel_context *ctx)
{
	accel_iommufd_wait_until(ctx, jiffies + ACCEL_IOMMUFD_PATIENCE);
}

/**
 * accel_iommufd_wait_all - the same for all contexts of a device together
 * @adev: the device; all of its contexts are dead
 *
 * Context: process, sleeps for seconds at most.
 */
void accel_iommufd_wait_all(struct accel_device *adev)
{
	unsigned long deadline = jiffies + ACCEL_IOMMUFD_PATIENCE;
	struct accel_context *ctx;
	u64 id;

	for (ctx = accel_context_next(adev, 0); ctx; ctx = accel_context_next(adev, id + 1)) {
		id = ctx->id;
		accel_iommufd_wait_until(ctx, deadline);
		accel_context_put(ctx);
	}
}

/**
 * accel_iommufd_mem_ops - the way to obtain a region that is named by an IOVA
 * @ctx: the context
 *
 * Return: the way; NULL: this kernel has none.
 */
const struct accel_mem_ops *accel_iommufd_mem_ops(struct accel_context *ctx)
{
	return ctx->adev->iommufd_attach ? &accel_mem_attach_ops : &accel_mem_iommufd_ops;
}

/* Where the device translates by itself. */
static int accel_iommufd_connect_access(struct accel_iommufd *bind, struct iommufd_ctx *ictx,
					struct accel_iommufd_bind *arg)
{
	struct iommufd_access *access;
	int ret;

	access = iommufd_access_create(ictx, &accel_iommufd_access_ops, bind, &arg->out_id);
	if (IS_ERR(access))
		return PTR_ERR(access);
	ret = iommufd_access_attach(access, arg->pt_id);
	if (ret)
		iommufd_access_destroy(access);
	else
		bind->access = access;
	return ret;
}

/* Where an IOMMU translates: the part that is about the device is done inside the gate. */
static int accel_iommufd_connect_device(struct accel_iommufd *bind, struct iommufd_ctx *ictx,
					struct accel_iommufd_bind *arg)
{
	struct accel_device *adev = bind->ctx->adev;
	bool pasid = arg->flags & ACCEL_IOMMUFD_PASID;
	int ret;

	if (!percpu_ref_tryget_live(&adev->gate))
		return -ENODEV;
	ret = accel_attach_claim(bind, ictx, pasid, &arg->out_id);
	percpu_ref_put(&adev->gate);
	if (ret)
		return ret;
	arg->out_pasid = bind->pasid;
	if (pasid && !arg->pt_id)
		return 0;
	ret = accel_attach_begin(bind, arg->pt_id);
	bind->attached = !ret;
	if (ret)
		accel_attach_end(bind);
	return ret;
}

/* A binding that nobody knows of yet. Makes calls into iommufd: no lock is held. */
static struct accel_iommufd *accel_iommufd_begin(struct accel_context *ctx,
						 struct accel_iommufd_bind *arg)
{
	struct accel_iommufd *bind;
	struct iommufd_ctx *ictx;
	int ret;

	bind = kzalloc(sizeof(*bind), GFP_KERNEL_ACCOUNT);
	if (!bind)
		return ERR_PTR(-ENOMEM);
	kref_init(&bind->ref);
	bind->ctx = ctx;
	INIT_WORK(&bind->work, accel_iommufd_work);
	spin_lock_init(&bind->lock);
	INIT_LIST_HEAD(&bind->pins);
	init_waitqueue_head(&bind->wq);

	ictx = iommufd_ctx_from_fd(arg->iommufd);
	if (IS_ERR(ictx)) {
		ret = PTR_ERR(ictx);
		goto err_free;
	}
	if (ctx->adev->iommufd_attach)
		ret = accel_iommufd_connect_device(bind, ictx, arg);
	else
		ret = accel_iommufd_connect_access(bind, ictx, arg);
	/* what is connected has a reference of its own */
	iommufd_ctx_put(ictx);
	if (ret)
		goto err_free;
	kref_get(&ctx->ref);
	__module_get(THIS_MODULE);
	return bind;

err_free:
	kfree(bind);
	return ERR_PTR(ret);
}

static int accel_iommufd_may_bind(const struct accel_context *ctx)
{
	if (ctx->dead)
		return -ENODEV;
	return ctx->iommufd ? -EBUSY : 0;
}

/* Whoever calls these two has entered. */
static int accel_iommufd_bind_new(struct accel_context *ctx, struct accel_iommufd_bind *arg)
{
	struct accel_iommufd *bind;
	int ret;

	bind = accel_iommufd_begin(ctx, arg);
	if (IS_ERR(bind)) {
		accel_iommufd_exit_one(ctx);
		return PTR_ERR(bind);
	}
	mutex_lock(&ctx->lock);
	ret = accel_iommufd_may_bind(ctx);
	if (!ret) {
		accel_iommufd_set(ctx, bind);
		accel_iommufd_exit_one(ctx);
	}
	mutex_unlock(&ctx->lock);
	if (ret)
		accel_iommufd_end(bind);
	return ret;
}

/* The page table of a PASID that has none; @bind is marked as being attached. */
static int accel_iommufd_bind_again(struct accel_iommufd *bind, struct accel_iommufd_bind *arg)
{
	struct accel_context *ctx = bind->ctx;
	struct iommufd_ctx *ictx;
	bool dead;
	int ret;

	ictx = iommufd_ctx_from_fd(arg->iommufd);
	if (IS_ERR(ictx)) {
		ret = PTR_ERR(ictx);
	} else {
		ret = ictx == bind->ictx ? accel_attach_begin(bind, arg->pt_id) : -EBUSY;
		iommufd_ctx_put(ictx);
	}
	arg->out_id = iommufd_device_to_id(bind->idev);
	arg->out_pasid = bind->pasid;
	mutex_lock(&ctx->lock);
	bind->attached = !ret;
	bind->attaching = false;
	dead = ctx->dead;
	if (!dead)
		accel_iommufd_exit_one(ctx);
	mutex_unlock(&ctx->lock);
	if (dead) {
		accel_iommufd_end(bind);
		return -ENODEV;
	}
	return ret;
}

/* That binding waits for a page table, which is what the caller has to offer. */
static bool accel_iommufd_awaits(const struct accel_iommufd *bind,
				 const struct accel_iommufd_bind *arg)
{
	return bind->pasid && !bind->attached && !bind->attaching &&
	       arg->flags & ACCEL_IOMMUFD_PASID && arg->pt_id;
}

static long accel_iommufd_bind(struct accel_context *ctx, struct accel_iommufd_bind *arg)
{
	struct accel_iommufd *bind;
	int ret;

	if (arg->flags & ~ACCEL_IOMMUFD_PASID || arg->out_id || arg->out_pasid || arg->reserved)
		return -EINVAL;
	if (arg->flags & ACCEL_IOMMUFD_PASID && !ctx->adev->iommufd_pasid)
		return accel_context_error(ctx, -EOPNOTSUPP,
					   "iommufd_bind: %s's driver uses no PASIDs",
					   ctx->adev->name);
	mutex_lock(&ctx->lock);
	bind = ctx->iommufd;
	if (bind && !ctx->dead && accel_iommufd_awaits(bind, arg)) {
		bind->attaching = true;
		ret = 0;
	} else {
		ret = accel_iommufd_may_bind(ctx);
	}
	if (!ret)
		accel_iommufd_enter(ctx);
	mutex_unlock(&ctx->lock);
	if (ret)
		return ret;
	return bind ? accel_iommufd_bind_again(bind, arg) : accel_iommufd_bind_new(ctx, arg);
}

static long accel_iommufd_unbind(struct accel_context *ctx, const struct accel_iommufd_unbind *arg)
{
	struct accel_iommufd *bind;
	int ret = 0;

	if (arg->flags || arg->reserved)
		return -EINVAL;
	mutex_lock(&ctx->lock);
	bind = ctx->iommufd;
	if (ctx->dead) {
		ret = -ENODEV;
	} else if (!bind) {
		ret = -ENOTCONN;
	} else if (bind->attaching) {
		ret = -EBUSY;
	} else {
		/* Regions join it under ctx->lock. */
		spin_lock(&bind->lock);
		if (bind->regions || !list_empty(&bind->pins))
			ret = -EBUSY;
		spin_unlock(&bind->lock);
	}
	if (!ret) {
		accel_iommufd_unset(ctx);
		accel_iommufd_enter(ctx);
	}
	mutex_unlock(&ctx->lock);
	if (!ret)
		accel_iommufd_end(bind);
	return ret;
}

/**
 * accel_iommufd_init - what the ends of bindings run on
 *
 * Return: 0 or -ENOMEM.
 */
int __init accel_iommufd_init(void)
{
	/* One that is blocked must not hold up another. */
	accel_iommufd_wq = alloc_workqueue("accel_iommufd", WQ_UNBOUND, 0);
	return accel_iommufd_wq ? 0 : -ENOMEM;
}

/**
 * accel_iommufd_exit - undo accel_iommufd_init()
 *
 * Each end that was to come had a reference on the module; one may still be returning.
 */
void accel_iommufd_exit(void)
{
	destroy_workqueue(accel_iommufd_wq);
}

#else

static long accel_iommufd_bind(struct accel_context *ctx, struct accel_iommufd_bind *arg)
{
	return accel_iommufd_unsupported(ctx);
}

static long accel_iommufd_unbind(struct accel_context *ctx, const struct accel_iommufd_unbind *arg)
{
	return accel_iommufd_unsupported(ctx);
}

#endif /* CONFIG_IOMMUFD */

/**
 * accel_iommufd_unsupported - what a kernel without iommufd answers
 * @ctx: the context
 *
 * Return: -EOPNOTSUPP.
 */
int accel_iommufd_unsupported(struct accel_context *ctx)
{
	dev_notice_once(&ctx->adev->dev,
			"iommufd is asked for, and this kernel has none: it needs CONFIG_IOMMUFD\n");
	return accel_context_error(ctx, -EOPNOTSUPP,
				   "this kernel has no iommufd: it needs CONFIG_IOMMUFD");
}

/**
 * accel_ioctl_iommufd_bind - handler of %ACCEL_IOCTL_IOMMUFD_BIND
 * @ctx: the context
 * @arg: struct accel_iommufd_bind
 *
 * Context: process, may sleep, not gated.
 * Return: 0 or a negative errno, see struct accel_iommufd_bind.
 */
long accel_ioctl_iommufd_bind(struct accel_context *ctx, void *arg)
{
	return accel_iommufd_bind(ctx, arg);
}
EXPORT_SYMBOL_NS_GPL(accel_ioctl_iommufd_bind, ACCEL_EXPORT_NS);

/**
 * accel_ioctl_iommufd_unbind - handler of %ACCEL_IOCTL_IOMMUFD_UNBIND
 * @ctx: the context
 * @arg: struct accel_iommufd_unbind
 *
 * Context: process, may sleep, not gated.
 * Return: 0 or a negative errno, see struct accel_iommufd_unbind.
 */
long accel_ioctl_iommufd_unbind(struct accel_context *ctx, void *arg)
{
	return accel_iommufd_unbind(ctx, arg);
}
EXPORT_SYMBOL_NS_GPL(accel_ioctl_iommufd_unbind, ACCEL_EXPORT_NS);

#if IS_ENABLED(CONFIG_IOMMUFD)
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
MODULE_IMPORT_NS("IOMMUFD");
#else
MODULE_IMPORT_NS(IOMMUFD);
#endif
#endif
