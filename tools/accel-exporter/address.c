// SPDX-License-Identifier: GPL-2.0-only
#include "address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Both families are asked for by one socket, see address_listen(). */
#define ANY	"::"

int address_parse(const char *text, struct address *a)
{
	static const struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	const char *colon = strrchr(text, ':'), *port;
	struct addrinfo *found;
	char host[64] = "";
	size_t len;

	if (!colon)
		return -1;
	port = colon + 1;
	len = (size_t)(colon - text);
	/* getaddrinfo() would take a sign, and 65536 for 0 */
	if (!*port || strlen(port) > 5 || port[strspn(port, "0123456789")] || atoi(port) > 65535)
		return -1;
	if (len && text[0] == '[') {
		if (len < 3 || text[len - 1] != ']')
			return -1;
		text++;
		len -= 2;
	} else if (memchr(text, ':', len)) {
		return -1;	/* an address of IPv6 without brackets, or with another port */
	}
	if (len >= sizeof(host))
		return -1;
	memcpy(host, text, len);
	*a = (struct address){ .any = !len };
	if (getaddrinfo(len ? host : ANY, port, &hints, &found))
		return -1;
	memcpy(&a->sa, found->ai_addr, found->ai_addrlen);
	a->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static int listen_on(const struct sockaddr *sa, socklen_t len, bool both)
{
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, only = !both, err;

	if (fd < 0)
		return -errno;
	/* What an earlier one has left behind does not count, one that runs does. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    (sa->sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only))) ||
	    bind(fd, sa, len) || listen(fd, SOMAXCONN)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int address_listen(const struct address *a)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	int fd = listen_on((const struct sockaddr *)&a->sa, a->len, a->any);

	if (a->any && (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)) {
		v4.sin_port = ((const struct sockaddr_in6 *)&a->sa)->sin6_port;
		fd = listen_on((const struct sockaddr *)&v4, sizeof(v4), false);
	}
	return fd;
}

void address_name(int fd, char *text, size_t size)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char host[64], port[8];

	if (getsockname(fd, (struct sockaddr *)&sa, &len) ||
	    getnameinfo((struct sockaddr *)&sa, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(text, size, "?");
	else
		snprintf(text, size, sa.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
