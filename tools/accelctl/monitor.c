// SPDX-License-Identifier: GPL-2.0-only
/* accelctl monitor: what the subsystem notifies of, one line each, until interrupted. */
#include <errno.h>
#include <inttypes.h>
#include <linux/accelerator_netlink.h>
#include <linux/genetlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "accelctl.h"
#include "fmt.h"
#include "genl.h"
#include "json.h"
#include "model_netlink.h"
#include "proc.h"
#include "show.h"
#include "text.h"

struct monitor {
	struct genl genl;
	struct json json;
	bool as_json;
	bool contexts;		/* we may listen to them */
	char only[ACCEL_MODEL_NAME];
};

static const char *event_name(uint8_t cmd)
{
	switch (cmd) {
	case ACCEL_NL_CMD_DEVICE_ADD_NTF:	return "add";
	case ACCEL_NL_CMD_DEVICE_DEL_NTF:	return "remove";
	case ACCEL_NL_CMD_DEVICE_CHANGE_NTF:	return "change";
	case ACCEL_NL_CMD_CONTEXT_OPEN_NTF:	return "open";
	case ACCEL_NL_CMD_CONTEXT_CLOSE_NTF:	return "close";
	default:				return NULL;
	}
}

/* When we heard of it; notifications carry no time of their own. */
static void begin(struct monitor *m, const char *event)
{
	struct timespec now;
	char text[40];
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	if (m->as_json) {
		len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
		len += snprintf(text + len, sizeof(text) - len, ".%06ld", now.tv_nsec / 1000);
		strftime(text + len, sizeof(text) - len, "%z", &tm);
		json_object(&m->json, NULL);
		json_str(&m->json, "time", text);
		json_str(&m->json, "event", event);
	} else {
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
		printf("%s.%06ld %-6s", text, now.tv_nsec / 1000, event);
	}
}

static void end(struct monitor *m)
{
	if (m->as_json)
		json_close(&m->json);
	else
		putchar('\n');
	/* whoever reads a pipe wants it now */
	fflush(stdout);
}

static void show_device(struct monitor *m, const char *event, const struct nlmsghdr *nlh)
{
	struct accel_device_info dev = { 0 };

	accel_nl_parse_device(nlh, &dev);
	if (*m->only && strcmp(m->only, dev.name))
		return;
	begin(m, event);
	if (m->as_json)
		json_device(&m->json, "device", &dev);
	else
		printf(" %s driver=%s state=%s parent=%s", dev.name, dev.driver,
		       accel_model_state_name(dev.state), *dev.parent ? dev.parent : "-");
	end(m);
}

static void print_context(const struct accel_context_info *ctx, const char *dev)
{
	uint64_t jobs = 0, errors = 0;
	size_t i;

	for (i = 0; i < ctx->num_usage; i++) {
		jobs += ctx->usage[i].jobs;
		errors += ctx->usage[i].errors;
	}
	printf(" %s ctx=%" PRIu64 " pid=%u user=%s jobs=%" PRIu64 " errors=%" PRIu64
	       " age=%s command=%s", dev, ctx->id, ctx->pid,
	       ctx->valid & ACCEL_CTX_UID ? proc_user(ctx->uid) : "-", jobs, errors,
	       FMT(fmt_ns, ctx->age_ns), TEXT_SAFE(ctx->comm, 31));
}

static int show_context(struct monitor *m, const char *event, const struct nlmsghdr *nlh)
{
	struct accel_context_info ctx = { 0 };
	struct accel_nl_owner owner;
	int ret;

	ret = accel_nl_parse_context(nlh, &ctx, &owner);
	if (!ret && (!*m->only || !strcmp(m->only, owner.dev_name))) {
		begin(m, event);
		if (m->as_json)
			json_context(&m->json, "context", owner.dev_name, owner.dev_id, &ctx);
		else
			print_context(&ctx, owner.dev_name);
		end(m);
	}
	accel_nl_release_context(&ctx);
	return ret;
}

static int subscribe(struct monitor *m)
{
	int ret = genl_subscribe(&m->genl, ACCELERATOR_MCGRP_DEVICES);

	if (ret)
		return ret;
	ret = genl_subscribe(&m->genl, ACCELERATOR_MCGRP_CONTEXTS);
	m->contexts = !ret;
	return ret == -EPERM || ret == -EACCES ? 0 : ret;
}

/* Of the controller: a family came or went. */
static int show_family(struct monitor *m, uint8_t cmd, const struct nlmsghdr *nlh)
{
	const struct nlattr *a[CTRL_ATTR_MAX + 1];

	genl_attrs(nlh, NULL, a, CTRL_ATTR_MAX);
	if (strcmp(genl_text(a[CTRL_ATTR_FAMILY_NAME]), ACCELERATOR_FAMILY_NAME))
		return 0;
	if (cmd != CTRL_CMD_NEWFAMILY && cmd != CTRL_CMD_DELFAMILY)
		return 0;
	begin(m, cmd == CTRL_CMD_NEWFAMILY ? "load" : "unload");
	if (!m->as_json)
		printf(" accelerator");
	end(m);
	return cmd == CTRL_CMD_NEWFAMILY ? 1 : 0;
}

/* 1: the family came back and is to be subscribed to again. */
static int take(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	struct monitor *m = arg;
	const char *event;

	if (nlh->nlmsg_type == GENL_ID_CTRL)
		return show_family(m, cmd, nlh) ? -ERESTART : 0;
	event = event_name(cmd);
	if (!event)
		return 0;	/* a newer kernel's */
	if (cmd == ACCEL_NL_CMD_CONTEXT_OPEN_NTF || cmd == ACCEL_NL_CMD_CONTEXT_CLOSE_NTF)
		return show_context(m, event, nlh);
	show_device(m, event, nlh);
	return 0;
}

static int listen_on(struct monitor *m)
{
	struct pollfd fd = { .fd = genl_fd(&m->genl), .events = POLLIN };
	int ret;

	for (;;) {
		if (poll(&fd, 1, -1) < 0 && errno != EINTR)
			return -errno;
		ret = genl_receive(&m->genl, take, m);
		if (ret == -ENOBUFS) {
			begin(m, "lost");
			end(m);
		} else if (ret == -ERESTART) {
			ret = genl_resolve(&m->genl);
			if (!ret)
				ret = subscribe(m);
			if (ret && ret != -ENOENT)
				return ret;
		} else if (ret) {
			return ret;
		}
		if (ferror(stdout) || (m->as_json && json_error(&m->json)))
			return -EPIPE;
	}
}

/* The name of the device that was asked for. */
static int find_device(struct monitor *m, const char *name)
{
	const struct accel_device_info *dev;
	struct accel_snapshot *snap = NULL;
	struct accel_source *src = NULL;
	int code = EXIT_OK;
	int ret;

	ret = accel_source_open(&src);
	if (ret)
		return fail_source(NULL, ret);
	accel_source_select(src, ACCEL_READ_DEVICES);
	ret = accel_snapshot_read(src, &snap);
	dev = ret ? NULL : accel_snapshot_device(snap, name);
	if (ret)
		code = fail_source(src, ret);
	else if (!dev)
		code = fail(EXIT_NO_DEVICE, "no device \"%s\"; accelctl dev lists them", name);
	else
		snprintf(m->only, sizeof(m->only), "%s", dev->name);
	accel_snapshot_free(snap);
	accel_source_close(src);
	return code;
}

int cmd_monitor(const struct settings *set, const char *dev)
{
	struct monitor m = { .as_json = set->json };
	uint32_t controller = GENL_ID_CTRL;
	int ret;

	if (dev) {
		ret = find_device(&m, dev);
		if (ret)
			return ret;
	}
	ret = genl_open(&m.genl, ACCELERATOR_FAMILY_NAME);
	if (ret)
		return fail_source(NULL, ret == -ENOENT ? -ENODEV : ret);
	ret = subscribe(&m);
	if (ret) {
		genl_close(&m.genl);
		return fail_source(NULL, ret);
	}
	if (!m.contexts)
		fprintf(stderr, "accelctl: note: opening and closing of contexts is told to root "
			"only; showing devices\n");
	/* only to say that the module went and came */
	setsockopt(genl_fd(&m.genl), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &controller,
		   sizeof(controller));
	if (m.as_json)
		json_begin(&m.json, stdout, JSON_LINES);
	ret = listen_on(&m);
	genl_close(&m.genl);
	proc_forget();
	return fail(EXIT_FAILED, "cannot go on: %s", strerror(-ret));
}
