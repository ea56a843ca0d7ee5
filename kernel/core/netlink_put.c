// SPDX-License-Identifier: GPL-2.0-only
/* The model as netlink attributes. */

#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/timekeeping.h>
#include <linux/user_namespace.h>
#include <net/genetlink.h>

#include "core.h"
#include "netlink.h"

static_assert((int)ACCELERATOR_STATE_OK == (int)ACCEL_STATE_OK);
static_assert((int)ACCELERATOR_STATE_RESETTING == (int)ACCEL_STATE_RESETTING);
static_assert((int)ACCELERATOR_STATE_FAILED == (int)ACCEL_STATE_FAILED);
static_assert((int)ACCELERATOR_STATE_GONE == (int)ACCEL_STATE_GONE);

static int put_node(struct sk_buff *skb, const struct accel_node *node)
{
	struct nlattr *nest = nla_nest_start(skb, ACCEL_NL_A_DEV_NODE);

	if (!nest)
		return -EMSGSIZE;
	/* not of node->dev, which is gone when the device's removal is told */
	if (nla_put_string(skb, ACCEL_NL_A_NODE_NAME, node->name) ||
	    nla_put_u32(skb, ACCEL_NL_A_NODE_MAJOR, MAJOR(node->cdev.dev)) ||
	    nla_put_u32(skb, ACCEL_NL_A_NODE_MINOR, MINOR(node->cdev.dev)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* "pci/0000:00:04.0": what devlink calls a handle. */
static int put_parent(struct sk_buff *skb, const struct device *parent)
{
	const char *bus = dev_bus_name(parent);
	const char *name = dev_name(parent);
	size_t bus_len = strlen(bus);
	size_t name_len = strlen(name);
	struct nlattr *attr;
	char *text;

	attr = nla_reserve(skb, ACCEL_NL_A_DEV_PARENT, bus_len + name_len + 2);
	if (!attr)
		return -EMSGSIZE;
	text = nla_data(attr);
	memcpy(text, bus, bus_len);
	text[bus_len] = '/';
	memcpy(text + bus_len + 1, name, name_len + 1);
	return 0;
}

static int put_text(struct sk_buff *skb, int type, const char *text)
{
	return *text ? nla_put_string(skb, type, text) : 0;
}

int accel_nl_put_device(struct sk_buff *skb, struct accel_device *adev)
{
	u32 flags = adev->exclusive ? ACCELERATOR_DEVICE_FLAGS_EXCLUSIVE : 0;
	unsigned int i;

	if (nla_put_uint(skb, ACCEL_NL_A_DEV_ID, adev->id) ||
	    nla_put_u32(skb, ACCEL_NL_A_DEV_INDEX, adev->index) ||
	    nla_put_string(skb, ACCEL_NL_A_DEV_NAME, adev->name) ||
	    nla_put_string(skb, ACCEL_NL_A_DEV_DRIVER, adev->drv_name) ||
	    put_text(skb, ACCEL_NL_A_DEV_TYPE, adev->type) ||
	    nla_put_u32(skb, ACCEL_NL_A_DEV_STATE, READ_ONCE(adev->state)) ||
	    (adev->dev.parent && put_parent(skb, adev->dev.parent)) ||
	    nla_put_s32(skb, ACCEL_NL_A_DEV_NUMA_NODE, dev_to_node(&adev->dev)) ||
	    put_text(skb, ACCEL_NL_A_DEV_FIRMWARE, adev->firmware_version) ||
	    put_text(skb, ACCEL_NL_A_DEV_SERIAL, adev->serial) ||
	    put_text(skb, ACCEL_NL_A_DEV_UUID, adev->uuid) ||
	    nla_put_u32(skb, ACCEL_NL_A_DEV_FLAGS, flags) ||
	    nla_put_u32(skb, ACCEL_NL_A_DEV_CONTEXTS, atomic_read(&adev->num_contexts)) ||
	    nla_put_uint(skb, ACCEL_NL_A_DEV_PINNED_BYTES, atomic64_read(&adev->pinned_bytes)) ||
	    nla_put_uint(skb, ACCEL_NL_A_DEV_MAPPED_BYTES, atomic64_read(&adev->mapped_bytes)))
		return -EMSGSIZE;

	for (i = 0; i < adev->num_nodes; i++)
		if (put_node(skb, &adev->nodes[i]))
			return -EMSGSIZE;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(accel_nl_put_device);

int accel_nl_put_engine(struct sk_buff *skb, struct accel_engine *engine)
{
	struct accel_engine_count count;
	u64 now = ktime_get_ns();

	accel_engine_read(engine, &count);
	if (nla_put_uint(skb, ACCEL_NL_A_ENGINE_DEV_ID, engine->adev->id) ||
	    nla_put_string(skb, ACCEL_NL_A_ENGINE_DEV_NAME, engine->adev->name) ||
	    nla_put_u32(skb, ACCEL_NL_A_ENGINE_INDEX, engine->index) ||
	    nla_put_string(skb, ACCEL_NL_A_ENGINE_NAME, engine->name) ||
	    nla_put_u32(skb, ACCEL_NL_A_ENGINE_DEPTH, engine->depth) ||
	    nla_put_u32(skb, ACCEL_NL_A_ENGINE_QUEUED, count.queued) ||
	    nla_put_u32(skb, ACCEL_NL_A_ENGINE_RUNNING, count.running) ||
	    nla_put_uint(skb, ACCEL_NL_A_ENGINE_JOBS, count.jobs) ||
	    nla_put_uint(skb, ACCEL_NL_A_ENGINE_ERRORS, count.errors) ||
	    nla_put_uint(skb, ACCEL_NL_A_ENGINE_BYTES, count.bytes) ||
	    nla_put_uint(skb, ACCEL_NL_A_ENGINE_BUSY_NS, count.busy_ns) ||
	    nla_put_uint(skb, ACCEL_NL_A_ENGINE_WAIT_NS, count.wait_ns) ||
	    nla_put_uint(skb, ACCEL_NL_A_ENGINE_TIME_NS, now))
		return -EMSGSIZE;
	return 0;
}

static int put_usage(struct sk_buff *skb, struct accel_engine *engine, struct accel_context *ctx)
{
	struct accel_engine_count count;
	struct nlattr *nest;

	accel_engine_read_usage(engine, ctx, &count);
	nest = nla_nest_start(skb, ACCEL_NL_A_CTX_ENGINE);
	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, ACCEL_NL_A_USAGE_ENGINE, engine->index) ||
	    nla_put_string(skb, ACCEL_NL_A_USAGE_NAME, engine->name) ||
	    nla_put_uint(skb, ACCEL_NL_A_USAGE_JOBS, count.jobs) ||
	    nla_put_uint(skb, ACCEL_NL_A_USAGE_ERRORS, count.errors) ||
	    nla_put_uint(skb, ACCEL_NL_A_USAGE_BYTES, count.bytes) ||
	    nla_put_uint(skb, ACCEL_NL_A_USAGE_BUSY_NS, count.busy_ns) ||
	    nla_put_uint(skb, ACCEL_NL_A_USAGE_WAIT_NS, count.wait_ns))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_ops(struct sk_buff *skb, int type, const struct accel_op_stats __percpu *stats)
{
	struct accel_op_count sum;
	struct nlattr *nest;
	enum accel_op op;

	for (op = 0; op < ACCEL_OP_NR; op++) {
		accel_stats_sum(stats, op, &sum);
		nest = nla_nest_start(skb, type);
		if (!nest)
			return -EMSGSIZE;
		if (nla_put_string(skb, ACCEL_NL_A_OP_NAME, accel_op_name(op)) ||
		    nla_put_uint(skb, ACCEL_NL_A_OP_CALLS, sum.calls) ||
		    nla_put_uint(skb, ACCEL_NL_A_OP_ERRORS, sum.errors) ||
		    nla_put_u32(skb, ACCEL_NL_A_OP_INFLIGHT, sum.inflight))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

/* 0: not in there, or it has ended: then its number may be another process's by now. */
static u32 opener_pid(struct accel_context *ctx, struct pid_namespace *pid_ns)
{
	guard(rcu)();
	return pid_task(ctx->pid, PIDTYPE_TGID) ? pid_nr_ns(ctx->pid, pid_ns) : 0;
}

static int put_owner(struct sk_buff *skb, struct accel_context *ctx,
		     const struct accel_nl_reader *reader)
{
	uid_t uid = from_kuid(reader->user_ns, make_kuid(&init_user_ns, ctx->uid));
	u32 pid = reader->pid_ns ? opener_pid(ctx, reader->pid_ns) : 0;

	if (nla_put_u32(skb, ACCEL_NL_A_CTX_PID, pid))
		return -EMSGSIZE;
	if (reader->sender.admin && reader->opener.admin &&
	    nla_put_u32(skb, ACCEL_NL_A_CTX_INIT_PID, ctx->tgid))
		return -EMSGSIZE;
	if (uid == (uid_t)-1)
		return 0;	/* the owner does not exist for the reader */
	return nla_put_u32(skb, ACCEL_NL_A_CTX_UID, uid);
}

int accel_nl_put_context(struct sk_buff *skb, struct accel_context *ctx,
			 const struct accel_nl_reader *reader)
{
	struct accel_device *adev = ctx->adev;
	char text[ACCEL_ERROR_LEN];
	u64 now = ktime_get_ns();
	unsigned int i;

	if (nla_put_uint(skb, ACCEL_NL_A_CTX_DEV_ID, adev->id) ||
	    nla_put_string(skb, ACCEL_NL_A_CTX_DEV_NAME, adev->name) ||
	    nla_put_uint(skb, ACCEL_NL_A_CTX_ID, ctx->id) ||
	    nla_put_u32(skb, ACCEL_NL_A_CTX_NODE, ctx->node) ||
	    put_owner(skb, ctx, reader) ||
	    nla_put_string(skb, ACCEL_NL_A_CTX_COMM, ctx->comm) ||
	    nla_put_uint(skb, ACCEL_NL_A_CTX_CGROUP_ID, ctx->cgroup_id) ||
	    nla_put_uint(skb, ACCEL_NL_A_CTX_AGE_NS, ktime_get_boottime_ns() - ctx->opened_ns) ||
	    nla_put_uint(skb, ACCEL_NL_A_CTX_PINNED_BYTES, atomic64_read(&ctx->pinned_bytes)) ||
	    nla_put_uint(skb, ACCEL_NL_A_CTX_MAPPED_BYTES, atomic64_read(&ctx->mapped_bytes)))
		return -EMSGSIZE;
	for (i = 0; i < adev->num_engines; i++)
		if (put_usage(skb, adev->engines[i], ctx))
			return -EMSGSIZE;
	if (put_ops(skb, ACCEL_NL_A_CTX_OP, ctx->stats) ||
	    nla_put_u32(skb, ACCEL_NL_A_CTX_MEMS, READ_ONCE(ctx->num_mems)) ||
	    nla_put_u32(skb, ACCEL_NL_A_CTX_JOBS, READ_ONCE(ctx->num_jobs)) ||
	    nla_put_uint(skb, ACCEL_NL_A_CTX_TIME_NS, now))
		return -EMSGSIZE;
	if (accel_context_last_error(ctx, text, sizeof(text)) &&
	    nla_put_string(skb, ACCEL_NL_A_CTX_LAST_ERROR, text))
		return -EMSGSIZE;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(accel_nl_put_context);

int accel_nl_put_stats(struct sk_buff *skb, struct accel_device *adev)
{
	if (nla_put_uint(skb, ACCEL_NL_A_STATS_DEV_ID, adev->id) ||
	    nla_put_string(skb, ACCEL_NL_A_STATS_DEV_NAME, adev->name) ||
	    put_ops(skb, ACCEL_NL_A_STATS_OP, adev->stats))
		return -EMSGSIZE;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(accel_nl_put_stats);

/* Headers, numbers and texts of bounded length: at most 900. */
#define FIXED_SIZE	1024

size_t accel_nl_device_size(struct accel_device *adev)
{
	const struct device *parent = adev->dev.parent;
	size_t size = FIXED_SIZE;

	if (parent)
		size += strlen(dev_bus_name(parent)) + strlen(dev_name(parent));
	return size;
}
EXPORT_SYMBOL_IF_KUNIT(accel_nl_device_size);

size_t accel_nl_context_size(struct accel_device *adev)
{
	/* of put_ops(): 56 each, of put_usage(): 92 each */
	return FIXED_SIZE + ACCEL_OP_NR * 64 + adev->num_engines * 96;
}
EXPORT_SYMBOL_IF_KUNIT(accel_nl_context_size);

size_t accel_nl_stats_size(struct accel_device *adev)
{
	return FIXED_SIZE + ACCEL_OP_NR * 64;
}
EXPORT_SYMBOL_IF_KUNIT(accel_nl_stats_size);
