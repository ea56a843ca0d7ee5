/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs that a test starts, reads line by line and ends. */
#ifndef SELFTESTS_TOP_CHILD_H
#define SELFTESTS_TOP_CHILD_H

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOAD	"/usr/lib/accelerator/selftests/load/load"

struct child {
	pid_t pid;
	int in;		/* its stdin */
	FILE *out;	/* its stdout */
	char *line;
	size_t size;
};

__attribute__((unused))
static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* @argv[0] is looked for in PATH. */
__attribute__((unused))
static bool child_start(struct child *c, char *const argv[])
{
	int in[2], out[2];

	memset(c, 0, sizeof(*c));
	if (pipe(in) || pipe(out))
		return false;
	c->pid = fork();
	if (c->pid < 0) {
		perror("fork");
		return false;
	}
	if (!c->pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	c->in = in[1];
	c->out = fdopen(out[0], "r");
	return c->out;
}

/* The next line, without its end; NULL at the end of the output. */
__attribute__((unused))
static const char *child_line(struct child *c)
{
	ssize_t len = getline(&c->line, &c->size, c->out);

	if (len <= 0)
		return NULL;
	if (c->line[len - 1] == '\n')
		c->line[len - 1] = '\0';
	return c->line;
}

/* Sends @sig if it is not 0; its exit code, or 128 + the signal that ended it. */
__attribute__((unused))
static int child_end(struct child *c, int sig)
{
	int status;

	if (c->in >= 0)
		close(c->in);
	if (sig)
		kill(c->pid, sig);
	while (child_line(c))
		;
	if (waitpid(c->pid, &status, 0) != c->pid)
		return -1;
	fclose(c->out);
	free(c->line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
