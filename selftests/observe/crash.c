// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=600 */
/*
 * "accelctl observe on" and "off", killed at each of their steps: before each system call
 * that changes something. Status tells, off mends, and on works after that; and right
 * after the kill as well.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>

#include "observe.h"

#define BPF_OBJ_PIN	6

static bool is_step(const struct user_regs_struct *r)
{
	switch (r->orig_rax) {
	case SYS_bpf:
		return r->rdi == BPF_OBJ_PIN;
	case SYS_mkdir:
	case SYS_rename:
	case SYS_chmod:
	case SYS_chown:
	case SYS_mount:
	case SYS_umount2:
	case SYS_unlink:
	case SYS_rmdir:
		return true;
	}
	return false;
}

/* Killed before its step @number, from 0; false: it has fewer, and ended by itself. */
static bool killed_at(const char *verb, int number)
{
	struct user_regs_struct regs;
	bool entry = true;
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (!freopen("/dev/null", "w", stdout) || ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(1);
		execlp("accelctl", "accelctl", "observe", verb, NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		tap_bail("cannot trace accelctl");
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		if (waitpid(pid, &status, 0) != pid)
			tap_bail("lost accelctl");
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

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

/* All bad outcomes of all steps, told once for each verb. */
static int tries(const char *verb, const char *before)
{
	int steps = 0, silent = 0, unmended = 0, stuck = 0, undone = 0, half = 0;

	for (;; steps++) {
		int code;

		shell("accelctl observe off");
		shell(before);
		if (!killed_at(verb, steps))
			break;
		code = shell("accelctl observe");
		/* What has the name is whole. */
		half += exists(PINS) && !said("observing  on") && !said("interrupted");
		/* What is left is told, with the way out. */
		silent += exists(PARTIAL) && (code != 1 || !said("accelctl observe off"));
		/* every other time, right on */
		if (steps % 2) {
			stuck += shell("accelctl observe on") != 0;
		} else {
			unmended += shell("accelctl observe off") != 0;
			unmended += exists(PINS) || exists(PARTIAL) ||
				    exists("/run/accelerator/observe/control");
			stuck += shell("accelctl observe on") != 0;
		}
		undone += shell("accelctl observe") != 0 || exists(PARTIAL);
		undone += shell("su alice -c 'accel-top -b -n 1 -d 0.1 --require-latency'") != 0;
	}
	tap_is(half, 0, "%s: never half of it under its name", verb);
	tap_is(silent, 0, "%s: status tells what is left", verb);
	tap_is(unmended, 0, "%s: off mends", verb);
	tap_is(stuck, 0, "%s: on works after that, and without that", verb);
	tap_is(undone, 0, "%s: and then all is well", verb);
	return steps;
}

int main(void)
{
	int steps;

	/* As systemd has it: then there is a door to be made and taken away, too. */
	shell("chmod 0700 /sys/fs/bpf");
	steps = tries("on", "true");
	tap_ok(steps >= 20, "on: killed at %d steps", steps);
	steps = tries("off", "accelctl observe on");
	tap_ok(steps >= 12, "off: killed at %d steps", steps);
	shell("accelctl observe off");
	shell("chmod 0755 /sys/fs/bpf");
	tap_is(shell("bpftool prog | grep 'name stats_' >/dev/null"), 1, "no program is left");
	return tap_done();
}
