/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A program that is killed at one of its steps: before a system call that changes something. */
#ifndef SELFTESTS_STEPS_H
#define SELFTESTS_STEPS_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

/**
 * steps_killed_at() - run a program, quietly, and kill it before one of its steps
 * @argv:    the program, as for execvp()
 * @is_step: whether the system call that is about to be made is one
 * @number:  of the step, from 0
 *
 * Return: false when it has fewer steps, and ended by itself.
 */
static inline bool steps_killed_at(char *const *argv,
				   bool (*is_step)(const struct user_regs_struct *regs), int number)
{
	struct user_regs_struct regs;
	bool entry = true;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr) ||
		    ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(1);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		tap_bail("cannot trace %s", argv[0]);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		if (waitpid(pid, &status, 0) != pid)
			tap_bail("lost %s", argv[0]);
		if (WIFEXITED(status) || WIFSIGNALED(status))
			return false;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		if (entry) {
			ptrace(PTRACE_GETREGS, pid, NULL, &regs);
			if (is_step(&regs) && !number--) {
				kill(pid, SIGKILL);
				waitpid(pid, &status, 0);
				return true;
			}
		}
		entry = !entry;
	}
}

#endif /* SELFTESTS_STEPS_H */
