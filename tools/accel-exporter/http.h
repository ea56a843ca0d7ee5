/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GET /metrics, by libmicrohttpd: one thread that waits for all connections at once, so
 * that a slow one is in nobody's way, and that alone uses what it is given.
 */
#ifndef ACCEL_EXPORTER_HTTP_H
#define ACCEL_EXPORTER_HTTP_H

struct http;
struct metrics;

/* http_start() - serve on the listening socket @fd, which it takes; NULL and errno */
struct http *http_start(struct metrics *m, int fd);
/* http_stop() - connections end, and so does the thread */
void http_stop(struct http *h);

#endif /* ACCEL_EXPORTER_HTTP_H */
