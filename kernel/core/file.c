// SPDX-License-Identifier: GPL-2.0-only
/* File operations, and the dispatch of ioctls through a driver's table. */
#include <linux/capability.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "gate.h"
#include "policy.h"

/*
 * The core's own handlers wait for pages, for jobs and for iommufd, and enter the gate in
 * between: inside it as a whole, they would let a user hold up an unplug. A driver's are
 * always inside.
 */
static bool accel_ioctl_is_ungated(const struct accel_ioctl_desc *desc)
{
	return desc->func == accel_ioctl_mem_pin || desc->func == accel_ioctl_mem_unpin ||
	       desc->func == accel_ioctl_mem_import || desc->func == accel_ioctl_mem_export ||
	       desc->func == accel_ioctl_iommufd_bind ||
	       desc->func == accel_ioctl_iommufd_unbind || desc->func == accel_ioctl_job_wait;
}

/* Only ACCEL_IOCTL() is checked at build time, and nobody has to use it. */
static const char *accel_ioctl_check(const struct accel_ioctl_desc *desc)
{
	u16 known = ACCEL_IOCTL_ADMIN | ACCEL_IOCTL_ANY_STATE | ACCEL_IOCTL_EXCLUSIVE |
		    ACCEL_IOCTL_UNGATED;
	static const struct accel_ioctl_desc core[] = {
		ACCEL_IOCTLS_MEM, ACCEL_IOCTLS_DMABUF, ACCEL_IOCTLS_IOMMUFD, ACCEL_IOCTLS_JOB,
	};
	unsigned int i;

	if (!desc->func || !desc->name)
		return "it has no handler or no name";
	if (_IOC_TYPE(desc->cmd) != ACCEL_IOCTL_TYPE)
		return "its type is not ACCEL_IOCTL_TYPE";
	if (_IOC_SIZE(desc->cmd) > ACCEL_IOCTL_MAX_SIZE || _IOC_SIZE(desc->cmd) % sizeof(u64) ||
	    desc->min_size > _IOC_SIZE(desc->cmd))
		return "the size of its argument";
	if (desc->flags & ~known)
		return "a flag is unknown";
	if (!!(desc->flags & ACCEL_IOCTL_UNGATED) != accel_ioctl_is_ungated(desc))
		return "ACCEL_IOCTL_UNGATED is for the core's handlers, all of them";
	if (_IOC_NR(desc->cmd) >= ACCEL_IOCTL_DRIVER_BASE && !accel_ioctl_is_ungated(desc))
		return NULL;
	for (i = 0; i < ARRAY_SIZE(core); i++)
		if (desc->cmd == core[i].cmd && desc->func == core[i].func)
			return NULL;
	return "numbers below ACCEL_IOCTL_DRIVER_BASE are the core's, and mean the same everywhere";
}

/**
 * accel_ioctls_copy - make a node's dispatch table, indexed by command number
 * @node: the node
 * @desc: the driver's description
 *
 * A copy, names too: it is looked at when the driver may be gone already.
 *
 * Return: 0, -ENOMEM, or -EINVAL for a table that contradicts itself.
 */
int accel_ioctls_copy(struct accel_node *node, const struct accel_node_desc *desc)
{
	unsigned int i, nr, max = 0;
	const char *wrong;

	for (i = 0; i < desc->num_ioctls; i++)
		max = max(max, _IOC_NR(desc->ioctls[i].cmd) + 1);
	if (!max)
		return 0;
	node->ioctls = kcalloc(max, sizeof(*node->ioctls), GFP_KERNEL);
	if (!node->ioctls)
		return -ENOMEM;
	node->num_ioctls = max;
	for (i = 0; i < desc->num_ioctls; i++) {
		const struct accel_ioctl_desc *from = &desc->ioctls[i];

		nr = _IOC_NR(from->cmd);
		wrong = accel_ioctl_check(from);
		if (!wrong && node->ioctls[nr].func)
			wrong = "another has the same number";
		if (wrong) {
			dev_err(node->adev->dev.parent, "ioctl table of %s: bad entry 0x%02x: %s\n",
				node->name, nr, wrong);
			return -EINVAL;
		}
		node->ioctls[nr] = *from;
		node->ioctls[nr].name = kstrdup(from->name, GFP_KERNEL);
		if (!node->ioctls[nr].name)
			return -ENOMEM;
		if (from->flags & ACCEL_IOCTL_EXCLUSIVE)
			node->has_exclusive = true;
		if (from->func == accel_ioctl_mem_import)
			node->adev->fences = true;
	}
	for (nr = 0; nr < max; nr++)
		if (node->ioctls[nr].func && !node->has_exclusive &&
		    !(node->ioctls[nr].flags & ACCEL_IOCTL_ADMIN))
			node->ioctls[nr].flags |= ACCEL_IOCTL_PLAIN;
	return 0;
}

/**
 * accel_ioctls_free - undo accel_ioctls_copy(), also a half-made one
 * @node: the node
 */
void accel_ioctls_free(struct accel_node *node)
{
	unsigned int i;

	for (i = 0; i < node->num_ioctls; i++)
		kfree(node->ioctls[i].name);
	kfree(node->ioctls);
}

/**
 * accel_ioctl_find - the table's entry for a command
 * @node: the node
 * @cmd: the command; its size may differ from the entry's
 *
 * Return: the entry; NULL: the node has no such command.
 */
const struct accel_ioctl_desc *accel_ioctl_find(const struct accel_node *node,
						unsigned int cmd)
{
	const struct accel_ioctl_desc *desc;
	unsigned int nr = _IOC_NR(cmd);

	if (nr >= node->num_ioctls)
		return NULL;
	desc = &node->ioctls[array_index_nospec(nr, node->num_ioctls)];
	if (!desc->func || ((desc->cmd ^ cmd) & ~IOCSIZE_MASK))
		return NULL;
	return desc;
}
EXPORT_SYMBOL_IF_KUNIT(accel_ioctl_find);

/*
 * Copying in and out. Most callers know the argument as this kernel does: theirs is
 * copied here, in words, without the calls and the look-ups that take longer than
 * copying it.
 */
static __always_inline const struct accel_ioctl_desc *
accel_ioctl_find_plain(const struct accel_node *node, unsigned int cmd, const void __user *user)
{
	const struct accel_ioctl_desc *desc;
	unsigned int nr = _IOC_NR(cmd);

	if (unlikely(nr >= node->num_ioctls))
		return NULL;
	desc = &node->ioctls[array_index_nospec(nr, node->num_ioctls)];
	if (unlikely(desc->cmd != cmd || !(desc->flags & ACCEL_IOCTL_PLAIN)))
		return NULL;
	return likely(IS_ALIGNED((unsigned long)user, sizeof(u64))) ? desc : NULL;
}

/*
 * With @back also whether the result can be written, before there is one: a region or a
 * job whose id the caller never learns would stay until the close. Its first and its last
 * word are written back, as they may be on two pages.
 */
static __always_inline int accel_ioctl_get_plain(u64 *arg, u64 __user *user, size_t bytes,
						 bool back)
{
	size_t words = bytes / sizeof(u64), i;

	if (!bytes)
		return 0;
	if (!user_access_begin(user, bytes))
		return -EFAULT;
	for (i = 0; i < words; i++)
		unsafe_get_user(arg[i], user + i, fault);
	if (back) {
		unsafe_put_user(arg[0], user, fault);
		unsafe_put_user(arg[words - 1], user + words - 1, fault);
	}
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

static __always_inline int accel_ioctl_put_plain(const u64 *arg, u64 __user *user, size_t bytes)
{
	size_t words = bytes / sizeof(u64), i;

	if (!user_write_access_begin(user, bytes))
		return -EFAULT;
	for (i = 0; i < words; i++)
		unsafe_put_user(arg[i], user + i, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* An argument of another version than ours, or out of line. */
static noinline int accel_ioctl_get(u64 *arg, size_t ksize, void __user *user, size_t usize,
				    bool back)
{
	int ret = copy_struct_from_user(arg, ksize, user, usize);

	if (!ret && back && copy_to_user(user, arg, min(usize, ksize)))
		ret = -EFAULT;
	return ret;
}

static noinline int accel_ioctl_put(const u64 *arg, size_t ksize, void __user *user, size_t usize,
				    bool tail)
{
	if (copy_to_user(user, arg, min(usize, ksize)))
		return -EFAULT;
	/* A longer argument of an _IOR command was not looked at: its tail is ours. */
	if (tail && usize > ksize && clear_user(user + ksize, usize - ksize))
		return -EFAULT;
	return 0;
}

/* Does the device's state allow it? */
static __always_inline int accel_ioctl_allowed(const struct accel_device *adev,
					       const struct accel_ioctl_desc *desc)
{
	switch (READ_ONCE(adev->state)) {
	case ACCEL_STATE_OK:
		return 0;
	case ACCEL_STATE_GONE:
		return -ENODEV;
	default:
		return desc->flags & ACCEL_IOCTL_ANY_STATE ? 0 : -EIO;
	}
}

/* The part that may call the driver, or the core's own handler. */
static __always_inline long accel_ioctl_call(struct accel_context *ctx, struct accel_device *adev,
					     const struct accel_ioctl_desc *desc, void *arg)
{
	long ret;

	if (desc->flags & ACCEL_IOCTL_UNGATED) {
		if (unlikely(percpu_ref_is_dying(&adev->gate)))
			return -ENODEV;
		ret = accel_ioctl_allowed(adev, desc);
		return ret ? ret : desc->func(ctx, arg);
	}
	ret = __accel_enter(ACCEL_OP_IOCTL, ctx, adev);
	if (ret)
		return ret;
	ret = accel_ioctl_allowed(adev, desc);
	if (!ret)
		ret = desc->func(ctx, arg);
	__accel_leave(ACCEL_OP_IOCTL, ctx, adev);
	return ret;
}

/* The same, alone where the entry says so; any wait is only for this file's own calls. */
static noinline long accel_ioctl_serialize(struct accel_context *ctx, struct accel_device *adev,
					   const struct accel_ioctl_desc *desc, void *arg)
{
	struct rw_semaphore *sem = &ctx->call_sem;
	bool alone = desc->flags & ACCEL_IOCTL_EXCLUSIVE;
	long ret;

	ret = alone ? down_write_killable(sem) : down_read_killable(sem);
	if (ret)
		return ret;
	ret = accel_ioctl_call(ctx, adev, desc, arg);
	if (alone)
		up_write(sem);
	else
		up_read(sem);
	return ret;
}

/* An ioctl as most are, with nothing on its way that it does not need. */
static __always_inline long accel_ioctl_do_plain(struct accel_context *ctx,
						 struct accel_device *adev,
						 const struct accel_ioctl_desc *desc,
						 unsigned int cmd, void __user *user)
{
	/* Not cleared: what is copied in is all that anybody sees. */
	u64 arg[ACCEL_IOCTL_MAX_SIZE / sizeof(u64)] __uninitialized;
	size_t bytes = _IOC_SIZE(cmd);	/* whole words: accel_ioctls_copy() */
	long ret;

	if (cmd & IOC_IN) {
		ret = accel_ioctl_get_plain(arg, user, bytes, cmd & IOC_OUT);
		if (ret)
			goto refuse;
	} else {
		memset(arg, 0, bytes);
	}
	ret = accel_policy_ioctl(ctx, cmd, arg);
	if (ret)
		goto refuse;
	ret = accel_ioctl_call(ctx, adev, desc, arg);
	if (unlikely(ret < 0))
		return ret;
	if (cmd & IOC_OUT) {
		int err = accel_ioctl_put_plain(arg, user, bytes);

		if (err)
			return err;
	}
	return ret;
refuse:
	/* Whatever else is wrong: that the device is gone is what matters. */
	return accel_gate_is_open(adev) ? ret : -ENODEV;
}

/* Any other. */
static noinline long accel_ioctl_do_any(struct accel_context *ctx, struct accel_device *adev,
					const struct accel_node *node,
					unsigned int cmd, void __user *user)
{
	const struct accel_ioctl_desc *desc = accel_ioctl_find(node, cmd);
	u64 arg[ACCEL_IOCTL_MAX_SIZE / sizeof(u64)] __uninitialized;
	bool in = _IOC_DIR(cmd) & _IOC_WRITE, out = _IOC_DIR(cmd) & _IOC_READ;
	size_t ksize, usize = _IOC_SIZE(cmd);
	long ret;

	if (!accel_gate_is_open(adev))
		return -ENODEV;
	if (!desc)
		return -ENOTTY;
	ksize = _IOC_SIZE(desc->cmd);
	if (usize < desc->min_size)
		return -EINVAL;
	if (desc->flags & ACCEL_IOCTL_ADMIN && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (in) {
		ret = accel_ioctl_get(arg, ksize, user, usize, out);
		if (ret)
			return ret;
	} else {
		memset(arg, 0, ksize);
	}
	ret = accel_policy_ioctl(ctx, cmd, arg);
	if (ret)
		return ret;
	/* The core's own handlers may wait for long, and share no data with the driver's. */
	if (node->has_exclusive && !(desc->flags & ACCEL_IOCTL_UNGATED))
		ret = accel_ioctl_serialize(ctx, adev, desc, arg);
	else
		ret = accel_ioctl_call(ctx, adev, desc, arg);
	if (ret >= 0 && out) {
		int err = accel_ioctl_put(arg, ksize, user, usize, !in);

		if (err)
			return err;
	}
	return ret;
}

/* One ioctl of a context, all the way. */
static __always_inline long __accel_context_ioctl(struct accel_context *ctx, unsigned int cmd,
						  void __user *arg)
{
	const struct accel_node *node = ctx->opened_node;
	struct accel_device *adev = ctx->adev;
	const struct accel_ioctl_desc *desc;
	u64 start_ns;
	long ret;

	start_ns = accel_ioctl_begin(ctx, adev, cmd);
	desc = accel_ioctl_find_plain(node, cmd, arg);
	if (likely(desc))
		ret = accel_ioctl_do_plain(ctx, adev, desc, cmd, arg);
	else
		ret = accel_ioctl_do_any(ctx, adev, node, cmd, arg);
	accel_ioctl_end(ctx, adev, cmd, start_ns, ret);
	return ret;
}

#if IS_ENABLED(CONFIG_KUNIT)
long accel_context_ioctl(struct accel_context *ctx, unsigned int cmd, void __user *arg)
{
	return __accel_context_ioctl(ctx, cmd, arg);
}
EXPORT_SYMBOL_IF_KUNIT(accel_context_ioctl);
#endif

static long accel_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return __accel_context_ioctl(file->private_data, cmd, (void __user *)arg);
}

/* The part of an open that may call the driver; stays inside the gate. */
static int accel_context_open_gated(struct accel_call *call)
{
	struct accel_context *ctx = call->ctx;
	const struct accel_driver *drv;
	int ret;

	ret = accel_call_enter(call);
	if (ret)
		return ret;
	drv = ctx->adev->drv;
	ret = accel_context_add(ctx);
	if (ret)
		return ret;
	ret = drv->open ? drv->open(ctx) : 0;
	if (ret) {
		/* of what the driver has begun for it nothing may outlive it */
		accel_context_teardown(ctx);
		accel_jobs_forget(ctx);
		xa_erase(&ctx->adev->contexts, ctx->id);
		atomic_dec(&ctx->adev->num_contexts);
		return ret;
	}
	ctx->opened = true;
	return 0;
}

VISIBLE_IF_KUNIT int accel_context_open(struct accel_call *call)
{
	int ret = accel_policy_open(call->ctx);

	if (ret)
		return ret;
	ret = accel_context_open_gated(call);
	if (ret)
		accel_policy_context_close(call->ctx);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(accel_context_open);

static int accel_open(struct inode *inode, struct file *file)
{
	struct accel_node *node = container_of(inode->i_cdev, struct accel_node, cdev);
	struct accel_call call = { .op = ACCEL_OP_OPEN };
	int ret;

	call.ctx = accel_context_new(node);
	if (!call.ctx)
		return -ENOMEM;
	ret = accel_call_begin(&call);
	if (!ret)
		ret = accel_context_open(&call);
	if (!ret) {
		file->private_data = call.ctx;
		/* All mappings of all files in one place, for the unplug to find. */
		file->f_mapping = node->adev->map_inode->i_mapping;
		accel_netlink_context_opened(call.ctx);
	}
	accel_call_end(&call, ret);
	if (ret)
		accel_context_put(call.ctx);
	return ret;
}

static int accel_release(struct inode *inode, struct file *file)
{
	accel_context_close(file->private_data);
	return 0;
}

static __poll_t accel_poll(struct file *file, struct poll_table_struct *wait)
{
	struct accel_context *ctx = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &ctx->poll_wq, wait);
	if (!accel_gate_is_open(ctx->adev))
		events |= EPOLLHUP | EPOLLERR;
	if (READ_ONCE(ctx->num_ended))
		events |= EPOLLIN | EPOLLRDNORM;
	return events;
}

const struct file_operations accel_fops = {
	.owner = THIS_MODULE,
	.open = accel_open,
	.release = accel_release,
	.unlocked_ioctl = accel_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = accel_mmap,
	.poll = accel_poll,
	.show_fdinfo = accel_show_fdinfo,
	.llseek = noop_llseek,
};
