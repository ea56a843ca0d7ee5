// SPDX-License-Identifier: GPL-2.0-only
/* The source of snapshots that knows everything: generic netlink. */
#include "model_netlink.h"

#include <errno.h>
#include <linux/accelerator_netlink.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "genl.h"
#include "model_source.h"

struct netlink_source {
	struct accel_source src;
	struct genl genl;
	bool open;
};

/* One dump into a snapshot. */
struct dump {
	struct accel_snapshot *snap;
	struct accel_device_info *dev;	/* the last message's: they come in runs */
	uint64_t only;
	int id_attr;			/* that takes @only */
};

/* ----------------------------------------------------------------- parsing */

static void parse_node(const struct nlattr *nest, struct accel_device_info *dev)
{
	const struct nlattr *a[ACCEL_NL_A_NODE_MAX + 1];
	struct accel_node_info *node;

	genl_attrs(NULL, nest, a, ACCEL_NL_A_NODE_MAX);
	node = accel_device_add_node(dev, genl_text(a[ACCEL_NL_A_NODE_NAME]));
	if (!node)
		return;		/* a newer kernel has more than we show */
	node->major = genl_uint(a[ACCEL_NL_A_NODE_MAJOR]);
	node->minor = genl_uint(a[ACCEL_NL_A_NODE_MINOR]);
}

static uint32_t set_text(char *to, const struct nlattr *attr, uint32_t bit)
{
	if (!attr)
		return 0;
	accel_text_set(to, ACCEL_MODEL_TEXT, genl_text(attr));
	return bit;
}

void accel_nl_parse_device(const struct nlmsghdr *nlh, struct accel_device_info *dev)
{
	const struct nlattr *a[ACCEL_NL_A_DEV_MAX + 1];
	const struct nlattr *attr;

	genl_attrs(nlh, NULL, a, ACCEL_NL_A_DEV_MAX);
	dev->id = genl_uint(a[ACCEL_NL_A_DEV_ID]);
	dev->index = genl_uint(a[ACCEL_NL_A_DEV_INDEX]);
	ACCEL_TEXT_SET(dev->name, genl_text(a[ACCEL_NL_A_DEV_NAME]));
	dev->valid |= ACCEL_DEV_ID;
	dev->valid |= set_text(dev->driver, a[ACCEL_NL_A_DEV_DRIVER], ACCEL_DEV_DRIVER);
	dev->valid |= set_text(dev->type, a[ACCEL_NL_A_DEV_TYPE], ACCEL_DEV_TYPE);
	dev->valid |= set_text(dev->parent, a[ACCEL_NL_A_DEV_PARENT], ACCEL_DEV_PARENT);
	dev->valid |= set_text(dev->firmware, a[ACCEL_NL_A_DEV_FIRMWARE], ACCEL_DEV_FIRMWARE);
	dev->valid |= set_text(dev->serial, a[ACCEL_NL_A_DEV_SERIAL], ACCEL_DEV_SERIAL);
	dev->valid |= set_text(dev->uuid, a[ACCEL_NL_A_DEV_UUID], ACCEL_DEV_UUID);
	if (a[ACCEL_NL_A_DEV_STATE]) {
		dev->state = genl_uint(a[ACCEL_NL_A_DEV_STATE]);
		dev->valid |= ACCEL_DEV_STATE;
	}
	dev->numa_node = -1;
	if (a[ACCEL_NL_A_DEV_NUMA_NODE]) {
		dev->numa_node = genl_s32(a[ACCEL_NL_A_DEV_NUMA_NODE]);
		dev->valid |= ACCEL_DEV_NUMA;
	}
	if (a[ACCEL_NL_A_DEV_FLAGS]) {
		if (genl_uint(a[ACCEL_NL_A_DEV_FLAGS]) & ACCELERATOR_DEVICE_FLAGS_EXCLUSIVE)
			dev->flags |= ACCEL_DEV_EXCLUSIVE;
		dev->valid |= ACCEL_DEV_FLAGS;
	}
	if (a[ACCEL_NL_A_DEV_CONTEXTS]) {
		dev->open_contexts = genl_uint(a[ACCEL_NL_A_DEV_CONTEXTS]);
		dev->valid |= ACCEL_DEV_CONTEXTS;
	}
	if (a[ACCEL_NL_A_DEV_PINNED_BYTES]) {
		dev->pinned_bytes = genl_uint(a[ACCEL_NL_A_DEV_PINNED_BYTES]);
		dev->mapped_bytes = genl_uint(a[ACCEL_NL_A_DEV_MAPPED_BYTES]);
		dev->valid |= ACCEL_DEV_BYTES;
	}
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == ACCEL_NL_A_DEV_NODE)
			parse_node(attr, dev);
}

static void parse_op(const struct nlattr *nest, struct accel_op_info *ops, size_t *num)
{
	const struct nlattr *a[ACCEL_NL_A_OP_MAX + 1];
	struct accel_op_info *op;

	genl_attrs(NULL, nest, a, ACCEL_NL_A_OP_MAX);
	op = accel_op_add(ops, num, genl_text(a[ACCEL_NL_A_OP_NAME]));
	if (!op)
		return;
	op->calls = genl_uint(a[ACCEL_NL_A_OP_CALLS]);
	op->errors = genl_uint(a[ACCEL_NL_A_OP_ERRORS]);
	op->inflight = genl_uint(a[ACCEL_NL_A_OP_INFLIGHT]);
}

static int parse_usage(const struct nlattr *nest, struct accel_context_info *ctx)
{
	const struct nlattr *a[ACCEL_NL_A_USAGE_MAX + 1];
	struct accel_usage_info *usage;

	genl_attrs(NULL, nest, a, ACCEL_NL_A_USAGE_MAX);
	usage = accel_context_add_usage(ctx, genl_uint(a[ACCEL_NL_A_USAGE_ENGINE]),
					genl_text(a[ACCEL_NL_A_USAGE_NAME]));
	if (!usage)
		return -ENOMEM;
	usage->jobs = genl_uint(a[ACCEL_NL_A_USAGE_JOBS]);
	usage->errors = genl_uint(a[ACCEL_NL_A_USAGE_ERRORS]);
	usage->bytes = genl_uint(a[ACCEL_NL_A_USAGE_BYTES]);
	usage->busy_ns = genl_uint(a[ACCEL_NL_A_USAGE_BUSY_NS]);
	usage->wait_ns = genl_uint(a[ACCEL_NL_A_USAGE_WAIT_NS]);
	return 0;
}

/* The number that Linux has given to the initial pid namespace's link, for ever. */
#define INIT_PID_NS	"pid:[4026531836]"

static bool in_init_pid_ns(void)
{
	static int known = -1;
	char link[32] = "";

	if (known < 0) {
		if (readlink("/proc/self/ns/pid", link, sizeof(link) - 1) > 0)
			known = !strcmp(link, INIT_PID_NS);
		else	/* a kernel without pid namespaces, or without /proc */
			known = !access("/proc/self/ns", F_OK);
	}
	return known;
}

/*
 * Notifications have the pid as in the initial namespace only. Elsewhere 0 is no process of
 * ours, or one that has ended.
 */
static uint32_t parse_pid(const struct nlmsghdr *nlh, const struct nlattr **a)
{
	const struct genlmsghdr *head = mnl_nlmsg_get_payload(nlh);

	if ((head->cmd == ACCEL_NL_CMD_CONTEXT_OPEN_NTF ||
	     head->cmd == ACCEL_NL_CMD_CONTEXT_CLOSE_NTF) && in_init_pid_ns())
		return genl_uint(a[ACCEL_NL_A_CTX_INIT_PID]);
	return genl_uint(a[ACCEL_NL_A_CTX_PID]);
}

/* Everything but what is nested. */
static void parse_context_flat(const struct nlmsghdr *nlh, const struct nlattr **a,
			       struct accel_context_info *ctx)
{
	ctx->id = genl_uint(a[ACCEL_NL_A_CTX_ID]);
	if (a[ACCEL_NL_A_CTX_NODE]) {
		ctx->node = genl_uint(a[ACCEL_NL_A_CTX_NODE]);
		ctx->valid |= ACCEL_CTX_NODE;
	}
	ctx->pid = parse_pid(nlh, a);
	if (ctx->pid)
		ctx->valid |= ACCEL_CTX_PID;
	if (a[ACCEL_NL_A_CTX_UID]) {
		ctx->uid = genl_uint(a[ACCEL_NL_A_CTX_UID]);
		ctx->valid |= ACCEL_CTX_UID;
	}
	ACCEL_TEXT_SET(ctx->comm, genl_text(a[ACCEL_NL_A_CTX_COMM]));
	ctx->cgroup_id = genl_uint(a[ACCEL_NL_A_CTX_CGROUP_ID]);
	if (ctx->cgroup_id)
		ctx->valid |= ACCEL_CTX_CGROUP;
	if (a[ACCEL_NL_A_CTX_AGE_NS]) {
		ctx->age_ns = genl_uint(a[ACCEL_NL_A_CTX_AGE_NS]);
		ctx->valid |= ACCEL_CTX_AGE;
	}
	if (a[ACCEL_NL_A_CTX_PINNED_BYTES]) {
		ctx->pinned_bytes = genl_uint(a[ACCEL_NL_A_CTX_PINNED_BYTES]);
		ctx->mapped_bytes = genl_uint(a[ACCEL_NL_A_CTX_MAPPED_BYTES]);
		ctx->valid |= ACCEL_CTX_BYTES;
	}
	if (a[ACCEL_NL_A_CTX_MEMS]) {
		ctx->mems = genl_uint(a[ACCEL_NL_A_CTX_MEMS]);
		ctx->jobs = genl_uint(a[ACCEL_NL_A_CTX_JOBS]);
		ctx->valid |= ACCEL_CTX_OBJECTS;
	}
	ctx->time_ns = genl_uint(a[ACCEL_NL_A_CTX_TIME_NS]);
	ACCEL_TEXT_SET(ctx->last_error, genl_text(a[ACCEL_NL_A_CTX_LAST_ERROR]));
}

int accel_nl_parse_context(const struct nlmsghdr *nlh, struct accel_context_info *ctx,
			   struct accel_nl_owner *owner)
{
	const struct nlattr *a[ACCEL_NL_A_CTX_MAX + 1];
	const struct nlattr *attr;
	int ret;

	genl_attrs(nlh, NULL, a, ACCEL_NL_A_CTX_MAX);
	parse_context_flat(nlh, a, ctx);
	if (owner) {
		owner->dev_id = genl_uint(a[ACCEL_NL_A_CTX_DEV_ID]);
		ACCEL_TEXT_SET(owner->dev_name, genl_text(a[ACCEL_NL_A_CTX_DEV_NAME]));
	}
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case ACCEL_NL_A_CTX_ENGINE:
			ret = parse_usage(attr, ctx);
			if (ret)
				return ret;
			break;
		case ACCEL_NL_A_CTX_OP:
			parse_op(attr, ctx->ops, &ctx->num_ops);
			break;
		}
	}
	return 0;
}

void accel_nl_release_context(struct accel_context_info *ctx)
{
	free(ctx->usage);
	ctx->usage = NULL;
	ctx->num_usage = 0;
}

/* ------------------------------------------------------------------- dumps */

static struct accel_device_info *dump_device(struct dump *dump, uint64_t id)
{
	size_t d;

	if (dump->dev && dump->dev->id == id)
		return dump->dev;
	for (d = 0; d < dump->snap->num_devices; d++) {
		dump->dev = &dump->snap->devices[d];
		if (dump->dev->id == id)
			return dump->dev;
	}
	/* it came after the devices were read */
	dump->dev = NULL;
	return NULL;
}

static int take_device(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	struct dump *dump = arg;
	struct accel_device_info *dev;

	if (cmd != ACCEL_NL_CMD_DEVICE_GET)
		return 0;
	dev = accel_snapshot_add_device(dump->snap, 0, 0);
	if (!dev)
		return -ENOMEM;
	accel_nl_parse_device(nlh, dev);
	return 0;
}

static int take_engine(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *a[ACCEL_NL_A_ENGINE_MAX + 1];
	struct dump *dump = arg;
	struct accel_device_info *dev;
	struct accel_engine_info *e;

	if (cmd != ACCEL_NL_CMD_ENGINE_GET)
		return 0;
	genl_attrs(nlh, NULL, a, ACCEL_NL_A_ENGINE_MAX);
	dev = dump_device(dump, genl_uint(a[ACCEL_NL_A_ENGINE_DEV_ID]));
	if (!dev)
		return 0;
	e = accel_device_add_engine(dev, genl_uint(a[ACCEL_NL_A_ENGINE_INDEX]),
				    genl_text(a[ACCEL_NL_A_ENGINE_NAME]));
	if (!e)
		return -ENOMEM;
	e->valid = ACCEL_ENGINE_COUNTERS | ACCEL_ENGINE_NOW | ACCEL_ENGINE_DEPTH;
	e->depth = genl_uint(a[ACCEL_NL_A_ENGINE_DEPTH]);
	e->queued = genl_uint(a[ACCEL_NL_A_ENGINE_QUEUED]);
	e->running = genl_uint(a[ACCEL_NL_A_ENGINE_RUNNING]);
	e->jobs = genl_uint(a[ACCEL_NL_A_ENGINE_JOBS]);
	e->errors = genl_uint(a[ACCEL_NL_A_ENGINE_ERRORS]);
	e->bytes = genl_uint(a[ACCEL_NL_A_ENGINE_BYTES]);
	e->busy_ns = genl_uint(a[ACCEL_NL_A_ENGINE_BUSY_NS]);
	e->wait_ns = genl_uint(a[ACCEL_NL_A_ENGINE_WAIT_NS]);
	e->time_ns = genl_uint(a[ACCEL_NL_A_ENGINE_TIME_NS]);
	return 0;
}

static int take_context(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attr;
	struct dump *dump = arg;
	struct accel_device_info *dev;
	struct accel_context_info *ctx;
	uint64_t dev_id = 0;

	if (cmd != ACCEL_NL_CMD_CONTEXT_GET)
		return 0;
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == ACCEL_NL_A_CTX_DEV_ID) {
			dev_id = genl_uint(attr);
			break;
		}
	}
	dev = dump_device(dump, dev_id);
	if (!dev)
		return 0;
	ctx = accel_device_add_context(dev, 0);
	return ctx ? accel_nl_parse_context(nlh, ctx, NULL) : -ENOMEM;
}

static int take_stats(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *a[ACCEL_NL_A_STATS_MAX + 1];
	const struct nlattr *attr;
	struct dump *dump = arg;
	struct accel_device_info *dev;

	if (cmd != ACCEL_NL_CMD_STATS_GET)
		return 0;
	genl_attrs(nlh, NULL, a, ACCEL_NL_A_STATS_MAX);
	dev = dump_device(dump, genl_uint(a[ACCEL_NL_A_STATS_DEV_ID]));
	if (!dev)
		return 0;
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == ACCEL_NL_A_STATS_OP)
			parse_op(attr, dev->ops, &dev->num_ops);
	dev->valid |= ACCEL_DEV_OPS;
	return 0;
}

static void fill_device(struct nlmsghdr *nlh, void *arg)
{
	struct dump *dump = arg;

	if (dump->only)
		mnl_attr_put_u64(nlh, dump->id_attr, dump->only);
}

/* What there is to ask, in this order: what follows belongs to the devices. */
static const struct part {
	unsigned int bit;
	uint8_t cmd;
	bool do_one;		/* one device's is a request, not a dump */
	int id_attr;
	genl_reply_fn take;
} parts[] = {
	{ ACCEL_READ_DEVICES, ACCEL_NL_CMD_DEVICE_GET, true, ACCEL_NL_A_DEV_ID, take_device },
	{ ACCEL_READ_ENGINES, ACCEL_NL_CMD_ENGINE_GET, false, ACCEL_NL_A_ENGINE_DEV_ID,
	  take_engine },
	{ ACCEL_READ_CONTEXTS, ACCEL_NL_CMD_CONTEXT_GET, false, ACCEL_NL_A_CTX_DEV_ID,
	  take_context },
	{ ACCEL_READ_STATS, ACCEL_NL_CMD_STATS_GET, true, ACCEL_NL_A_STATS_DEV_ID, take_stats },
};

static int read_part(struct netlink_source *s, const struct part *part,
		     struct accel_snapshot *snap)
{
	struct dump dump = { .snap = snap, .only = s->src.only, .id_attr = part->id_attr };
	bool one = part->do_one && s->src.only;
	int ret;

	ret = genl_request(&s->genl, part->cmd, one ? 0 : NLM_F_DUMP, fill_device, part->take,
			   &dump);
	/* the one device we were to read has gone: an answer, not a failure */
	return ret == -ENODEV && s->src.only ? 0 : ret;
}

static int reopen(struct netlink_source *s)
{
	int ret;

	if (s->open)
		ret = genl_resolve(&s->genl);
	else
		ret = genl_open(&s->genl, ACCELERATOR_FAMILY_NAME);
	if (ret == -ENOENT)
		return accel_source_fail(&s->src, -ENODEV,
					 "the kernel has no netlink family \"%s\": "
					 "the module accelerator is not loaded", ACCELERATOR_FAMILY_NAME);
	if (ret)
		return accel_source_fail(&s->src, ret, "netlink: %s", strerror(-ret));
	s->open = true;
	return 0;
}

static int netlink_read(struct accel_source *src, struct accel_snapshot *snap)
{
	struct netlink_source *s = (struct netlink_source *)src;
	bool retried = false;
	size_t i;
	int ret;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const struct part *part = &parts[i];

		if (part->bit != ACCEL_READ_DEVICES && !(src->parts & part->bit))
			continue;
		ret = read_part(s, part, snap);
		/* unloaded, and perhaps loaded again: then the family has another number */
		if (ret == -ENOENT && !retried && !i) {
			ret = reopen(s);
			if (ret)
				return ret;
			retried = true;
			ret = read_part(s, part, snap);
		}
		if (ret == -ENOENT)
			return accel_source_fail(src, -ENODEV,
						 "the module accelerator was unloaded");
		if (ret)
			return accel_source_fail(src, ret, "netlink: %s", s->genl.error[0] ?
						 s->genl.error : strerror(-ret));
	}
	snap->has_contexts = src->parts & ACCEL_READ_CONTEXTS;
	return 0;
}

static void netlink_close(struct accel_source *src)
{
	struct netlink_source *s = (struct netlink_source *)src;

	if (s->open)
		genl_close(&s->genl);
	free(s);
}

static const struct accel_source_ops netlink_ops = {
	.kind = ACCEL_SOURCE_NETLINK,
	.read = netlink_read,
	.close = netlink_close,
};

int accel_source_open_netlink(struct accel_source **out)
{
	struct netlink_source *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return -ENOMEM;
	accel_source_init(&s->src, &netlink_ops);
	ret = reopen(s);
	if (ret) {
		netlink_close(&s->src);
		return ret;
	}
	*out = &s->src;
	return 0;
}
