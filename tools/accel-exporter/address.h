/* SPDX-License-Identifier: GPL-2.0-only */
/* Where to listen: "127.0.0.1:9942", "[::1]:9942", ":9942" for all there are. */
#ifndef ACCEL_EXPORTER_ADDRESS_H
#define ACCEL_EXPORTER_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct address {
	struct sockaddr_storage sa;
	socklen_t len;
	bool any;	/* IPv6, and IPv4 with it; IPv4 alone where there is no IPv6 */
};

/* address_parse() - of numbers alone: no name is looked up. 0, or -1: it is none */
int address_parse(const char *text, struct address *a);

/* address_listen() - a listening socket, or -errno */
int address_listen(const struct address *a);

/* address_name() - "127.0.0.1:9942": where @fd listens, which with port 0 the kernel chose */
void address_name(int fd, char *text, size_t size);

#endif /* ACCEL_EXPORTER_ADDRESS_H */
