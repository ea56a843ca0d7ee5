// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink: what each request takes (docs/netlink/accelerator.yaml, once more), whom
 * a context is shown to, that messages have room for the largest values, and where a
 * dump goes on after its message was full.
 */
#include <linux/cred.h>
#include <linux/net.h>
#include <linux/pid_namespace.h>
#include <linux/user_namespace.h>
#include <linux/vmalloc.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "fake.h"
#include "../core/netlink.h"
#include "../core/policy.h"

/* ---------------------------------------------------------------- policies */

enum form { ID, INDEX, NAME };

/* What the specification says: all else is refused. */
static const struct accepted {
	u8 cmd;
	u8 mode;
	u16 attr;
	enum form form;
} accepted[] = {
	{ ACCEL_NL_CMD_DEVICE_GET, GENL_CMD_CAP_DO, ACCEL_NL_A_DEV_ID, ID },
	{ ACCEL_NL_CMD_DEVICE_GET, GENL_CMD_CAP_DO, ACCEL_NL_A_DEV_INDEX, INDEX },
	{ ACCEL_NL_CMD_DEVICE_GET, GENL_CMD_CAP_DO, ACCEL_NL_A_DEV_NAME, NAME },
	{ ACCEL_NL_CMD_ENGINE_GET, GENL_CMD_CAP_DUMP, ACCEL_NL_A_ENGINE_DEV_ID, ID },
	{ ACCEL_NL_CMD_ENGINE_GET, GENL_CMD_CAP_DUMP, ACCEL_NL_A_ENGINE_DEV_NAME, NAME },
	{ ACCEL_NL_CMD_CONTEXT_GET, GENL_CMD_CAP_DO, ACCEL_NL_A_CTX_DEV_ID, ID },
	{ ACCEL_NL_CMD_CONTEXT_GET, GENL_CMD_CAP_DO, ACCEL_NL_A_CTX_DEV_NAME, NAME },
	{ ACCEL_NL_CMD_CONTEXT_GET, GENL_CMD_CAP_DO, ACCEL_NL_A_CTX_ID, ID },
	{ ACCEL_NL_CMD_CONTEXT_GET, GENL_CMD_CAP_DUMP, ACCEL_NL_A_CTX_DEV_ID, ID },
	{ ACCEL_NL_CMD_CONTEXT_GET, GENL_CMD_CAP_DUMP, ACCEL_NL_A_CTX_DEV_NAME, NAME },
	{ ACCEL_NL_CMD_STATS_GET, GENL_CMD_CAP_DO, ACCEL_NL_A_STATS_DEV_ID, ID },
	{ ACCEL_NL_CMD_STATS_GET, GENL_CMD_CAP_DO, ACCEL_NL_A_STATS_DEV_NAME, NAME },
};

/* The family's operations, each once in each mode. */
static const struct {
	u8 cmd;
	u8 mode;
} modes[] = {
	{ ACCEL_NL_CMD_DEVICE_GET, GENL_CMD_CAP_DO },
	{ ACCEL_NL_CMD_DEVICE_GET, GENL_CMD_CAP_DUMP },
	{ ACCEL_NL_CMD_ENGINE_GET, GENL_CMD_CAP_DUMP },
	{ ACCEL_NL_CMD_CONTEXT_GET, GENL_CMD_CAP_DO },
	{ ACCEL_NL_CMD_CONTEXT_GET, GENL_CMD_CAP_DUMP },
	{ ACCEL_NL_CMD_STATS_GET, GENL_CMD_CAP_DO },
	{ ACCEL_NL_CMD_STATS_GET, GENL_CMD_CAP_DUMP },
	{ ACCEL_NL_CMD_POLICY_GET, GENL_CMD_CAP_DUMP },
};

/* An attribute of the largest form that is tried here. */
struct one_attr {
	struct nlattr head;
	u8 value[28];
};

static const struct genl_split_ops *find_op(u8 cmd, u8 mode)
{
	unsigned int i;

	for (i = 0; i < accel_nl_family.n_split_ops; i++)
		if (accel_nl_family.split_ops[i].cmd == cmd &&
		    accel_nl_family.split_ops[i].flags & mode)
			return &accel_nl_family.split_ops[i];
	return NULL;
}

/* What generic netlink does with a request that has this one attribute. */
static int parse(const struct genl_split_ops *op, u16 type, const void *value, size_t size,
		 struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[ACCEL_NL_A_CTX_MAX + 1];
	struct one_attr attr = { .head = { .nla_type = type, .nla_len = NLA_HDRLEN + size } };

	memcpy(attr.value, value, size);
	*extack = (struct netlink_ext_ack){ };
	return __nla_parse(attrs, op->maxattr, &attr.head, NLA_ALIGN(attr.head.nla_len),
			   op->policy, NL_VALIDATE_STRICT, extack);
}

static void expect_taken(struct kunit *test, const struct genl_split_ops *op, u16 type,
			 const void *value, size_t size)
{
	struct netlink_ext_ack extack;

	KUNIT_EXPECT_EQ_MSG(test, parse(op, type, value, size, &extack), 0,
			    "operation %u attribute %u, %zu bytes: %s", op->cmd, type, size,
			    extack._msg);
}

/* Refused, and with words about it. */
static void expect_refused(struct kunit *test, const struct genl_split_ops *op, u16 type,
			   const void *value, size_t size)
{
	struct netlink_ext_ack extack;

	KUNIT_EXPECT_LT_MSG(test, parse(op, type, value, size, &extack), 0,
			    "operation %u attribute %u, %zu bytes", op->cmd, type, size);
	KUNIT_EXPECT_NOT_NULL(test, extack._msg);
	KUNIT_EXPECT_NOT_NULL(test, extack.bad_attr);
}

static void check_id(struct kunit *test, const struct genl_split_ops *op, u16 type)
{
	static const u64 ids[] = { 1, U64_MAX };
	static const u8 zeros[16];
	u32 small = 1;
	size_t size;

	expect_taken(test, op, type, &small, sizeof(small));
	expect_taken(test, op, type, &ids[0], sizeof(u64));
	expect_taken(test, op, type, &ids[1], sizeof(u64));
	/* no id is 0, and no integer has another size than four or eight */
	expect_refused(test, op, type, zeros, sizeof(u32));
	expect_refused(test, op, type, zeros, sizeof(u64));
	for (size = 0; size <= sizeof(ids); size++)
		if (size != sizeof(u32) && size != sizeof(u64))
			expect_refused(test, op, type, ids, size);
}

static void check_index(struct kunit *test, const struct genl_split_ops *op, u16 type)
{
	static const u32 indices[] = { 0, ACCEL_MAX_MINORS - 1, ACCEL_MAX_MINORS, U32_MAX };
	size_t size;

	expect_taken(test, op, type, &indices[0], sizeof(u32));
	expect_taken(test, op, type, &indices[1], sizeof(u32));
	expect_refused(test, op, type, &indices[2], sizeof(u32));
	expect_refused(test, op, type, &indices[3], sizeof(u32));
	for (size = 0; size <= 2 * sizeof(u32); size++)
		if (size != sizeof(u32))
			expect_refused(test, op, type, indices, size);
}

static void check_name(struct kunit *test, const struct genl_split_ops *op, u16 type)
{
	static const char name[] = "acc4095", longest[] = "fifteen letters";
	static const char long_name[] = "sixteen letters.";

	expect_taken(test, op, type, name, sizeof(name));
	expect_taken(test, op, type, longest, sizeof(longest));
	expect_refused(test, op, type, long_name, sizeof(long_name));
	/* without its NUL */
	expect_refused(test, op, type, name, sizeof(name) - 1);
	expect_refused(test, op, type, name, 0);
}

static const struct accepted *find_accepted(const struct genl_split_ops *op, u16 type)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(accepted); i++)
		if (accepted[i].cmd == op->cmd && accepted[i].mode & op->flags &&
		    accepted[i].attr == type)
			return &accepted[i];
	return NULL;
}

static void policies(struct kunit *test)
{
	static void (* const check[])(struct kunit *test, const struct genl_split_ops *op,
				      u16 type) = {
		[ID] = check_id, [INDEX] = check_index, [NAME] = check_name,
	};
	static const u64 number = 1;
	unsigned int i;
	u16 type;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		const struct genl_split_ops *op = find_op(modes[i].cmd, modes[i].mode);

		KUNIT_ASSERT_NOT_NULL(test, op);
		KUNIT_ASSERT_NOT_NULL(test, op->policy);
		KUNIT_ASSERT_LE(test, op->maxattr, ACCEL_NL_A_CTX_MAX);
		for (type = 0; type <= ACCEL_NL_A_CTX_MAX + 1; type++) {
			const struct accepted *a = find_accepted(op, type);

			if (a) {
				check[a->form](test, op, type);
				continue;
			}
			expect_refused(test, op, type, &number, sizeof(u32));
			expect_refused(test, op, type, &number, sizeof(u64));
			expect_refused(test, op, type, "acc0", sizeof("acc0"));
		}
	}
}

static void family(struct kunit *test)
{
	const struct genl_family *f = &accel_nl_family;
	unsigned int i;

	KUNIT_EXPECT_STREQ(test, f->name, ACCELERATOR_FAMILY_NAME);
	KUNIT_EXPECT_GE(test, f->id, GENL_MIN_ID);
	/* no other operation than those above, so that none is without its test */
	KUNIT_EXPECT_EQ(test, f->n_split_ops, ARRAY_SIZE(modes));
	KUNIT_EXPECT_EQ(test, f->n_ops + f->n_small_ops, 0);
	for (i = 0; i < f->n_split_ops; i++) {
		/* seeing is for everybody, and no validation is left out */
		KUNIT_EXPECT_EQ(test, f->split_ops[i].flags &
				~(GENL_CMD_CAP_DO | GENL_CMD_CAP_DUMP), 0);
		KUNIT_EXPECT_EQ(test, f->split_ops[i].validate, 0);
	}
	KUNIT_ASSERT_EQ(test, f->n_mcgrps, 2);
	KUNIT_EXPECT_STREQ(test, f->mcgrps[0].name, ACCELERATOR_MCGRP_DEVICES);
	KUNIT_EXPECT_EQ(test, f->mcgrps[0].flags, 0);
	KUNIT_EXPECT_STREQ(test, f->mcgrps[1].name, ACCELERATOR_MCGRP_CONTEXTS);
	KUNIT_EXPECT_EQ(test, f->mcgrps[1].flags, GENL_MCAST_CAP_SYS_ADMIN);
}

/* -------------------------------------------------------------- visibility */

static void visibility(struct kunit *test)
{
	static const struct accel_nl_cred creds[] = {
		{ .uid = KUIDT_INIT(1000) }, { .uid = KUIDT_INIT(1001) },
		{ .uid = KUIDT_INIT(0) }, { .uid = KUIDT_INIT(1001), .admin = true },
	};
	/* of a context of user 1000's: root is nobody special, CAP_SYS_ADMIN is */
	static const bool may[] = { true, false, false, true };
	struct fake_device *fake = fake_register(test);
	struct accel_context *ctx = fake_open(test, fake);
	unsigned int s, o;

	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	ctx->uid = 1000;
	for (s = 0; s < ARRAY_SIZE(creds); s++) {
		for (o = 0; o < ARRAY_SIZE(creds); o++) {
			const struct accel_nl_reader reader = {
				.sender = creds[s], .opener = creds[o],
			};

			KUNIT_EXPECT_EQ_MSG(test, accel_nl_may_see(&reader, ctx), may[s] && may[o],
					    "sender %u, opener %u", s, o);
		}
	}
	accel_context_close(ctx);
	fake_unregister(test, fake);
}

/* ------------------------------------------------------------------- sizes */

static const struct accel_nl_reader admin = {
	.sender = { .admin = true },
	.opener = { .admin = true },
	.user_ns = &init_user_ns,
	.pid_ns = &init_pid_ns,
};

/* A message with room for exactly @size bytes; freed by the test's end. */
static struct sk_buff *message(struct kunit *test, size_t size)
{
	struct sk_buff *skb = alloc_skb(size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	/* the allocator may have given more */
	skb_reserve(skb, skb_tailroom(skb) - size);
	return skb;
}

static void nothing(struct accel_job *job)
{
}

/* All that a driver chooses as long, and all that is counted as high as it goes. */
static void fill_to_the_brim(struct kunit *test, struct accel_device *adev,
			     struct accel_context **ctx)
{
	struct accel_engine_desc desc = { .depth = U32_MAX, .run = nothing };
	char name[ACCEL_NAME_LEN];
	struct accel_op_stats *stats;
	unsigned int i;

	while (adev->num_engines < ACCEL_MAX_ENGINES) {
		snprintf(name, sizeof(name), "longest-name-%02u", adev->num_engines);
		desc.name = name;
		KUNIT_ASSERT_FALSE(test, IS_ERR(accel_engine_add(adev, &desc)));
	}
	memset(adev->firmware_version, 'f', sizeof(adev->firmware_version) - 1);
	memset(adev->serial, 's', sizeof(adev->serial) - 1);
	memset(adev->uuid, 'u', sizeof(adev->uuid) - 1);
	memset(adev->drv_name, 'd', sizeof(adev->drv_name) - 1);
	memset(adev->type, 't', sizeof(adev->type) - 1);
	memset(adev->name, 'n', sizeof(adev->name) - 1);
	atomic64_set(&adev->pinned_bytes, S64_MAX);
	atomic64_set(&adev->mapped_bytes, S64_MAX);
	adev->id = U64_MAX;

	*ctx = accel_context_new(&adev->nodes[0]);
	KUNIT_ASSERT_NOT_NULL(test, *ctx);
	(*ctx)->id = U64_MAX;
	memset((*ctx)->comm, 'c', sizeof((*ctx)->comm) - 1);
	(*ctx)->cgroup_id = U64_MAX;
	atomic64_set(&(*ctx)->pinned_bytes, S64_MAX);
	atomic64_set(&(*ctx)->mapped_bytes, S64_MAX);
	for (i = 0; i < adev->num_engines; i++)
		(*ctx)->usage[i] = (struct accel_engine_usage){
			.jobs = U64_MAX, .errors = U64_MAX, .bytes = U64_MAX,
			.run_ns = U64_MAX, .wait_ns = U64_MAX,
		};
	for (i = 0; i < ACCEL_OP_NR; i++) {
		stats = per_cpu_ptr((*ctx)->stats, 0);
		stats->ended[i] = S64_MAX;
		stats->errors[i] = S64_MAX;
		stats = per_cpu_ptr(adev->stats, 0);
		stats->ended[i] = S64_MAX;
		stats->errors[i] = S64_MAX;
	}
}

static void room(struct kunit *test)
{
	static const struct accel_node_desc nodes[ACCEL_MAX_NODES] = {
		{ .suffix = "" }, { .suffix = "suffix8a" },
		{ .suffix = "suffix8b" }, { .suffix = "suffix8c" },
	};
	const size_t head = NLMSG_HDRLEN + GENL_HDRLEN;
	struct accel_driver drv = fake_driver;
	struct accel_context *ctx;
	struct accel_device *adev;
	struct sk_buff *skb;

	drv.nodes = nodes;
	drv.num_nodes = ARRAY_SIZE(nodes);
	adev = __accel_device_alloc(fake_parent(test), &drv, sizeof(struct fake_device));
	KUNIT_ASSERT_FALSE(test, IS_ERR(adev));
	fill_to_the_brim(test, adev, &ctx);

	skb = message(test, accel_nl_device_size(adev) - head);
	KUNIT_EXPECT_EQ(test, accel_nl_put_device(skb, adev), 0);
	kfree_skb(skb);
	skb = message(test, accel_nl_context_size(adev) - head);
	KUNIT_EXPECT_EQ(test, accel_nl_put_context(skb, ctx, &admin), 0);
	kfree_skb(skb);
	skb = message(test, accel_nl_stats_size(adev) - head);
	KUNIT_EXPECT_EQ(test, accel_nl_put_stats(skb, adev), 0);
	kfree_skb(skb);

	accel_context_put(ctx);
	accel_device_put(adev);
}

/* ------------------------------------------------------------------- dumps */

struct dumping {
	struct accel_nl_dump dump;
	struct nlmsghdr nlh;
	struct genlmsghdr genlh;
	struct genl_dumpit_info info;
	struct netlink_callback cb;
	unsigned int messages;
	unsigned int n;
	u64 seen[32];
};

/* A dump by CAP_SYS_ADMIN, of @fake and what is registered after it. */
static struct dumping *dump_new(struct kunit *test, struct fake_device *fake)
{
	struct dumping *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, d);
	d->dump.reader = admin;
	d->dump.dev = fake->accel.id;
	d->dump.end = accel_id_next();
	d->info.info.family = &accel_nl_family;
	d->info.info.nlhdr = &d->nlh;
	d->info.info.genlhdr = &d->genlh;
	d->cb.data = &d->info;
	*(struct accel_nl_dump **)d->cb.ctx = &d->dump;
	return d;
}

typedef int (*dumpit_fn)(struct sk_buff *skb, struct netlink_callback *cb);

/*
 * The next message, with room for @size bytes: collects attribute @attr of each object in
 * it. Returns how many there were; negative: the error that ends the dump.
 */
static int dump_more(struct kunit *test, struct dumping *d, dumpit_fn dumpit, size_t size,
		     u16 attr)
{
	struct sk_buff *skb = message(test, size);
	unsigned int before = d->n;
	struct nlmsghdr *nlh;
	struct nlattr *found;
	int ret, left;

	ret = dumpit(skb, &d->cb);
	left = skb->len;
	KUNIT_EXPECT_EQ(test, ret < 0 ? 0 : ret, left);
	for (nlh = nlmsg_hdr(skb); nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left)) {
		KUNIT_EXPECT_TRUE(test, nlh->nlmsg_flags & NLM_F_MULTI);
		found = nlmsg_find_attr(nlh, GENL_HDRLEN, attr);
		KUNIT_EXPECT_NOT_NULL(test, found);
		if (found && d->n < ARRAY_SIZE(d->seen))
			d->seen[d->n++] = nla_get_uint(found);
	}
	KUNIT_EXPECT_EQ(test, left, 0);
	d->messages++;
	kfree_skb(skb);
	return ret < 0 ? ret : d->n - before;
}

static void dump_rest(struct kunit *test, struct dumping *d, dumpit_fn dumpit, size_t size,
		      u16 attr)
{
	int ret;

	do {
		ret = dump_more(test, d, dumpit, size, attr);
		KUNIT_ASSERT_LT(test, d->messages, 100);
	} while (ret > 0);
	KUNIT_EXPECT_EQ(test, ret, 0);
}

static struct fake_device *add(struct kunit *test, struct device *parent)
{
	struct fake_device *fake = fake_alloc(test, parent);

	KUNIT_ASSERT_EQ(test, accel_device_register(&fake->accel), 0);
	return fake;
}

static void contexts_go_on(struct kunit *test)
{
	struct fake_device *fake = fake_register(test);
	size_t two = 2 * accel_nl_context_size(&fake->accel);
	struct accel_context *ctx[12], *late;
	struct dumping *d;
	u64 id[12];
	int i, n, k;

	for (i = 0; i < ARRAY_SIZE(ctx); i++) {
		ctx[i] = fake_open(test, fake);
		KUNIT_ASSERT_FALSE(test, IS_ERR(ctx[i]));
		id[i] = ctx[i]->id;
	}
	d = dump_new(test, fake);
	n = dump_more(test, d, accel_nl_context_get_dumpit, two, ACCEL_NL_A_CTX_ID);
	KUNIT_ASSERT_GE(test, n, 2);
	KUNIT_ASSERT_LE(test, n, 8);
	/* One that was shown goes, the one to be shown next, a later one; and one comes. */
	accel_context_close(ctx[0]);
	accel_context_close(ctx[n]);
	accel_context_close(ctx[n + 2]);
	late = fake_open(test, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(late));
	dump_rest(test, d, accel_nl_context_get_dumpit, two, ACCEL_NL_A_CTX_ID);

	KUNIT_EXPECT_EQ(test, d->n, ARRAY_SIZE(ctx) - 2);
	for (i = 0, k = 0; i < ARRAY_SIZE(ctx); i++) {
		if (i == n || i == n + 2)
			continue;
		KUNIT_EXPECT_EQ(test, d->seen[k], id[i]);
		k++;
		if (i)
			accel_context_close(ctx[i]);
	}
	accel_context_close(late);
	fake_unregister(test, fake);
}

static void contexts_of_others(struct kunit *test)
{
	struct fake_device *fake = fake_register(test);
	const struct accel_nl_cred user = { .uid = KUIDT_INIT(1000) };
	struct accel_context *ctx[5];
	struct dumping *d;
	int i;

	for (i = 0; i < ARRAY_SIZE(ctx); i++) {
		ctx[i] = fake_open(test, fake);
		KUNIT_ASSERT_FALSE(test, IS_ERR(ctx[i]));
		ctx[i]->uid = i & 1 ? 1000 : 1001;
	}
	d = dump_new(test, fake);
	d->dump.reader.sender = user;
	dump_rest(test, d, accel_nl_context_get_dumpit, 8192, ACCEL_NL_A_CTX_ID);
	KUNIT_EXPECT_EQ(test, d->n, 2);
	KUNIT_EXPECT_EQ(test, d->seen[0], ctx[1]->id);
	KUNIT_EXPECT_EQ(test, d->seen[1], ctx[3]->id);
	for (i = 0; i < ARRAY_SIZE(ctx); i++)
		accel_context_close(ctx[i]);
	fake_unregister(test, fake);
}

/* In the middle of a device's engines, the device goes. */
static void engines_go_on(struct kunit *test)
{
	struct device *parent = fake_parent(test);
	struct fake_device *fake[3];
	struct dumping *d, *one;
	u64 id[3];
	int i, n, each;

	for (i = 0; i < ARRAY_SIZE(fake); i++) {
		fake[i] = add(test, parent);
		id[i] = fake[i]->accel.id;
	}
	each = fake[0]->accel.num_engines;
	d = dump_new(test, fake[0]);
	one = dump_new(test, fake[0]);
	one->dump.only = id[1];
	one->dump.dev = id[1];
	dump_rest(test, one, accel_nl_engine_get_dumpit, 8192, ACCEL_NL_A_ENGINE_DEV_ID);
	KUNIT_EXPECT_EQ(test, one->n, fake[1]->accel.num_engines);
	KUNIT_EXPECT_EQ(test, one->seen[0], id[1]);

	/* one engine in a message, for as long as it takes to be within the second device */
	for (i = 0; i < each + 1; i++) {
		n = dump_more(test, d, accel_nl_engine_get_dumpit, 256, ACCEL_NL_A_ENGINE_DEV_ID);
		KUNIT_ASSERT_EQ(test, n, 1);
	}
	KUNIT_EXPECT_EQ(test, d->seen[each - 1], id[0]);
	KUNIT_EXPECT_EQ(test, d->seen[each], id[1]);
	fake_unregister(test, fake[1]);
	dump_rest(test, d, accel_nl_engine_get_dumpit, 256, ACCEL_NL_A_ENGINE_DEV_ID);
	KUNIT_EXPECT_EQ(test, d->n, 2 * each + 1);
	KUNIT_EXPECT_EQ(test, d->seen[each + 1], id[2]);
	KUNIT_EXPECT_EQ(test, d->seen[2 * each], id[2]);
	fake_unregister(test, fake[0]);
	fake_unregister(test, fake[2]);
}

static void devices_go_on(struct kunit *test, dumpit_fn dumpit, size_t size, u16 attr)
{
	struct device *parent = fake_parent(test);
	struct fake_device *fake[4];
	struct dumping *d;
	u64 id[4];
	int i;

	for (i = 0; i < 3; i++) {
		fake[i] = add(test, parent);
		id[i] = fake[i]->accel.id;
	}
	d = dump_new(test, fake[0]);
	KUNIT_ASSERT_EQ(test, dump_more(test, d, dumpit, size, attr), 1);
	fake_unregister(test, fake[1]);
	fake[3] = add(test, parent);
	dump_rest(test, d, dumpit, size, attr);
	/* the first and the third: one has gone, one came too late */
	KUNIT_EXPECT_EQ(test, d->n, 2);
	KUNIT_EXPECT_EQ(test, d->seen[0], id[0]);
	KUNIT_EXPECT_EQ(test, d->seen[1], id[2]);
	/* where not even one fits, the dump ends with an error rather than never */
	d = dump_new(test, fake[0]);
	KUNIT_EXPECT_EQ(test, dump_more(test, d, dumpit, 64, attr), -EMSGSIZE);
	fake_unregister(test, fake[0]);
	fake_unregister(test, fake[2]);
	fake_unregister(test, fake[3]);
}

static void all_devices_go_on(struct kunit *test)
{
	devices_go_on(test, accel_nl_device_get_dumpit, 400, ACCEL_NL_A_DEV_ID);
}

static void stats_go_on(struct kunit *test)
{
	devices_go_on(test, accel_nl_stats_get_dumpit, 900, ACCEL_NL_A_STATS_DEV_ID);
}

/* Who is asked first comes first. */
static void policies_go_on(struct kunit *test)
{
	struct fake_device *fake = fake_register(test);
	struct accel_policy_ops *ops = kunit_kcalloc(test, 6, sizeof(*ops), GFP_KERNEL);
	struct accel_policy *policy;
	struct dumping *d;
	u64 id[6];
	int i, n;

	KUNIT_ASSERT_NOT_NULL(test, ops);
	for (i = 0; i < 6; i++) {
		snprintf(ops[i].name, sizeof(ops[i].name), "kunit-%d", i);
		memset(ops[i].device, '*', sizeof(ops[i].device) - 1);
		ops[i].priority = -i;
		KUNIT_ASSERT_EQ(test, accel_policy_attach(&ops[i], NULL), 0);
	}
	n = 0;
	mutex_lock(&accel_policies_lock);
	list_for_each_entry(policy, &accel_policies, link)
		id[n++] = policy->id;
	mutex_unlock(&accel_policies_lock);
	KUNIT_ASSERT_EQ(test, n, 6);
	KUNIT_EXPECT_GT(test, id[0], id[5]);

	d = dump_new(test, fake);
	memset(d->cb.ctx, 0, sizeof(d->cb.ctx));
	n = dump_more(test, d, accel_nl_policy_get_dumpit, 300, ACCEL_NL_A_POLICY_ID);
	KUNIT_EXPECT_GE(test, n, 1);
	KUNIT_EXPECT_LE(test, n, 3);
	dump_rest(test, d, accel_nl_policy_get_dumpit, 300, ACCEL_NL_A_POLICY_ID);
	KUNIT_EXPECT_EQ(test, d->n, 6);
	for (i = 0; i < 6; i++) {
		KUNIT_EXPECT_EQ(test, d->seen[i], id[i]);
		accel_policy_detach(&ops[i]);
	}
	fake_unregister(test, fake);
}

/* ----------------------------------------------------------- notifications */

/* One that there is no memory for: who listens is told that it was lost. */
static void lost(struct kunit *test)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	struct fake_device *fake = fake_register(test);
	const size_t long_name = 2 * KMALLOC_MAX_SIZE;
	struct kobject *parent = &fake->accel.dev.parent->kobj;
	const char *was = parent->name;
	int group = accel_nl_family.mcgrp_offset;	/* of devices, the first */
	struct socket *sock;
	char *name;

	KUNIT_ASSERT_EQ(test, sock_create_kern(&init_net, PF_NETLINK, SOCK_RAW, NETLINK_GENERIC,
					       &sock), 0);
	/*
	 * As nobody is told what he has sent himself, and who has no address seems to have.
	 * The address has another type since 6.19: struct sockaddr_unsized.
	 */
	KUNIT_EXPECT_EQ(test, kernel_bind(sock, (void *)&addr, sizeof(addr)), 0);
	KUNIT_EXPECT_EQ(test, sock->ops->setsockopt(sock, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
						    KERNEL_SOCKPTR(&group), sizeof(group)), 0);
	accel_netlink_device_changed(&fake->accel);
	KUNIT_EXPECT_EQ(test, sock->sk->sk_err, 0);
	KUNIT_EXPECT_EQ(test, skb_queue_len(&sock->sk->sk_receive_queue), 1);

	/* a message that is longer than there is memory in one piece */
	name = vmalloc(long_name);
	if (name) {
		memset(name, 'a', long_name - 1);
		name[long_name - 1] = '\0';
		parent->name = name;
		accel_netlink_device_changed(&fake->accel);
		parent->name = was;
		vfree(name);
		KUNIT_EXPECT_EQ(test, sock->sk->sk_err, ENOBUFS);
		KUNIT_EXPECT_EQ(test, skb_queue_len(&sock->sk->sk_receive_queue), 1);
	}
	sock_release(sock);
	fake_unregister(test, fake);
}

static struct kunit_case netlink_cases[] = {
	KUNIT_CASE(family),
	KUNIT_CASE(policies),
	KUNIT_CASE(visibility),
	KUNIT_CASE(room),
	KUNIT_CASE(contexts_go_on),
	KUNIT_CASE(contexts_of_others),
	KUNIT_CASE(engines_go_on),
	KUNIT_CASE(all_devices_go_on),
	KUNIT_CASE(stats_go_on),
	KUNIT_CASE(policies_go_on),
	KUNIT_CASE(lost),
	{ }
};

static struct kunit_suite netlink_suite = {
	.name = "accel_netlink",
	.test_cases = netlink_cases,
};

kunit_test_suite(netlink_suite);
