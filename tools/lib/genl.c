// SPDX-License-Identifier: GPL-2.0-only
/* Generic netlink over libmnl. */
#include "genl.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* The kernel fills at most 32 KiB of a dump at a time. */
#define BUFFER_SIZE	(64 * 1024)

#ifndef SOL_NETLINK
#define SOL_NETLINK	270
#endif

uint64_t genl_uint(const struct nlattr *attr)
{
	if (!attr)
		return 0;
	switch (mnl_attr_get_payload_len(attr)) {
	case 4:
		return mnl_attr_get_u32(attr);
	case 8:
		return mnl_attr_get_u64(attr);
	default:
		return 0;
	}
}

int32_t genl_s32(const struct nlattr *attr)
{
	return (int32_t)genl_uint(attr);
}

const char *genl_text(const struct nlattr *attr)
{
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return "";
	return mnl_attr_get_str(attr);
}

void genl_attrs(const struct nlmsghdr *nlh, const struct nlattr *nest,
		const struct nlattr **table, uint16_t max)
{
	const struct nlattr *attr;

	memset(table, 0, (max + 1) * sizeof(*table));
	if (nest) {
		mnl_attr_for_each_nested(attr, nest)
			if (mnl_attr_get_type(attr) <= max)
				table[mnl_attr_get_type(attr)] = attr;
		return;
	}
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) <= max)
			table[mnl_attr_get_type(attr)] = attr;
}

/* The kernel's words, which follow the errno and the request it is about. */
static void keep_words(struct genl *g, const struct nlmsghdr *nlh, size_t skip)
{
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	mnl_attr_for_each(attr, nlh, skip) {
		switch (mnl_attr_get_type(attr)) {
		case NLMSGERR_ATTR_MSG:
			snprintf(g->error, sizeof(g->error), "%s", genl_text(attr));
			break;
		case NLMSGERR_ATTR_OFFS:
			g->error_offset = genl_uint(attr);
			break;
		case NLMSGERR_ATTR_MISS_TYPE:
			g->error_missing = genl_uint(attr);
			break;
		}
	}
}

static int error_of(struct genl *g, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*err);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return -EBADMSG;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += err->msg.nlmsg_len - sizeof(err->msg);
	if (err->error)
		keep_words(g, nlh, skip);
	return err->error;
}

static int done_of(struct genl *g, const struct nlmsghdr *nlh)
{
	int err = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(err))
		memcpy(&err, mnl_nlmsg_get_payload(nlh), sizeof(err));
	if (err < 0)
		keep_words(g, nlh, sizeof(err));
	return err < 0 ? err : 0;
}

/* 1: go on, 0: the exchange has ended well. */
static int take(struct genl *g, const char *buf, int len, uint32_t seq, genl_reply_fn reply,
		void *arg)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
	const struct genlmsghdr *genl;
	int ret;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (seq && nlh->nlmsg_seq != seq)
			continue;	/* of an exchange that was broken off */
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			g->interrupted = true;
		switch (nlh->nlmsg_type) {
		case NLMSG_ERROR:
			return error_of(g, nlh);
		case NLMSG_DONE:
			ret = done_of(g, nlh);
			return ret ? ret : g->interrupted ? -EINTR : 0;
		case NLMSG_NOOP:
		case NLMSG_OVERRUN:
			continue;
		}
		if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*genl))
			continue;
		genl = mnl_nlmsg_get_payload(nlh);
		ret = reply(genl->cmd, nlh, arg);
		if (ret)
			return ret;
	}
	return 1;
}

static int exchange(struct genl *g, uint16_t type, uint8_t version, uint8_t cmd, uint16_t flags,
		    genl_fill_fn fill, genl_reply_fn reply, void *arg)
{
	char *buf = malloc(BUFFER_SIZE);
	struct genlmsghdr *genl;
	struct nlmsghdr *nlh;
	ssize_t len;
	int ret = 1;

	g->error[0] = '\0';
	g->error_offset = g->error_missing = 0;
	g->interrupted = false;
	if (!buf)
		return -ENOMEM;
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	nlh->nlmsg_seq = ++g->seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	if (fill)
		fill(nlh, arg);
	if (mnl_socket_sendto(g->nl, nlh, nlh->nlmsg_len) < 0)
		ret = -errno;
	while (ret == 1) {
		len = mnl_socket_recvfrom(g->nl, buf, BUFFER_SIZE);
		if (len < 0 && errno == EINTR)
			continue;
		ret = len < 0 ? -errno : take(g, buf, len, g->seq, reply, arg);
	}
	free(buf);
	return ret;
}

int genl_request(struct genl *g, uint8_t cmd, uint16_t flags, genl_fill_fn fill,
		 genl_reply_fn reply, void *arg)
{
	return exchange(g, g->family, g->version, cmd, flags, fill, reply, arg);
}

/* ---------------------------------------------------------------- look-up */

static void fill_name(struct nlmsghdr *nlh, void *arg)
{
	struct genl *g = arg;

	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, g->name);
}

static int take_family(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attrs[CTRL_ATTR_MAX + 1], *group[CTRL_ATTR_MCAST_GRP_MAX + 1];
	const struct nlattr *nest;
	struct genl *g = arg;

	if (cmd != CTRL_CMD_NEWFAMILY)
		return 0;
	genl_attrs(nlh, NULL, attrs, CTRL_ATTR_MAX);
	if (!attrs[CTRL_ATTR_FAMILY_ID])
		return -EBADMSG;
	g->family = mnl_attr_get_u16(attrs[CTRL_ATTR_FAMILY_ID]);
	g->version = genl_uint(attrs[CTRL_ATTR_VERSION]);
	g->num_groups = 0;
	if (!attrs[CTRL_ATTR_MCAST_GROUPS])
		return 0;
	mnl_attr_for_each_nested(nest, attrs[CTRL_ATTR_MCAST_GROUPS]) {
		if (g->num_groups == GENL_GROUPS)
			break;
		genl_attrs(NULL, nest, group, CTRL_ATTR_MCAST_GRP_MAX);
		snprintf(g->groups[g->num_groups].name, sizeof(g->groups[0].name), "%s",
			 genl_text(group[CTRL_ATTR_MCAST_GRP_NAME]));
		g->groups[g->num_groups++].id = genl_uint(group[CTRL_ATTR_MCAST_GRP_ID]);
	}
	return 0;
}

int genl_resolve(struct genl *g)
{
	return exchange(g, GENL_ID_CTRL, 1, CTRL_CMD_GETFAMILY, 0, fill_name, take_family, g);
}

int genl_open(struct genl *g, const char *family)
{
	int on = 1;
	int ret;

	memset(g, 0, sizeof(*g));
	snprintf(g->name, sizeof(g->name), "%s", family);
	g->seq = time(NULL);
	g->nl = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!g->nl)
		return -errno;
	if (mnl_socket_bind(g->nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		ret = -errno;
		genl_close(g);
		return ret;
	}
	/* only for better messages; an old kernel without them will do */
	setsockopt(genl_fd(g), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(genl_fd(g), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	ret = genl_resolve(g);
	if (ret)
		genl_close(g);
	return ret;
}

void genl_close(struct genl *g)
{
	if (g->nl)
		mnl_socket_close(g->nl);
	g->nl = NULL;
}

/* ---------------------------------------------------------- notifications */

int genl_subscribe(struct genl *g, const char *group)
{
	size_t i;

	for (i = 0; i < g->num_groups; i++) {
		if (strcmp(g->groups[i].name, group))
			continue;
		if (setsockopt(genl_fd(g), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &g->groups[i].id,
			       sizeof(g->groups[i].id)))
			return -errno;
		return 0;
	}
	return -ENOENT;
}

int genl_receive(struct genl *g, genl_reply_fn reply, void *arg)
{
	char *buf = malloc(BUFFER_SIZE);
	ssize_t len;
	int ret = 1;

	if (!buf)
		return -ENOMEM;
	while (ret == 1) {
		len = recv(genl_fd(g), buf, BUFFER_SIZE, MSG_DONTWAIT);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			ret = errno == EAGAIN ? 0 : -errno;
		else
			ret = take(g, buf, len, 0, reply, arg);
	}
	free(buf);
	return ret;
}
