// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A small QMP client. The port is read by one program after the other, so what it finds
 * there first may be left from the one before: half a line, answers to another's
 * commands. Only the answer with the number of our own command counts.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "json_read.h"
#include "qmp.h"

#define PORTS	"/sys/class/virtio-ports"

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int open_port(void)
{
	char path[320], name[64];
	struct dirent *entry;
	int fd = -ENODEV;
	DIR *dir = opendir(PORTS);

	while (dir && fd == -ENODEV && (entry = readdir(dir))) {
		FILE *f;

		snprintf(path, sizeof(path), PORTS "/%s/name", entry->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fscanf(f, "%63s", name) == 1 && !strcmp(name, QMP_PORT_NAME)) {
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
			fd = open(path, O_RDWR | O_CLOEXEC);
			if (fd < 0)
				fd = -errno;
		}
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return fd;
}

static void keep_event(struct qmp *q, const struct json_node *msg)
{
	const char *event = json_text_at(msg, "event");
	const char *device = json_text_at(msg, "data.device");

	if (!event || !device || strcmp(event, "DEVICE_DELETED"))
		return;
	for (size_t i = 0; i < sizeof(q->deleted) / sizeof(q->deleted[0]); i++)
		if (!q->deleted[i][0]) {
			snprintf(q->deleted[i], sizeof(q->deleted[i]), "%s", device);
			return;
		}
}

/* The next message of QEMU's, or NULL when the time is over. */
static struct json_node *next_message(struct qmp *q, long long end_ms)
{
	for (;;) {
		struct pollfd p = { .fd = q->fd, .events = POLLIN };
		char *newline = memchr(q->buf, '\n', q->fill);
		struct json_node *msg;
		long long left;
		ssize_t n;

		if (newline) {
			*newline = '\0';
			msg = json_parse(q->buf);
			q->fill -= newline + 1 - q->buf;
			memmove(q->buf, newline + 1, q->fill);
			if (msg) {
				keep_event(q, msg);
				return msg;
			}
			continue;
		}
		if (q->fill == sizeof(q->buf))
			q->fill = 0;	/* nobody's line is that long */
		left = end_ms - now_ms();
		if (left <= 0)
			return NULL;
		if (poll(&p, 1, left) <= 0)
			continue;
		n = read(q->fd, q->buf + q->fill, sizeof(q->buf) - q->fill);
		if (n > 0)
			q->fill += n;
		else if (!n || (errno != EINTR && errno != EAGAIN))
			return NULL;
	}
}

int qmp_command(struct qmp *q, const char *execute, const char *arguments, char *text, size_t size)
{
	long long end_ms = now_ms() + QMP_LIMIT_S * 1000LL;
	struct json_node *msg;
	char line[1024];
	int n;

	if (text)
		text[0] = '\0';
	n = snprintf(line, sizeof(line), "{\"execute\":\"%s\",\"id\":%llu%s%s}\n", execute, ++q->id,
		     arguments ? ",\"arguments\":" : "", arguments ? arguments : "");
	if (n >= (int)sizeof(line))
		return -E2BIG;
	if (write(q->fd, line, n) != n)
		return -EIO;
	while ((msg = next_message(q, end_ms))) {
		const char *error, *ret;

		if (json_u64_at(msg, "id") != q->id) {
			json_free(msg);
			continue;
		}
		error = json_text_at(msg, "error.desc");
		ret = json_text_at(msg, "return");
		if (text && (error || ret))
			snprintf(text, size, "%s", error ? error : ret);
		n = json_at(msg, "error") ? -EREMOTEIO : 0;
		json_free(msg);
		return n;
	}
	return -ETIMEDOUT;
}

int qmp_hmp(struct qmp *q, const char *line, char *text, size_t size)
{
	char arguments[512];

	snprintf(arguments, sizeof(arguments), "{\"command-line\":\"%s\"}", line);
	return qmp_command(q, "human-monitor-command", arguments, text, size);
}

int qmp_deleted(struct qmp *q, const char *id)
{
	long long end_ms = now_ms() + QMP_LIMIT_S * 1000LL;

	for (;;) {
		struct json_node *msg;

		for (size_t i = 0; i < sizeof(q->deleted) / sizeof(q->deleted[0]); i++)
			if (!strcmp(q->deleted[i], id)) {
				q->deleted[i][0] = '\0';
				return 0;
			}
		msg = next_message(q, end_ms);
		if (!msg)
			return -ETIMEDOUT;
		json_free(msg);
	}
}

int qmp_open(struct qmp *q)
{
	int ret;

	memset(q, 0, sizeof(*q));
	q->fd = open_port();
	if (q->fd < 0)
		return q->fd;
	q->id = (unsigned long long)getpid() << 20;
	/* Refused when who came before has done so; then commands are taken, too. */
	ret = qmp_command(q, "qmp_capabilities", NULL, NULL, 0);
	if (ret != -EREMOTEIO && ret) {
		qmp_close(q);
		return ret;
	}
	/* Events that were for others. */
	memset(q->deleted, 0, sizeof(q->deleted));
	return 0;
}

void qmp_close(struct qmp *q)
{
	close(q->fd);
	q->fd = -1;
}
