/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Descriptors that one process sends another, by a socket of AF_UNIX. */
#ifndef SELFTESTS_FDS_H
#define SELFTESTS_FDS_H

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* A message of one byte, with room for a descriptor. */
struct fds_message {
	char data;
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov;
	struct msghdr msg;
};

static inline struct msghdr *fds_message(struct fds_message *m)
{
	*m = (struct fds_message){ .data = 'f' };
	m->iov = (struct iovec){ &m->data, 1 };
	m->msg = (struct msghdr){
		.msg_iov = &m->iov, .msg_iovlen = 1,
		.msg_control = &m->control, .msg_controllen = sizeof(m->control),
	};
	return &m->msg;
}

/* send_fd() - 0 or -errno */
static inline int send_fd(int sock, int fd)
{
	struct fds_message m;
	struct msghdr *msg = fds_message(&m);
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(sock, msg, 0) == 1 ? 0 : -errno;
}

/* receive_fd() - the descriptor that the next message has, or -errno; -ENOMSG: none */
static inline int receive_fd(int sock)
{
	struct fds_message m;
	struct msghdr *msg = fds_message(&m);
	ssize_t n = recvmsg(sock, msg, 0);
	int fd;

	if (n != 1)
		return n < 0 ? -errno : -ENOMSG;
	if (!CMSG_FIRSTHDR(msg))
		return -ENOMSG;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(msg)), sizeof(fd));
	return fd;
}

#endif
