// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink: requests and dumps.
 *
 * A context is shown to its owner and to CAP_SYS_ADMIN in the initial user
 * namespace. To all others it does not exist: asking for it by its id answers the
 * same as for one that never was.
 */

#include <linux/cred.h>
#include <linux/file.h>
#include <linux/pid_namespace.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "core.h"
#include "netlink.h"

/* ------------------------------------------------------------------ readers */

/*
 * Requests are handled, and dumps are started, by the process that sends them,
 * so that current is the sender; the rest of a dump is made by whoever receives.
 */
static void reader_init(struct accel_nl_reader *reader, struct sk_buff *skb)
{
	struct file *file = NETLINK_CB(skb).sk->sk_socket->file;

	reader->sender.uid = current_euid();
	/* no audit: to be refused here is no offence, it is seeing less */
	reader->sender.admin = ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
	reader->opener.uid = file->f_cred->euid;
	/* this one is audited: not asked where it would change nothing */
	reader->opener.admin = (reader->sender.admin ||
				!uid_eq(reader->opener.uid, reader->sender.uid)) &&
			       file_ns_capable(file, &init_user_ns, CAP_SYS_ADMIN);
	reader->user_ns = current_user_ns();
	reader->pid_ns = task_active_pid_ns(current);
}

static bool cred_may_see(const struct accel_nl_cred *cred, const struct accel_context *ctx)
{
	return cred->admin || uid_eq(cred->uid, make_kuid(&init_user_ns, ctx->uid));
}

VISIBLE_IF_KUNIT bool accel_nl_may_see(const struct accel_nl_reader *reader,
				       const struct accel_context *ctx)
{
	return cred_may_see(&reader->sender, ctx) && cred_may_see(&reader->opener, ctx);
}
EXPORT_SYMBOL_IF_KUNIT(accel_nl_may_see);

/* ----------------------------------------------------------------- requests */

/*
 * The attributes by which a request names a device, each 0 where the operation
 * has none. Nothing else is in the operation's policy.
 */
struct device_attrs {
	int id;
	int name;
	int index;
};

static const struct device_attrs of_device = {
	.id = ACCEL_NL_A_DEV_ID, .name = ACCEL_NL_A_DEV_NAME, .index = ACCEL_NL_A_DEV_INDEX,
};

static const struct device_attrs of_engine = {
	.id = ACCEL_NL_A_ENGINE_DEV_ID, .name = ACCEL_NL_A_ENGINE_DEV_NAME,
};

static const struct device_attrs of_context = {
	.id = ACCEL_NL_A_CTX_DEV_ID, .name = ACCEL_NL_A_CTX_DEV_NAME,
};

static const struct device_attrs of_stats = {
	.id = ACCEL_NL_A_STATS_DEV_ID, .name = ACCEL_NL_A_STATS_DEV_NAME,
};

static struct nlattr *attr_of(const struct genl_info *info, int type)
{
	return type ? info->attrs[type] : NULL;
}

/*
 * The device that a request names; NULL when it names none; -EINVAL when it names
 * more than one way, -ENODEV when there is no such device. Call with
 * accel_devices_lock held.
 */
static struct accel_device *device_find(const struct genl_info *info,
					const struct device_attrs *attrs)
{
	struct nlattr *id = attr_of(info, attrs->id);
	struct nlattr *name = attr_of(info, attrs->name);
	struct nlattr *index = attr_of(info, attrs->index);
	struct nlattr *last = index ?: name ?: id;
	struct accel_device *adev;
	unsigned long i;

	lockdep_assert_held(&accel_devices_lock);

	if (!last)
		return NULL;
	if (!!id + !!name + !!index > 1) {
		NL_SET_ERR_MSG_ATTR(info->extack, last,
				    "the device is named twice, give its id, index or name");
		return ERR_PTR(-EINVAL);
	}
	xa_for_each(&accel_devices, i, adev) {
		if ((id && nla_get_uint(id) == adev->id) ||
		    (name && !nla_strcmp(name, adev->name)) ||
		    (index && nla_get_u32(index) == adev->index))
			return adev;
	}
	NL_SET_ERR_MSG_ATTR(info->extack, last, "no such device");
	return ERR_PTR(-ENODEV);
}

/* As device_find(), for requests that must name one. */
static struct accel_device *device_find_one(const struct genl_info *info,
					    const struct device_attrs *attrs)
{
	struct accel_device *adev = device_find(info, attrs);

	if (adev)
		return adev;
	NL_SET_ERR_MSG(info->extack, "no device named");
	NL_SET_ERR_ATTR_MISS(info->extack, NULL, attrs->id);
	return ERR_PTR(-EINVAL);
}

/* An empty reply with room for @size bytes. */
static struct sk_buff *reply_new(const struct genl_info *info, size_t size, void **hdr)
{
	struct sk_buff *skb = nlmsg_new(size, GFP_KERNEL);

	if (!skb)
		return NULL;
	*hdr = genlmsg_iput(skb, info);
	return skb;
}

static int reply_send(struct genl_info *info, struct sk_buff *skb, void *hdr, int ret)
{
	if (WARN_ON_ONCE(ret)) {
		nlmsg_free(skb);
		return ret;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

/* Device and stats differ in who puts the attributes. */
static int device_reply(struct genl_info *info, const struct device_attrs *attrs,
			size_t (*size)(struct accel_device *adev),
			int (*put)(struct sk_buff *skb, struct accel_device *adev))
{
	struct accel_device *adev;
	struct sk_buff *skb;
	void *hdr;
	int ret;

	scoped_guard(mutex, &accel_devices_lock) {
		adev = device_find_one(info, attrs);
		if (IS_ERR(adev))
			return PTR_ERR(adev);
		skb = reply_new(info, size(adev), &hdr);
		if (!skb)
			return -ENOMEM;
		ret = put(skb, adev);
	}
	return reply_send(info, skb, hdr, ret);
}

int accel_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return device_reply(info, &of_device, accel_nl_device_size, accel_nl_put_device);
}

int accel_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return device_reply(info, &of_stats, accel_nl_stats_size, accel_nl_put_stats);
}

/* The context with @id, of @only or of any device, with a reference. */
static struct accel_context *context_find(struct accel_device *only, u64 id)
{
	struct accel_context *ctx;
	struct accel_device *adev;
	unsigned long i;

	xa_for_each(&accel_devices, i, adev) {
		if (only && adev != only)
			continue;
		ctx = accel_context_next(adev, id);
		if (ctx && ctx->id == id)
			return ctx;
		if (ctx)
			accel_context_put(ctx);
	}
	return NULL;
}

int accel_nl_context_get_doit(struct sk_buff *req, struct genl_info *info)
{
	struct accel_nl_reader reader;
	struct accel_context *ctx;
	struct accel_device *only;
	struct sk_buff *skb;
	struct nlattr *id;
	void *hdr;
	int ret;

	if (GENL_REQ_ATTR_CHECK(info, ACCEL_NL_A_CTX_ID)) {
		NL_SET_ERR_MSG(info->extack, "no context named");
		return -EINVAL;
	}
	id = info->attrs[ACCEL_NL_A_CTX_ID];
	reader_init(&reader, req);

	scoped_guard(mutex, &accel_devices_lock) {
		only = device_find(info, &of_context);
		if (IS_ERR(only))
			return PTR_ERR(only);
		ctx = context_find(only, nla_get_uint(id));
		if (ctx && !accel_nl_may_see(&reader, ctx)) {
			accel_context_put(ctx);
			ctx = NULL;
		}
		if (!ctx) {
			NL_SET_ERR_MSG_ATTR(info->extack, id, "no such context, or not yours");
			return -ENOENT;
		}
		skb = reply_new(info, accel_nl_context_size(ctx->adev), &hdr);
		ret = skb ? accel_nl_put_context(skb, ctx, &reader) : 0;
		accel_context_put(ctx);
		if (!skb)
			return -ENOMEM;
	}
	return reply_send(info, skb, hdr, ret);
}

/* -------------------------------------------------------------------- dumps */

static struct accel_nl_dump *dump_of(struct netlink_callback *cb)
{
	return *(struct accel_nl_dump **)cb->ctx;
}

static int dump_start(struct netlink_callback *cb, const struct device_attrs *attrs)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct accel_device *adev;
	struct accel_nl_dump *dump;
	unsigned long i;
	size_t size = 0;

	BUILD_BUG_ON(sizeof(struct accel_nl_dump *) > sizeof(cb->ctx));

	dump = kzalloc(sizeof(*dump), GFP_KERNEL_ACCOUNT);
	if (!dump)
		return -ENOMEM;

	scoped_guard(mutex, &accel_devices_lock) {
		adev = attrs ? device_find(info, attrs) : NULL;
		if (IS_ERR(adev)) {
			kfree(dump);
			return PTR_ERR(adev);
		}
		if (adev)
			dump->only = adev->id;
		/* what does not fit into an empty message would end the dump */
		xa_for_each(&accel_devices, i, adev)
			size = max3(size, accel_nl_device_size(adev),
				    accel_nl_context_size(adev));
	}
	cb->min_dump_alloc = size;
	dump->end = accel_id_next();
	dump->dev = dump->only;
	reader_init(&dump->reader, cb->skb);
	get_user_ns(dump->reader.user_ns);
	get_pid_ns(dump->reader.pid_ns);
	*(struct accel_nl_dump **)cb->ctx = dump;
	return 0;
}

int accel_nl_dump_done(struct netlink_callback *cb)
{
	struct accel_nl_dump *dump = dump_of(cb);

	put_user_ns(dump->reader.user_ns);
	put_pid_ns(dump->reader.pid_ns);
	kfree(dump);
	return 0;
}

static void *dump_begin(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);

	return genlmsg_put(skb, info->snd_portid, info->snd_seq, info->family, NLM_F_MULTI,
			   info->genlhdr->cmd);
}

/* One object is one message: all of it, or none of it and -EMSGSIZE. */
static int dump_end(struct sk_buff *skb, void *hdr, int ret)
{
	if (ret)
		genlmsg_cancel(skb, hdr);
	else
		genlmsg_end(skb, hdr);
	return ret;
}

/* Put what is left of @adev; -EMSGSIZE when the message is full. */
typedef int (*dump_device_fn)(struct sk_buff *skb, struct netlink_callback *cb,
			      struct accel_device *adev);

/*
 * Position is kept as ids, which ascend and are never reused: whatever comes
 * and goes between two messages, the rest is neither repeated nor skipped. So there
 * is nothing that NLM_F_DUMP_INTR would have to tell, and no reader has to start anew.
 */
static int dump_devices(struct sk_buff *skb, struct netlink_callback *cb, dump_device_fn put)
{
	struct accel_nl_dump *dump = dump_of(cb);
	struct accel_device *adev;
	unsigned long i;
	int ret;

	guard(mutex)(&accel_devices_lock);
	xa_for_each_start(&accel_devices, i, adev, dump->dev) {
		if (adev->id >= dump->end || (dump->only && adev->id != dump->only))
			break;
		if (adev->id != dump->dev) {
			dump->dev = adev->id;
			dump->sub = 0;
		}
		ret = put(skb, cb, adev);
		if (ret)
			return skb->len ?: ret;
		dump->dev = adev->id + 1;
		dump->sub = 0;
	}
	return skb->len;
}

static int dump_device(struct sk_buff *skb, struct netlink_callback *cb,
		       struct accel_device *adev)
{
	void *hdr = dump_begin(skb, cb);

	return hdr ? dump_end(skb, hdr, accel_nl_put_device(skb, adev)) : -EMSGSIZE;
}

static int dump_stats(struct sk_buff *skb, struct netlink_callback *cb,
		      struct accel_device *adev)
{
	void *hdr = dump_begin(skb, cb);

	return hdr ? dump_end(skb, hdr, accel_nl_put_stats(skb, adev)) : -EMSGSIZE;
}

static int dump_engines(struct sk_buff *skb, struct netlink_callback *cb,
			struct accel_device *adev)
{
	struct accel_nl_dump *dump = dump_of(cb);
	void *hdr;

	for (; dump->sub < adev->num_engines; dump->sub++) {
		hdr = dump_begin(skb, cb);
		if (!hdr || dump_end(skb, hdr, accel_nl_put_engine(skb, adev->engines[dump->sub])))
			return -EMSGSIZE;
	}
	return 0;
}

static int dump_contexts(struct sk_buff *skb, struct netlink_callback *cb,
			 struct accel_device *adev)
{
	struct accel_nl_dump *dump = dump_of(cb);
	struct accel_context *ctx;
	void *hdr;
	int ret = 0;

	while (!ret && (ctx = accel_context_next(adev, dump->sub))) {
		if (ctx->id >= dump->end) {
			accel_context_put(ctx);
			break;
		}
		if (accel_nl_may_see(&dump->reader, ctx)) {
			hdr = dump_begin(skb, cb);
			ret = hdr ? dump_end(skb, hdr,
					     accel_nl_put_context(skb, ctx, &dump->reader)) :
				    -EMSGSIZE;
		}
		if (!ret)
			dump->sub = ctx->id + 1;
		accel_context_put(ctx);
	}
	return ret;
}

int accel_nl_device_get_start(struct netlink_callback *cb)
{
	return dump_start(cb, NULL);
}

int accel_nl_engine_get_start(struct netlink_callback *cb)
{
	return dump_start(cb, &of_engine);
}

int accel_nl_context_get_start(struct netlink_callback *cb)
{
	return dump_start(cb, &of_context);
}

int accel_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_devices(skb, cb, dump_device);
}
EXPORT_SYMBOL_IF_KUNIT(accel_nl_device_get_dumpit);

int accel_nl_engine_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_devices(skb, cb, dump_engines);
}
EXPORT_SYMBOL_IF_KUNIT(accel_nl_engine_get_dumpit);

int accel_nl_context_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_devices(skb, cb, dump_contexts);
}
EXPORT_SYMBOL_IF_KUNIT(accel_nl_context_get_dumpit);

int accel_nl_stats_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump_devices(skb, cb, dump_stats);
}
EXPORT_SYMBOL_IF_KUNIT(accel_nl_stats_get_dumpit);
