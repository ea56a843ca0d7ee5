/* SPDX-License-Identifier: GPL-2.0-only */
/* accel-trace --json, run by a test, and what it wrote. */
#ifndef SELFTESTS_TRACE_H
#define SELFTESTS_TRACE_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "json_read.h"
#include "tap.h"

#define AREA	"/usr/lib/accelerator/selftests/trace"
#define OUTPUT	"/tmp/trace.json"
#define MESSAGES "/tmp/trace.messages"

#define TRACE_NOTHING	_IO(ACCEL_IOCTL_TYPE, 0xfe)	/* ENOTTY, and traced */

struct trace_end {
	uint64_t emitted, delivered, lost, missed;
	uint64_t lost_by_event, lost_by_cpu;	/* sums of what it tells of each */
	uint64_t lines;		/* objects before it */
	bool there;
};

/* Its exit code. */
__attribute__((unused, format(printf, 1, 2)))
static int trace_run(const char *format, ...)
{
	char command[1024];
	size_t len;
	va_list args;
	int status;

	len = snprintf(command, sizeof(command), "accel-trace --json -o %s ", OUTPUT);
	va_start(args, format);
	vsnprintf(command + len, sizeof(command) - len, format, args);
	va_end(args);
	strcat(command, " 2>" MESSAGES);
	fflush(stdout);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/*
 * Begin to trace ioctls, into rings of @buffer, and return its pid when it is under way,
 * which is when it shows one of those that are made on @fd meanwhile, @made more.
 * @namespaces: its own, CLONE_NEW*
 */
__attribute__((unused))
static pid_t trace_start_in(int namespaces, const char *buffer, int fd, unsigned int *made)
{
	struct stat st;
	pid_t pid;

	/* of a trace before this one */
	unlink(OUTPUT);
	fflush(stdout);
	pid = (pid_t)syscall(SYS_clone, namespaces | SIGCHLD, NULL, NULL, NULL, NULL);
	if (!pid) {
		execlp("accel-trace", "accel-trace", "--json", "-e", "ioctl", "--buffer", buffer, "-o",
		       OUTPUT, NULL);
		_exit(127);
	}
	while (stat(OUTPUT, &st) || !st.st_size) {
		dev_ioctl(fd, TRACE_NOTHING, NULL);
		++*made;
		usleep(10000);
		if (waitpid(pid, NULL, WNOHANG))
			tap_bail("accel-trace has ended");
	}
	return pid;
}

__attribute__((unused))
static pid_t trace_start(const char *buffer, int fd, unsigned int *made)
{
	return trace_start_in(0, buffer, fd, made);
}

/* Until all that was made has been shown, and nothing more comes of itself. */
__attribute__((unused))
static void trace_rest(void)
{
	struct stat st;
	off_t size;

	do {
		stat(OUTPUT, &st);
		size = st.st_size;
		usleep(300000);
		stat(OUTPUT, &st);
	} while (st.st_size != size);
}

/* Have it end by a SIGINT, and well. */
__attribute__((unused))
static void trace_stop(pid_t pid)
{
	int status;

	kill(pid, SIGINT);
	if (waitpid(pid, &status, 0) != pid)
		tap_bail("waitpid: %s", strerror(errno));
	tap_is(status, 0, "accel-trace ends well, of SIGINT");
}

static uint64_t trace_sum(const struct json_node *object)
{
	uint64_t sum = 0;

	for (const struct json_node *n = object ? object->first : NULL; n; n = n->next)
		sum += n->text ? strtoull(n->text, NULL, 10) : 0;
	return sum;
}

/*
 * Read what it wrote: @each gets every object but the last, whose counts are
 * in @end. False when a line is no valid JSON or there is something after the end.
 */
__attribute__((unused))
static bool trace_read(struct trace_end *end, void (*each)(const struct json_node *e, void *arg),
		       void *arg)
{
	FILE *f = fopen(OUTPUT, "r");
	char *line = NULL;
	size_t size = 0;
	bool good = f;

	memset(end, 0, sizeof(*end));
	while (f && getline(&line, &size, f) > 0) {
		struct json_node *e = json_parse(line);
		const char *event = e ? json_text_at(e, "event") : NULL;

		if (!event || end->there) {
			tap_diag("not expected: %s", line);
			good = false;
		} else if (!strcmp(event, "end")) {
			end->there = true;
			end->emitted = json_u64_at(e, "emitted");
			end->delivered = json_u64_at(e, "delivered");
			end->lost = json_u64_at(e, "lost");
			end->missed = json_u64_at(e, "missed");
			end->lost_by_event = trace_sum(json_at(e, "lost_by_event"));
			end->lost_by_cpu = trace_sum(json_at(e, "lost_by_cpu"));
		} else {
			end->lines++;
			if (each)
				each(e, arg);
		}
		if (e)
			json_free(e);
	}
	free(line);
	if (f)
		fclose(f);
	return good && end->there;
}

/* Whether it said @text on stderr. */
__attribute__((unused))
static bool trace_said(const char *text)
{
	FILE *f = fopen(MESSAGES, "r");
	char *line = NULL;
	size_t size = 0;
	bool said = false;

	while (f && getline(&line, &size, f) > 0)
		said |= strstr(line, text) != NULL;
	free(line);
	if (f)
		fclose(f);
	return said;
}

#endif
