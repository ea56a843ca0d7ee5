/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Generic netlink over libmnl: find a family, ask it, listen to it. Errors come
 * with the kernel's own words where it has any (extended acks).
 *
 * Functions return 0 or a negative errno.
 */
#ifndef TOOLS_LIB_GENL_H
#define TOOLS_LIB_GENL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libmnl/libmnl.h>

#define GENL_GROUPS	8

struct genl {
	struct mnl_socket *nl;
	uint16_t family;
	uint8_t version;
	uint32_t seq;
	bool interrupted;	/* the last dump, by a change of what it tells */
	size_t num_groups;
	struct {
		char name[16];
		uint32_t id;
	} groups[GENL_GROUPS];
	char error[256];	/* of the last failure, "" when there are no words for it */
	uint32_t error_offset;	/* of the attribute it is about in the request, 0: none */
	uint32_t error_missing;	/* type of the attribute that it lacks, 0: none */
	char name[16];
};

/* genl_open() - -ENOENT: the kernel has no such family */
int genl_open(struct genl *g, const char *family);
void genl_close(struct genl *g);
/* genl_resolve() - look the family up again: its module may have been reloaded */
int genl_resolve(struct genl *g);

/* Adds the request's attributes. */
typedef void (*genl_fill_fn)(struct nlmsghdr *nlh, void *arg);
/* Gets each reply's command and attributes; not 0 ends the exchange and is returned. */
typedef int (*genl_reply_fn)(uint8_t cmd, const struct nlmsghdr *nlh, void *arg);

/*
 * genl_request() - @flags: NLM_F_DUMP or 0; @fill may be NULL
 *
 * -EINTR: what was dumped has changed meanwhile; to be asked for again.
 */
int genl_request(struct genl *g, uint8_t cmd, uint16_t flags, genl_fill_fn fill,
		 genl_reply_fn reply, void *arg);

/* genl_subscribe() - -ENOENT: no such group; -EPERM: not allowed */
int genl_subscribe(struct genl *g, const char *group);

/*
 * genl_receive() - take what has come, without waiting; call when the socket is readable
 *
 * -ENOBUFS: some notifications were lost.
 */
int genl_receive(struct genl *g, genl_reply_fn reply, void *arg);

static inline int genl_fd(const struct genl *g)
{
	return mnl_socket_get_fd(g->nl);
}

/* genl_attrs() - @table[type] for types up to @max; nested when @nest is not NULL */
void genl_attrs(const struct nlmsghdr *nlh, const struct nlattr *nest,
		const struct nlattr **table, uint16_t max);

/* The values of attributes; 0 or "" when @attr is NULL or of another form. */
uint64_t genl_uint(const struct nlattr *attr);	/* 4 or 8 bytes */
int32_t genl_s32(const struct nlattr *attr);
const char *genl_text(const struct nlattr *attr);

#endif /* TOOLS_LIB_GENL_H */
