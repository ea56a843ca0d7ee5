// SPDX-License-Identifier: GPL-2.0-only
#include "http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "metrics.h"
#include "negotiate.h"

/* What one that means no good can have of us; a scraper needs one connection. */
#define CONNECTIONS	256u
#define CONNECTIONS_IP	64u	/* of one address */
#define IDLE_SECONDS	5u
#define REQUEST_BYTES	((size_t)16384)	/* headers, and what is being written of the answer */

#define METRICS		"/metrics"

struct http {
	struct MHD_Daemon *daemon;
	struct metrics *metrics;
};

static const char page[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\"><head><title>accel-exporter</title></head><body>\n"
	"<h1>accel-exporter " ACCEL_VERSION "</h1>\n"
	"<p>Compute accelerators: <a href=\"" METRICS "\">" METRICS "</a>, in OpenMetrics or\n"
	"Prometheus' text format, as the scraper accepts. See accel-exporter(1).</p>\n"
	"</body></html>\n";

static enum MHD_Result answer(struct MHD_Connection *c, unsigned int status,
			      struct MHD_Response *r, const char *type)
{
	enum MHD_Result ret;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	ret = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ret;
}

static enum MHD_Result say(struct MHD_Connection *c, unsigned int status, const char *text,
			   const char *type)
{
	return answer(c, status, MHD_create_response_from_buffer(strlen(text), (void *)text,
								 MHD_RESPMEM_PERSISTENT), type);
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned int status, const char *text)
{
	return say(c, status, text, "text/plain; charset=utf-8");
}

static enum MHD_Result answer_metrics(struct http *h, struct MHD_Connection *c)
{
	enum text_format format = negotiate(
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
	struct MHD_Response *r;
	size_t size = 0;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return refuse(c, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory\n");
	/* Without the subsystem that is an answer as well, and says so. */
	metrics_write(h->metrics, f, format);
	if (fclose(f)) {
		free(text);
		return refuse(c, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory\n");
	}
	r = MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
	if (!r)
		free(text);
	else
		MHD_add_response_header(r, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT);
	return answer(c, MHD_HTTP_OK, r, text_content_type(format));
}

static bool has_body(struct MHD_Connection *c)
{
	const char *length = MHD_lookup_connection_value(c, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_CONTENT_LENGTH);

	return (length && strcmp(length, "0")) ||
	       MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/*
 * Called when the headers are there, and again when all of the request is. What is answered
 * at the first call ends the connection, and nothing more of the request is read.
 */
static enum MHD_Result handle(void *cls, struct MHD_Connection *c, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **seen)
{
	bool metrics = !strcmp(url, METRICS);

	(void)version;
	(void)upload;
	(void)upload_size;
	if (!metrics && strcmp(url, "/"))
		return refuse(c, MHD_HTTP_NOT_FOUND, "not found; there is " METRICS "\n");
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are allowed\n");
	if (has_body(c))
		return refuse(c, MHD_HTTP_BAD_REQUEST, "a request's body is of no use here\n");
	if (!*seen) {
		*seen = (void *)page;	/* anything but NULL */
		return MHD_YES;
	}
	return metrics ? answer_metrics(cls, c) :
			 say(c, MHD_HTTP_OK, page, "text/html; charset=utf-8");
}

struct http *http_start(struct metrics *m, int fd)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h) {
		close(fd);
		return NULL;
	}
	h->metrics = m;
	errno = 0;
	h->daemon = MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL,
				     handle, h, MHD_OPTION_LISTEN_SOCKET, fd,
				     MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
				     MHD_OPTION_PER_IP_CONNECTION_LIMIT, CONNECTIONS_IP,
				     MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, REQUEST_BYTES,
				     MHD_OPTION_END);
	if (!h->daemon) {
		int error = errno ? errno : EIO;

		close(fd);
		free(h);
		errno = error;
		return NULL;
	}
	return h;
}

void http_stop(struct http *h)
{
	if (!h)
		return;
	MHD_stop_daemon(h->daemon);	/* and closes the socket */
	free(h);
}
