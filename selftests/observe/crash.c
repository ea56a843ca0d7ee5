// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=600 */
/*
 * "accelctl observe on" and "off", killed at each of their steps: before each system call
 * that changes something. Status tells, off mends, and on works after that; and right
 * after the kill as well.
 */
#include <sys/syscall.h>

#include "observe.h"
#include "steps.h"

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

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

/* All bad outcomes of all steps, told once for each verb. */
static int tries(char *verb, const char *before)
{
	char *const argv[] = { "accelctl", "observe", verb, NULL };
	int steps = 0, silent = 0, unmended = 0, stuck = 0, undone = 0, half = 0;

	for (;; steps++) {
		int code;

		shell("accelctl observe off");
		shell(before);
		if (!steps_killed_at(argv, is_step, steps))
			break;
		code = shell("accelctl observe");
		/* What has the name is whole. */
		half += exists(PINS) && !said("observing  on") && !said("interrupted");
		/* What is left is told, with the way out. */
		silent += exists(PARTIAL) && (code != 1 || !said("accelctl observe off"));
		/* every other time it is taken away, after which there is nothing new in "on" */
		if (steps % 2) {
			unmended += shell("accelctl observe off") != 0;
			unmended += exists(PINS) || exists(PARTIAL) ||
				    exists("/run/accelerator/observe/control");
			if (steps % 8 != 1)
				continue;
		}
		stuck += shell("accelctl observe on") != 0;
		undone += shell("accelctl observe") != 0 || exists(PARTIAL);
		undone += shell("su alice -c 'accel-top -b -n 1 -d 0.1 --require-latency'") != 0;
	}
	tap_is(half, 0, "%s: never half of it under its name", verb);
	tap_is(silent, 0, "%s: status tells what is left", verb);
	tap_is(unmended, 0, "%s: off mends", verb);
	tap_is(stuck, 0, "%s: on works, with that and without", verb);
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
