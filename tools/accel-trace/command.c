// SPDX-License-Identifier: GPL-2.0-only
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

int command_fork(struct command *c, char **argv)
{
	int go[2], failed[2], err;
	char byte;

	*c = (struct command){ .go = -1, .failed = -1 };
	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(failed, O_CLOEXEC)) {
		err = -errno;
		close(go[0]);
		close(go[1]);
		return err;
	}
	c->pid = fork();
	if (c->pid < 0) {
		err = -errno;
		c->pid = 0;
		close(go[0]);
		close(go[1]);
		close(failed[0]);
		close(failed[1]);
		return err;
	}
	if (!c->pid) {
		/* Its own copy of the writing end would keep it from seeing the tracer die. */
		close(go[1]);
		if (read(go[0], &byte, 1) != 1)
			_exit(1);
		execvp(argv[0], argv);
		err = errno;
		if (write(failed[1], &err, sizeof(err)) < 0)
			_exit(126);
		_exit(127);
	}
	close(go[0]);
	close(failed[1]);
	c->go = go[1];
	c->failed = failed[0];
	return 0;
}

int command_run(struct command *c)
{
	int err = 0;

	if (write(c->go, "", 1) != 1)
		return -errno;
	close(c->go);
	c->go = -1;
	/* exec() closes the other end. */
	while (read(c->failed, &err, sizeof(err)) < 0 && errno == EINTR)
		;
	close(c->failed);
	c->failed = -1;
	return -err;
}

bool command_poll(struct command *c)
{
	int status;

	if (c->pid && !c->ended && waitpid(c->pid, &status, WNOHANG) == c->pid) {
		c->ended = true;
		c->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	return c->ended;
}

void command_kill(struct command *c)
{
	if (c->go < 0)
		return;
	/* It reads the end of the file instead of the word to go, and exits. */
	close(c->go);
	c->go = -1;
	close(c->failed);
	c->failed = -1;
	waitpid(c->pid, NULL, 0);
}
