/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* vm: DEVICES="edu=1 soft=2" */
/*
 * Every request of the netlink family and every attribute of its replies,
 * against sysfs and against what was done; requests that are wrong, and what
 * the kernel says of them.
 */
#include <errno.h>
#include <linux/accelerator_netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "genl.h"
#include "tap.h"

/* A request's attributes, and the first reply to it. */
struct ask {
	struct {
		int type;
		const char *text;
		uint64_t number;
		int size;		/* of the number: 4, 8; other: sent as it is */
	} attrs[4];
	int replies;
	bool pointers;			/* something looked like one */
	char *first;			/* a copy of the first reply */
};

static struct genl genl;

static void fill(struct nlmsghdr *nlh, void *arg)
{
	struct ask *ask = arg;
	int i;

	for (i = 0; i < 4 && ask->attrs[i].type; i++) {
		if (ask->attrs[i].text)
			mnl_attr_put_strz(nlh, ask->attrs[i].type, ask->attrs[i].text);
		else
			mnl_attr_put(nlh, ask->attrs[i].type, ask->attrs[i].size,
				     &ask->attrs[i].number);
	}
}

/* No attribute of 8 bytes may look like an address in the kernel. */
static bool pointers_in(const void *data, int len)
{
	const struct nlattr *attr;

	for (attr = data; mnl_attr_ok(attr, len); attr = mnl_attr_next(attr)) {
		if (attr->nla_type & NLA_F_NESTED) {
			if (pointers_in(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr)))
				return true;
		} else if (mnl_attr_get_payload_len(attr) == 8 &&
			   genl_uint(attr) >> 47 == 0x1ffff) {
			return true;
		}
		len -= MNL_ALIGN(attr->nla_len);
	}
	return false;
}

static int take(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	struct ask *ask = arg;

	(void)cmd;
	if (!ask->replies++) {
		ask->first = malloc(nlh->nlmsg_len);
		memcpy(ask->first, nlh, nlh->nlmsg_len);
	}
	ask->pointers |= pointers_in(mnl_nlmsg_get_payload_offset(nlh, 4),
				     mnl_nlmsg_get_payload_len(nlh) - 4);
	return 0;
}

static int ask(uint8_t cmd, uint16_t flags, struct ask *a)
{
	return genl_request(&genl, cmd, flags, fill, take, a);
}

static const struct nlattr *attr_of(const struct ask *a, int type)
{
	const struct nlattr *table[64];

	genl_attrs((const struct nlmsghdr *)a->first, NULL, table, 63);
	return table[type];
}

static uint64_t number_of(const struct ask *a, int type)
{
	return genl_uint(attr_of(a, type));
}

static const char *text_of(const struct ask *a, int type)
{
	return genl_text(attr_of(a, type));
}

/* ----------------------------------------------------------------- devices */

static void read_attr(const char *dev, const char *name, char *text, size_t size)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/accelerator/%s/%s", dev, name);
	f = fopen(path, "r");
	*text = '\0';
	if (f && fgets(text, size, f))
		text[strcspn(text, "\n")] = '\0';
	if (f)
		fclose(f);
}

static void text_as_in_sysfs(const struct ask *a, const char *dev, int type, const char *name)
{
	char text[128];

	read_attr(dev, name, text, sizeof(text));
	if (!tap_ok(!strcmp(text_of(a, type), text), "%s: %s is as in sysfs", dev, name))
		tap_diag("netlink \"%s\", sysfs \"%s\"", text_of(a, type), text);
}

static void test_device(const struct dev_info *dev)
{
	struct ask by_name = { .attrs = { { ACCEL_NL_A_DEV_NAME, dev->name, 0, 0 } } };
	struct ask by_id = { 0 }, by_index = { 0 };
	const struct nlattr *node[ACCEL_NL_A_NODE_MAX + 1];
	char text[128], want[32];

	tap_is(ask(ACCEL_NL_CMD_DEVICE_GET, 0, &by_name), 0, "%s: device-get by name", dev->name);
	tap_is(by_name.replies, 1, "%s: one reply", dev->name);
	if (!by_name.replies)
		return;
	tap_is(number_of(&by_name, ACCEL_NL_A_DEV_ID), dev_attr(dev->name, "id"),
	       "%s: id is as in sysfs", dev->name);
	tap_is(number_of(&by_name, ACCEL_NL_A_DEV_INDEX), dev->index, "%s: index", dev->name);
	text_as_in_sysfs(&by_name, dev->name, ACCEL_NL_A_DEV_DRIVER, "driver");
	text_as_in_sysfs(&by_name, dev->name, ACCEL_NL_A_DEV_TYPE, "type");
	text_as_in_sysfs(&by_name, dev->name, ACCEL_NL_A_DEV_FIRMWARE, "firmware_version");
	text_as_in_sysfs(&by_name, dev->name, ACCEL_NL_A_DEV_SERIAL, "serial");
	text_as_in_sysfs(&by_name, dev->name, ACCEL_NL_A_DEV_UUID, "uuid");
	tap_is(number_of(&by_name, ACCEL_NL_A_DEV_STATE), ACCELERATOR_STATE_OK, "%s: state",
	       dev->name);
	tap_is((int)number_of(&by_name, ACCEL_NL_A_DEV_NUMA_NODE),
	       dev_attr(dev->name, "numa_node"), "%s: numa_node is as in sysfs", dev->name);
	tap_is(number_of(&by_name, ACCEL_NL_A_DEV_FLAGS), dev_attr(dev->name, "exclusive"),
	       "%s: flags", dev->name);
	tap_is(number_of(&by_name, ACCEL_NL_A_DEV_CONTEXTS), 0, "%s: contexts", dev->name);
	tap_ok(attr_of(&by_name, ACCEL_NL_A_DEV_PINNED_BYTES) &&
	       attr_of(&by_name, ACCEL_NL_A_DEV_MAPPED_BYTES), "%s: bytes are told", dev->name);
	tap_ok(strstr(text_of(&by_name, ACCEL_NL_A_DEV_PARENT),
		      dev_is(dev, "edu") ? "pci/0000:" : "platform/accel_soft."),
	       "%s: parent is %s", dev->name, text_of(&by_name, ACCEL_NL_A_DEV_PARENT));
	if (tap_ok(attr_of(&by_name, ACCEL_NL_A_DEV_NODE), "%s: has a node", dev->name)) {
		/* the last of several: "acc1c" */
		genl_attrs(NULL, attr_of(&by_name, ACCEL_NL_A_DEV_NODE), node, ACCEL_NL_A_NODE_MAX);
		read_attr(genl_text(node[ACCEL_NL_A_NODE_NAME]), "dev", text, sizeof(text));
		snprintf(want, sizeof(want), "%u:%u", (unsigned int)genl_uint(node[ACCEL_NL_A_NODE_MAJOR]),
			 (unsigned int)genl_uint(node[ACCEL_NL_A_NODE_MINOR]));
		tap_ok(!strcmp(text, want), "%s: node %s is %s", dev->name,
		       genl_text(node[ACCEL_NL_A_NODE_NAME]), want);
	}
	tap_ok(!by_name.pointers, "%s: no pointers", dev->name);

	by_id.attrs[0].type = ACCEL_NL_A_DEV_ID;
	by_id.attrs[0].number = number_of(&by_name, ACCEL_NL_A_DEV_ID);
	by_id.attrs[0].size = 8;
	tap_ok(!ask(ACCEL_NL_CMD_DEVICE_GET, 0, &by_id) &&
	       !strcmp(text_of(&by_id, ACCEL_NL_A_DEV_NAME), dev->name), "%s: by id, in 8 bytes",
	       dev->name);
	by_id.attrs[0].size = 4;
	tap_is(ask(ACCEL_NL_CMD_DEVICE_GET, 0, &by_id), 0, "%s: by id, in 4 bytes", dev->name);
	by_index.attrs[0].type = ACCEL_NL_A_DEV_INDEX;
	by_index.attrs[0].number = dev->index;
	by_index.attrs[0].size = 4;
	tap_ok(!ask(ACCEL_NL_CMD_DEVICE_GET, 0, &by_index) &&
	       !strcmp(text_of(&by_index, ACCEL_NL_A_DEV_NAME), dev->name), "%s: by index",
	       dev->name);
	free(by_name.first);
	free(by_id.first);
	free(by_index.first);
}

static void test_dumps(int devices)
{
	struct ask d = { 0 }, e = { 0 }, s = { 0 }, c = { 0 };
	struct ask e1 = { .attrs = { { ACCEL_NL_A_ENGINE_DEV_NAME, "acc1", 0, 0 } } };
	struct ask s1 = { .attrs = { { ACCEL_NL_A_STATS_DEV_NAME, "acc0", 0, 0 } } };

	tap_is(ask(ACCEL_NL_CMD_DEVICE_GET, NLM_F_DUMP, &d), 0, "dump of devices");
	tap_is(d.replies, devices, "it has them all");
	tap_is(ask(ACCEL_NL_CMD_ENGINE_GET, NLM_F_DUMP, &e), 0, "dump of engines");
	tap_is(e.replies, 1 + 2 + 2, "it has them all");
	tap_is(ask(ACCEL_NL_CMD_ENGINE_GET, NLM_F_DUMP, &e1), 0, "dump of one device's engines");
	tap_is(e1.replies, 2, "it has those only");
	tap_ok(!strcmp(text_of(&e1, ACCEL_NL_A_ENGINE_DEV_NAME), "acc1"), "of that device");
	tap_is(number_of(&e1, ACCEL_NL_A_ENGINE_DEV_ID), dev_attr("acc1", "id"), "with its id");
	tap_ok(!strcmp(text_of(&e1, ACCEL_NL_A_ENGINE_NAME), "eng0") &&
	       !number_of(&e1, ACCEL_NL_A_ENGINE_INDEX), "the first of them is eng0");
	tap_is(ask(ACCEL_NL_CMD_STATS_GET, NLM_F_DUMP, &s), 0, "dump of statistics");
	tap_is(s.replies, devices, "it has all devices");
	tap_is(ask(ACCEL_NL_CMD_STATS_GET, 0, &s1), 0, "statistics of one device");
	tap_is(number_of(&s1, ACCEL_NL_A_STATS_DEV_ID), dev_attr("acc0", "id"), "of that one");
	tap_is(ask(ACCEL_NL_CMD_CONTEXT_GET, NLM_F_DUMP, &c), 0, "dump of contexts");
	tap_is(c.replies, 0, "there are none");
	tap_ok(!d.pointers && !e.pointers && !s.pointers, "no pointers in dumps");
	free(d.first);
	free(e.first);
	free(e1.first);
	free(s.first);
	free(s1.first);
}

/* ---------------------------------------------------------------- contexts */

static const struct nlattr *find_op(const struct ask *a, int type, const char *name,
				    const struct nlattr **op)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, (const struct nlmsghdr *)a->first, 4) {
		if (mnl_attr_get_type(attr) != type)
			continue;
		genl_attrs(NULL, attr, op, ACCEL_NL_A_OP_MAX);
		if (!strcmp(genl_text(op[ACCEL_NL_A_OP_NAME]), name))
			return attr;
	}
	return NULL;
}

static void test_usage(const struct ask *a, uint64_t jobs, uint64_t bytes)
{
	const struct nlattr *u[ACCEL_NL_A_USAGE_MAX + 1];
	const struct nlattr *attr;

	mnl_attr_for_each(attr, (const struct nlmsghdr *)a->first, 4) {
		if (mnl_attr_get_type(attr) != ACCEL_NL_A_CTX_ENGINE)
			continue;
		genl_attrs(NULL, attr, u, ACCEL_NL_A_USAGE_MAX);
		if (genl_uint(u[ACCEL_NL_A_USAGE_ENGINE]) != 1)
			continue;
		tap_ok(!strcmp(genl_text(u[ACCEL_NL_A_USAGE_NAME]), "eng1"), "engine 1 is eng1");
		tap_is(genl_uint(u[ACCEL_NL_A_USAGE_JOBS]), jobs, "its jobs");
		tap_is(genl_uint(u[ACCEL_NL_A_USAGE_ERRORS]), 0, "none failed");
		tap_is(genl_uint(u[ACCEL_NL_A_USAGE_BYTES]), bytes, "its bytes");
		tap_ok(genl_uint(u[ACCEL_NL_A_USAGE_BUSY_NS]) > 0, "it ran");
		tap_ok(u[ACCEL_NL_A_USAGE_WAIT_NS], "waits are told");
		return;
	}
	tap_ok(0, "use of engine 1 is told");
}

#define JOBS	5
#define LENGTH	(64 * 1024)

/* How often acc1 has been opened, of which other tests may have done some. */
static uint64_t opens(void)
{
	struct ask stats = { .attrs = { { ACCEL_NL_A_STATS_DEV_NAME, "acc1", 0, 0 } } };
	const struct nlattr *op[ACCEL_NL_A_OP_MAX + 1];
	uint64_t n = 0;

	tap_is(ask(ACCEL_NL_CMD_STATS_GET, 0, &stats), 0, "statistics of the device");
	if (tap_ok(find_op(&stats, ACCEL_NL_A_STATS_OP, "open", op), "its opens are told"))
		n = genl_uint(op[ACCEL_NL_A_OP_CALLS]);
	return n;
}

static void test_context(void)
{
	struct ask all = { .attrs = { { ACCEL_NL_A_CTX_DEV_NAME, "acc1", 0, 0 } } };
	struct ask other = { .attrs = { { ACCEL_NL_A_CTX_DEV_NAME, "acc2", 0, 0 } } };
	struct ask one = { 0 }, engines = { 0 };
	const struct nlattr *op[ACCEL_NL_A_OP_MAX + 1];
	struct accel_soft_submit submit = { .op = ACCEL_SOFT_OP_FILL, .engine = 1, .length = LENGTH };
	uint64_t mem, result, before = opens();
	char *buf;
	int fd, i;

	fd = dev_open("acc1");
	buf = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!tap_is(dev_pin(fd, buf, LENGTH, ACCEL_MEM_WRITE, &mem), 0, "pin a region"))
		return;
	submit.dst_mem = mem;
	for (i = 0; i < JOBS; i++)
		if (dev_soft(fd, &submit, &result))
			break;
	tap_is(i, JOBS, "jobs ran");

	tap_is(ask(ACCEL_NL_CMD_CONTEXT_GET, NLM_F_DUMP, &all), 0, "dump of a device's contexts");
	if (!tap_is(all.replies, 1, "there is one"))
		return;
	tap_is(ask(ACCEL_NL_CMD_CONTEXT_GET, NLM_F_DUMP, &other), 0, "and of the other device's");
	tap_is(other.replies, 0, "there is none");
	one.attrs[0].type = ACCEL_NL_A_CTX_ID;
	one.attrs[0].number = number_of(&all, ACCEL_NL_A_CTX_ID);
	one.attrs[0].size = 8;
	tap_is(ask(ACCEL_NL_CMD_CONTEXT_GET, 0, &one), 0, "context-get by id");
	tap_is(number_of(&one, ACCEL_NL_A_CTX_ID), number_of(&all, ACCEL_NL_A_CTX_ID), "same id");
	tap_is(number_of(&one, ACCEL_NL_A_CTX_DEV_ID), dev_attr("acc1", "id"), "its device's id");
	tap_ok(!strcmp(text_of(&one, ACCEL_NL_A_CTX_DEV_NAME), "acc1"), "its device's name");
	tap_is(number_of(&one, ACCEL_NL_A_CTX_NODE), 0, "node");
	tap_is(number_of(&one, ACCEL_NL_A_CTX_PID), getpid(), "pid");
	tap_is(number_of(&one, ACCEL_NL_A_CTX_UID), getuid(), "uid");
	tap_ok(!strncmp(text_of(&one, ACCEL_NL_A_CTX_COMM), "netlink_request", 15), "comm");
	tap_ok(attr_of(&one, ACCEL_NL_A_CTX_CGROUP_ID), "cgroup");
	tap_ok(number_of(&one, ACCEL_NL_A_CTX_AGE_NS) > 0, "age");
	tap_is(number_of(&one, ACCEL_NL_A_CTX_PINNED_BYTES), LENGTH, "pinned bytes");
	tap_is(number_of(&one, ACCEL_NL_A_CTX_MEMS), 1, "regions");
	tap_is(number_of(&one, ACCEL_NL_A_CTX_JOBS), 0, "all jobs were waited for");
	tap_ok(number_of(&one, ACCEL_NL_A_CTX_TIME_NS) > 0, "time");
	tap_ok(attr_of(&one, ACCEL_NL_A_CTX_MAPPED_BYTES), "mapped bytes");
	test_usage(&one, JOBS, (uint64_t)JOBS * LENGTH);
	if (tap_ok(find_op(&one, ACCEL_NL_A_CTX_OP, "ioctl", op), "its ioctls are told")) {
		tap_is(genl_uint(op[ACCEL_NL_A_OP_CALLS]), 1 + 2 * JOBS, "their number");
		tap_is(genl_uint(op[ACCEL_NL_A_OP_ERRORS]), 0, "their errors");
		tap_is(genl_uint(op[ACCEL_NL_A_OP_INFLIGHT]), 0, "none in flight");
	}
	tap_ok(!one.pointers && !all.pointers, "no pointers");

	engines.attrs[0].type = ACCEL_NL_A_ENGINE_DEV_ID;
	engines.attrs[0].number = dev_attr("acc1", "id");
	engines.attrs[0].size = 4;
	tap_is(ask(ACCEL_NL_CMD_ENGINE_GET, NLM_F_DUMP, &engines), 0, "engines by the device's id");
	tap_ok(attr_of(&engines, ACCEL_NL_A_ENGINE_DEPTH) &&
	       attr_of(&engines, ACCEL_NL_A_ENGINE_QUEUED) &&
	       attr_of(&engines, ACCEL_NL_A_ENGINE_RUNNING) &&
	       attr_of(&engines, ACCEL_NL_A_ENGINE_JOBS) &&
	       attr_of(&engines, ACCEL_NL_A_ENGINE_ERRORS) &&
	       attr_of(&engines, ACCEL_NL_A_ENGINE_BYTES) &&
	       attr_of(&engines, ACCEL_NL_A_ENGINE_BUSY_NS) &&
	       attr_of(&engines, ACCEL_NL_A_ENGINE_WAIT_NS) &&
	       attr_of(&engines, ACCEL_NL_A_ENGINE_TIME_NS), "every attribute of an engine");
	tap_is(opens() - before, 1, "one open more");
	close(fd);
	tap_is(ask(ACCEL_NL_CMD_CONTEXT_GET, 0, &one), -ENOENT, "closed: it is gone");
	munmap(buf, LENGTH);
	free(all.first);
	free(one.first);
	free(engines.first);
}

/* -------------------------------------------------------------- bad requests */

static const struct bad {
	const char *what;
	uint8_t cmd;
	uint16_t flags;
	struct ask ask;
	int error;
	const char *words;		/* part of what the kernel says, NULL: nothing */
	int missing;			/* type of the attribute that is missing */
	bool offset;			/* the offending attribute is pointed at */
} bad[] = {
	{ "device-get without a name", ACCEL_NL_CMD_DEVICE_GET, 0, { .replies = 0 },
	  -EINVAL, "no device named", ACCEL_NL_A_DEV_ID, false },
	{ "device-get of an unknown name", ACCEL_NL_CMD_DEVICE_GET, 0,
	  { .attrs = { { ACCEL_NL_A_DEV_NAME, "acc77", 0, 0 } } },
	  -ENODEV, "no such device", 0, true },
	{ "device-get of an unknown id", ACCEL_NL_CMD_DEVICE_GET, 0,
	  { .attrs = { { ACCEL_NL_A_DEV_ID, NULL, 1ull << 62, 8 } } },
	  -ENODEV, "no such device", 0, true },
	{ "device-get of id 0", ACCEL_NL_CMD_DEVICE_GET, 0,
	  { .attrs = { { ACCEL_NL_A_DEV_ID, NULL, 0, 4 } } },
	  -ERANGE, "integer out of range", 0, true },
	{ "device-get with an id of 3 bytes", ACCEL_NL_CMD_DEVICE_GET, 0,
	  { .attrs = { { ACCEL_NL_A_DEV_ID, NULL, 1, 3 } } },
	  -EINVAL, "invalid attribute length", 0, true },
	{ "device-get of a huge index", ACCEL_NL_CMD_DEVICE_GET, 0,
	  { .attrs = { { ACCEL_NL_A_DEV_INDEX, NULL, 4096, 4 } } },
	  -ERANGE, "integer out of range", 0, true },
	{ "device-get of a long name", ACCEL_NL_CMD_DEVICE_GET, 0,
	  { .attrs = { { ACCEL_NL_A_DEV_NAME, "acc0123456789012", 0, 0 } } },
	  -EINVAL, "Attribute failed policy validation", 0, true },
	{ "device-get of two ways", ACCEL_NL_CMD_DEVICE_GET, 0,
	  { .attrs = { { ACCEL_NL_A_DEV_NAME, "acc0", 0, 0 },
		       { ACCEL_NL_A_DEV_INDEX, NULL, 0, 4 } } },
	  -EINVAL, "named twice", 0, true },
	{ "device-get with an attribute of replies", ACCEL_NL_CMD_DEVICE_GET, 0,
	  { .attrs = { { ACCEL_NL_A_DEV_STATE, NULL, 0, 4 } } },
	  -EINVAL, "Unknown attribute type", 0, true },
	{ "device-get dump with an attribute", ACCEL_NL_CMD_DEVICE_GET, NLM_F_DUMP,
	  { .attrs = { { ACCEL_NL_A_DEV_NAME, "acc0", 0, 0 } } },
	  -EINVAL, "Unknown attribute type", 0, true },
	{ "engine-get that is no dump", ACCEL_NL_CMD_ENGINE_GET, 0, { .replies = 0 },
	  -EOPNOTSUPP, NULL, 0, false },
	{ "engine-get dump of an unknown device", ACCEL_NL_CMD_ENGINE_GET, NLM_F_DUMP,
	  { .attrs = { { ACCEL_NL_A_ENGINE_DEV_NAME, "acc77", 0, 0 } } },
	  -ENODEV, "no such device", 0, true },
	{ "context-get without an id", ACCEL_NL_CMD_CONTEXT_GET, 0, { .replies = 0 },
	  -EINVAL, "no context named", ACCEL_NL_A_CTX_ID, false },
	{ "context-get of an unknown id", ACCEL_NL_CMD_CONTEXT_GET, 0,
	  { .attrs = { { ACCEL_NL_A_CTX_ID, NULL, 1ull << 62, 8 } } },
	  -ENOENT, "no such context", 0, true },
	{ "context-get dump of one context", ACCEL_NL_CMD_CONTEXT_GET, NLM_F_DUMP,
	  { .attrs = { { ACCEL_NL_A_CTX_ID, NULL, 1, 4 } } },
	  -EINVAL, "Unknown attribute type", 0, true },
	{ "context-get dump of an unknown device", ACCEL_NL_CMD_CONTEXT_GET, NLM_F_DUMP,
	  { .attrs = { { ACCEL_NL_A_CTX_DEV_ID, NULL, 1ull << 62, 8 } } },
	  -ENODEV, "no such device", 0, true },
	{ "stats-get without a name", ACCEL_NL_CMD_STATS_GET, 0, { .replies = 0 },
	  -EINVAL, "no device named", ACCEL_NL_A_STATS_DEV_ID, false },
	{ "a notification as a request", ACCEL_NL_CMD_DEVICE_ADD_NTF, 0, { .replies = 0 },
	  -EOPNOTSUPP, NULL, 0, false },
	{ "an unknown command", 77, 0, { .replies = 0 }, -EOPNOTSUPP, NULL, 0, false },
};

static void test_bad(const struct bad *b)
{
	struct ask a = b->ask;

	tap_is(ask(b->cmd, b->flags, &a), b->error, "%s: refused", b->what);
	tap_is(a.replies, 0, "%s: no reply", b->what);
	if (b->words && !tap_ok(strstr(genl.error, b->words), "%s: says why", b->what))
		tap_diag("it says \"%s\"", genl.error);
	if (b->missing)
		tap_is(genl.error_missing, b->missing, "%s: tells what is missing", b->what);
	if (b->offset)
		tap_ok(genl.error_offset, "%s: points at the attribute", b->what);
	free(a.first);
}

int main(void)
{
	struct dev_info devs[8];
	int num, i, ret;
	size_t b;

	num = dev_list(devs, 8);
	ret = genl_open(&genl, ACCELERATOR_FAMILY_NAME);
	if (!tap_is(ret, 0, "family %s is there", ACCELERATOR_FAMILY_NAME))
		return tap_done();
	tap_is(genl.version, ACCELERATOR_FAMILY_VERSION, "its version");
	tap_is(genl.num_groups, 2, "its groups");
	tap_is(num, 3, "three devices");
	for (i = 0; i < num && i < 8; i++)
		test_device(&devs[i]);
	test_dumps(num);
	test_context();
	for (b = 0; b < sizeof(bad) / sizeof(bad[0]); b++)
		test_bad(&bad[b]);
	genl_close(&genl);
	return tap_done();
}
