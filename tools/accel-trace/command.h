/* SPDX-License-Identifier: GPL-2.0-only */
/* A command that is started for the trace and held until that is ready. */
#ifndef ACCEL_TRACE_COMMAND_H
#define ACCEL_TRACE_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

struct command {
	pid_t pid;		/* 0: none */
	int go;			/* written: it may run; -1: it was told, or there is none */
	int failed;		/* what exec() answered comes here */
	bool ended;
	int status;		/* as a shell has it */
};

/* command_fork() - make its process, which waits; 0 or -errno */
int command_fork(struct command *c, char **argv);

/* command_run() - let it go on; 0 or what exec() answered, -errno */
int command_run(struct command *c);

/* command_poll() - whether it has ended */
bool command_poll(struct command *c);

/* command_kill() - when the trace could not begin; one that runs already is left alone */
void command_kill(struct command *c);

#endif /* ACCEL_TRACE_COMMAND_H */
