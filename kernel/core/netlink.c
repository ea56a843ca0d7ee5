// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink: the same model as sysfs, in one request, and what changes in it.
 *
 * Nothing here opens, resumes or touches a device. docs/netlink/accelerator.yaml
 * is the specification.
 *
 * Devices belong to no network namespace: a reader in any may ask. Notifications
 * go to listeners in the initial one only: to those in others they would tell of
 * processes that are none of their business.
 */

#include <linux/module.h>
#include <linux/user_namespace.h>
#include <net/genetlink.h>

#include "core.h"
#include "netlink.h"

enum accel_nl_group {
	GROUP_DEVICES,
	GROUP_CONTEXTS,
};

VISIBLE_IF_KUNIT struct genl_family accel_nl_family;

/* ------------------------------------------------------------ notifications */

static bool ntf_wanted(enum accel_nl_group group)
{
	return genl_has_listeners(&accel_nl_family, &init_net, group);
}

/* Who listens learns that he has missed something (ENOBUFS), as when his queue is full. */
static void ntf_lost(enum accel_nl_group group)
{
	genl_set_err(&accel_nl_family, &init_net, 0, group, -ENOBUFS);
}

static struct sk_buff *ntf_new(enum accel_nl_group group, u8 cmd, size_t size, void **hdr)
{
	struct sk_buff *skb = nlmsg_new(size, GFP_KERNEL);

	if (!skb) {
		ntf_lost(group);
		return NULL;
	}
	*hdr = genlmsg_put(skb, 0, 0, &accel_nl_family, 0, cmd);
	return skb;
}

static void ntf_send(enum accel_nl_group group, struct sk_buff *skb, void *hdr, int ret)
{
	if (WARN_ON_ONCE(ret)) {
		nlmsg_free(skb);
		ntf_lost(group);
		return;
	}
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns(&accel_nl_family, &init_net, skb, 0, group, GFP_KERNEL);
}

static void device_ntf(struct accel_device *adev, u8 cmd)
{
	struct sk_buff *skb;
	void *hdr;

	if (!ntf_wanted(GROUP_DEVICES))
		return;
	skb = ntf_new(GROUP_DEVICES, cmd, accel_nl_device_size(adev), &hdr);
	if (skb)
		ntf_send(GROUP_DEVICES, skb, hdr, accel_nl_put_device(skb, adev));
}

void accel_netlink_device_added(struct accel_device *adev)
{
	device_ntf(adev, ACCEL_NL_CMD_DEVICE_ADD_NTF);
}

void accel_netlink_device_removed(struct accel_device *adev)
{
	device_ntf(adev, ACCEL_NL_CMD_DEVICE_DEL_NTF);
}

void accel_netlink_device_changed(struct accel_device *adev)
{
	device_ntf(adev, ACCEL_NL_CMD_DEVICE_CHANGE_NTF);
}
EXPORT_SYMBOL_IF_KUNIT(accel_netlink_device_changed);

static void context_ntf(struct accel_context *ctx, u8 cmd)
{
	/*
	 * Listeners are CAP_SYS_ADMIN in the initial user namespace, but in any pid namespace:
	 * what a family's bind() says of who subscribes, generic netlink ignores.
	 */
	static const struct accel_nl_reader listeners = {
		.sender.admin = true,
		.opener.admin = true,
		.user_ns = &init_user_ns,
	};
	struct sk_buff *skb;
	void *hdr;

	if (!ntf_wanted(GROUP_CONTEXTS))
		return;
	skb = ntf_new(GROUP_CONTEXTS, cmd, accel_nl_context_size(ctx->adev), &hdr);
	if (skb)
		ntf_send(GROUP_CONTEXTS, skb, hdr, accel_nl_put_context(skb, ctx, &listeners));
}

void accel_netlink_context_opened(struct accel_context *ctx)
{
	context_ntf(ctx, ACCEL_NL_CMD_CONTEXT_OPEN_NTF);
}

void accel_netlink_context_closed(struct accel_context *ctx)
{
	context_ntf(ctx, ACCEL_NL_CMD_CONTEXT_CLOSE_NTF);
}

/* ------------------------------------------------------------------- family */

/* "acc4095": longer is no device's name */
#define DEV_NAME_POLICY	{ .type = NLA_NUL_STRING, .len = ACCEL_NAME_LEN - 1 }

static const struct nla_policy device_get_policy[] = {
	[ACCEL_NL_A_DEV_ID] = NLA_POLICY_MIN(NLA_UINT, 1),
	[ACCEL_NL_A_DEV_INDEX] = NLA_POLICY_MAX(NLA_U32, ACCEL_MAX_MINORS - 1),
	[ACCEL_NL_A_DEV_NAME] = DEV_NAME_POLICY,
};

/* Without a policy, a dump would take anything. */
static const struct nla_policy no_attrs_policy[] = {
	[1] = { .type = NLA_REJECT, .reject_message = "this dump takes no attributes" },
};

static const struct nla_policy engine_get_policy[] = {
	[ACCEL_NL_A_ENGINE_DEV_ID] = NLA_POLICY_MIN(NLA_UINT, 1),
	[ACCEL_NL_A_ENGINE_DEV_NAME] = DEV_NAME_POLICY,
};

static const struct nla_policy context_get_policy[] = {
	[ACCEL_NL_A_CTX_DEV_ID] = NLA_POLICY_MIN(NLA_UINT, 1),
	[ACCEL_NL_A_CTX_DEV_NAME] = DEV_NAME_POLICY,
	[ACCEL_NL_A_CTX_ID] = NLA_POLICY_MIN(NLA_UINT, 1),
};

/* The first two of the above: a dump takes no context's id. */
#define CONTEXT_DUMP_MAX	ACCEL_NL_A_CTX_DEV_NAME

static const struct nla_policy stats_get_policy[] = {
	[ACCEL_NL_A_STATS_DEV_ID] = NLA_POLICY_MIN(NLA_UINT, 1),
	[ACCEL_NL_A_STATS_DEV_NAME] = DEV_NAME_POLICY,
};

static const struct genl_split_ops accel_nl_ops[] = {
	{
		.cmd = ACCEL_NL_CMD_DEVICE_GET,
		.doit = accel_nl_device_get_doit,
		.policy = device_get_policy,
		.maxattr = ARRAY_SIZE(device_get_policy) - 1,
		.flags = GENL_CMD_CAP_DO,
	}, {
		.cmd = ACCEL_NL_CMD_DEVICE_GET,
		.start = accel_nl_device_get_start,
		.dumpit = accel_nl_device_get_dumpit,
		.done = accel_nl_dump_done,
		.policy = no_attrs_policy,
		.maxattr = ARRAY_SIZE(no_attrs_policy) - 1,
		.flags = GENL_CMD_CAP_DUMP,
	}, {
		.cmd = ACCEL_NL_CMD_ENGINE_GET,
		.start = accel_nl_engine_get_start,
		.dumpit = accel_nl_engine_get_dumpit,
		.done = accel_nl_dump_done,
		.policy = engine_get_policy,
		.maxattr = ARRAY_SIZE(engine_get_policy) - 1,
		.flags = GENL_CMD_CAP_DUMP,
	}, {
		.cmd = ACCEL_NL_CMD_CONTEXT_GET,
		.doit = accel_nl_context_get_doit,
		.policy = context_get_policy,
		.maxattr = ARRAY_SIZE(context_get_policy) - 1,
		.flags = GENL_CMD_CAP_DO,
	}, {
		.cmd = ACCEL_NL_CMD_CONTEXT_GET,
		.start = accel_nl_context_get_start,
		.dumpit = accel_nl_context_get_dumpit,
		.done = accel_nl_dump_done,
		.policy = context_get_policy,
		.maxattr = CONTEXT_DUMP_MAX,
		.flags = GENL_CMD_CAP_DUMP,
	}, {
		.cmd = ACCEL_NL_CMD_STATS_GET,
		.doit = accel_nl_stats_get_doit,
		.policy = stats_get_policy,
		.maxattr = ARRAY_SIZE(stats_get_policy) - 1,
		.flags = GENL_CMD_CAP_DO,
	}, {
		.cmd = ACCEL_NL_CMD_STATS_GET,
		.start = accel_nl_device_get_start,
		.dumpit = accel_nl_stats_get_dumpit,
		.done = accel_nl_dump_done,
		.policy = no_attrs_policy,
		.maxattr = ARRAY_SIZE(no_attrs_policy) - 1,
		.flags = GENL_CMD_CAP_DUMP,
	}, {
		.cmd = ACCEL_NL_CMD_POLICY_GET,
		.dumpit = accel_nl_policy_get_dumpit,
		.policy = no_attrs_policy,
		.maxattr = ARRAY_SIZE(no_attrs_policy) - 1,
		.flags = GENL_CMD_CAP_DUMP,
	},
};

static const struct genl_multicast_group accel_nl_groups[] = {
	[GROUP_DEVICES] = { .name = ACCELERATOR_MCGRP_DEVICES },
	[GROUP_CONTEXTS] = {
		.name = ACCELERATOR_MCGRP_CONTEXTS,
		.flags = GENL_MCAST_CAP_SYS_ADMIN,
	},
};

VISIBLE_IF_KUNIT struct genl_family accel_nl_family __ro_after_init = {
	.name = ACCELERATOR_FAMILY_NAME,
	.version = ACCELERATOR_FAMILY_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.split_ops = accel_nl_ops,
	.n_split_ops = ARRAY_SIZE(accel_nl_ops),
	.mcgrps = accel_nl_groups,
	.n_mcgrps = ARRAY_SIZE(accel_nl_groups),
};
EXPORT_SYMBOL_IF_KUNIT(accel_nl_family);

int __init accel_netlink_init(void)
{
	return genl_register_family(&accel_nl_family);
}

void accel_netlink_exit(void)
{
	genl_unregister_family(&accel_nl_family);
}
