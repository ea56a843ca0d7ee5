// SPDX-License-Identifier: GPL-2.0-only
/* Generic netlink: every operation, asked for one and for all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "genl.h"
#include "scene.h"
#include "tap.h"

#include <linux/accelerator_netlink.h>

struct request {
	uint8_t cmd;
	uint16_t flags;		/* NLM_F_DUMP or 0 */
	uint16_t attr;		/* of what is asked for; 0: nothing */
	uint64_t value;		/* 0: the context's id */
};

static struct genl g;
static struct dev_info soft;
static int fd = -1;
static uint64_t context;

static void put_value(struct nlmsghdr *nlh, void *arg)
{
	const struct request *r = arg;

	if (r->attr)
		mnl_attr_put_u64(nlh, r->attr, r->value ?: context);
}

static int take_id(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *a[ACCEL_NL_A_CTX_MAX + 1];

	(void)cmd;
	(void)arg;
	genl_attrs(nlh, NULL, a, ACCEL_NL_A_CTX_MAX);
	context = genl_uint(a[ACCEL_NL_A_CTX_ID]);
	return 0;
}

static int ignore(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	(void)cmd;
	(void)nlh;
	(void)arg;
	return 0;
}

static void prepare(const void *arg)
{
	/* only so that a reply that never comes is an error, too */
	const struct timeval limit = { .tv_sec = 60 };
	struct request all = { .cmd = ACCEL_NL_CMD_CONTEXT_GET };

	(void)arg;
	/* a context to be seen */
	fd = dev_open(soft.name);
	if (fd < 0 || genl_open(&g, ACCELERATOR_FAMILY_NAME) ||
	    setsockopt(genl_fd(&g), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
	    genl_request(&g, all.cmd, NLM_F_DUMP, put_value, take_id, &all))
		tap_bail("cannot ask: %s", g.error);
}

/* Something that the policies are yet to be told of: they are before they are shown. */
static void prepare_owed(const void *arg)
{
	static void *page;
	uint64_t mem;
	int ret;

	prepare(arg);
	if (!page)
		page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		tap_bail("no memory");
	ret = dev_pin(fd, page, 4096, ACCEL_MEM_READ, &mem) ?: dev_unpin(fd, mem);
	if (ret)
		tap_bail("pin and unpin: %s", strerror(-ret));
}

static void undo(const void *arg)
{
	(void)arg;
	genl_close(&g);
	close(fd);
	fd = -1;
}

static int run(const void *arg)
{
	struct request r = *(const struct request *)arg;

	return genl_request(&g, r.cmd, r.flags, put_value, ignore, &r);
}

static uint64_t device_id;

static int take_device_id(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *a[ACCEL_NL_A_DEV_MAX + 1];

	(void)cmd;
	(void)arg;
	genl_attrs(nlh, NULL, a, ACCEL_NL_A_DEV_MAX);
	device_id = genl_uint(a[ACCEL_NL_A_DEV_ID]);
	return 0;
}

static void accelctl(const char *command)
{
	if (system(command))
		tap_bail("%s", command);
}

/* With two of them, one of which is told in bulk. */
static void sweep_policy_get(void)
{
	static const struct request all = { ACCEL_NL_CMD_POLICY_GET, NLM_F_DUMP, 0, 0 };
	static const struct scene s = {
		.name = "policy-get, all", .arg = &all,
		.prepare = prepare_owed, .run = run, .undo = undo, .also = { ENOBUFS },
	};

	accelctl("accelctl policy load audit >&2");
	accelctl("accelctl policy load pin-limit default=1G >&2");
	scene_sweep(&s);
	accelctl("accelctl policy unload audit >&2");
	accelctl("accelctl policy unload pin-limit >&2");
}

void sweep_netlink(void)
{
	struct request none = { 0 };

	if (dev_find("soft", 0, &soft))
		tap_bail("no soft");
	if (genl_open(&g, ACCELERATOR_FAMILY_NAME) ||
	    genl_request(&g, ACCEL_NL_CMD_DEVICE_GET, NLM_F_DUMP, put_value, take_device_id, &none))
		tap_bail("no device's id: %s", g.error);
	genl_close(&g);

	/* attribute 1 of each is the device's id */
	const struct {
		const char *name;
		struct request r;
	} requests[] = {
		{ "device-get", { ACCEL_NL_CMD_DEVICE_GET, 0, ACCEL_NL_A_DEV_ID, device_id } },
		{ "device-get, all", { ACCEL_NL_CMD_DEVICE_GET, NLM_F_DUMP, 0, 0 } },
		{ "engine-get, of a device",
		  { ACCEL_NL_CMD_ENGINE_GET, NLM_F_DUMP, ACCEL_NL_A_ENGINE_DEV_ID, device_id } },
		{ "engine-get, all", { ACCEL_NL_CMD_ENGINE_GET, NLM_F_DUMP, 0, 0 } },
		{ "context-get", { ACCEL_NL_CMD_CONTEXT_GET, 0, ACCEL_NL_A_CTX_ID, 0 } },
		{ "context-get, of a device",
		  { ACCEL_NL_CMD_CONTEXT_GET, NLM_F_DUMP, ACCEL_NL_A_CTX_DEV_ID, device_id } },
		{ "context-get, all", { ACCEL_NL_CMD_CONTEXT_GET, NLM_F_DUMP, 0, 0 } },
		{ "stats-get", { ACCEL_NL_CMD_STATS_GET, 0, ACCEL_NL_A_STATS_DEV_ID, device_id } },
		{ "stats-get, all", { ACCEL_NL_CMD_STATS_GET, NLM_F_DUMP, 0, 0 } },
	};

	for (unsigned int i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		/* ENOBUFS: the socket's queue has no room, or no memory for it */
		const struct scene s = {
			.name = requests[i].name, .arg = &requests[i].r,
			.prepare = prepare, .run = run, .undo = undo, .also = { ENOBUFS },
		};

		scene_sweep(&s);
	}
	sweep_policy_get();
}
