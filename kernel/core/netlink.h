/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the generic netlink family share. */
#ifndef _ACCEL_NETLINK_H
#define _ACCEL_NETLINK_H

#include <linux/uidgid.h>
#include <uapi/linux/accelerator_netlink.h>

struct accel_context;
struct accel_device;
struct accel_engine;
struct genl_family;
struct genl_info;
struct netlink_callback;
struct pid_namespace;
struct sk_buff;
struct user_namespace;

/* One of the two whose rights decide on what a request may show. */
struct accel_nl_cred {
	kuid_t uid;
	bool admin;
};

/**
 * struct accel_nl_reader - on whose behalf a message is made
 * @sender: who sent the request
 * @opener: who opened the socket: a privileged program that is talked into
 *	writing to somebody else's socket must not reveal more to its owner
 * @user_ns: uids are shown as in here
 * @pid_ns: pids are shown as in here; NULL: nobody knows, as there are many readers
 */
struct accel_nl_reader {
	struct accel_nl_cred sender;
	struct accel_nl_cred opener;
	struct user_namespace *user_ns;
	struct pid_namespace *pid_ns;
};

/**
 * struct accel_nl_dump - a dump from its first message to its last
 * @reader: who asked; holds references on the namespaces
 * @only: id of the device asked for, 0: all
 * @dev: continue with this device, or the next one if it is gone
 * @sub: and in it with this engine or context, or the next one
 * @end: what has this id or a higher one came after the dump began: left out, so
 *	that it ends even where contexts are opened faster than it is read
 */
struct accel_nl_dump {
	struct accel_nl_reader reader;
	u64 only;
	u64 dev;
	u64 sub;
	u64 end;
};

/* ------------------------------------------------------------ netlink_put.c */

/* Each puts the attributes of one object: 0 or -EMSGSIZE. */
int accel_nl_put_device(struct sk_buff *skb, struct accel_device *adev);
int accel_nl_put_engine(struct sk_buff *skb, struct accel_engine *engine);
int accel_nl_put_context(struct sk_buff *skb, struct accel_context *ctx,
			 const struct accel_nl_reader *reader);
int accel_nl_put_stats(struct sk_buff *skb, struct accel_device *adev);

/* Bytes that the message about one of them fits into, headers included. */
size_t accel_nl_device_size(struct accel_device *adev);
size_t accel_nl_context_size(struct accel_device *adev);
size_t accel_nl_stats_size(struct accel_device *adev);

/* ------------------------------------------------------------ netlink_get.c */

int accel_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info);
int accel_nl_context_get_doit(struct sk_buff *skb, struct genl_info *info);
int accel_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);

int accel_nl_device_get_start(struct netlink_callback *cb);
int accel_nl_engine_get_start(struct netlink_callback *cb);
int accel_nl_context_get_start(struct netlink_callback *cb);
int accel_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int accel_nl_engine_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int accel_nl_context_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int accel_nl_stats_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int accel_nl_dump_done(struct netlink_callback *cb);

/* --------------------------------------------------------- netlink_policy.c */

int accel_nl_policy_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

#if IS_ENABLED(CONFIG_KUNIT)
extern struct genl_family accel_nl_family;
bool accel_nl_may_see(const struct accel_nl_reader *reader, const struct accel_context *ctx);
#endif

#endif /* _ACCEL_NETLINK_H */
