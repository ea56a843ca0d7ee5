/* SPDX-License-Identifier: GPL-2.0-only */
/* What accelctl's files share. */
#ifndef ACCELCTL_H
#define ACCELCTL_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf_util.h"
#include "model.h"

#define EXIT_NO_PERMISSION	EXIT_NO_BPF
#define BPFFS			"/sys/fs/bpf"

/* How to show things, from the command line. */
struct settings {
	bool json;
	bool bytes;		/* exact numbers instead of "1.50GiB" */
	/* of observe on: 0 and NULL are the defaults */
	const char *group;
	uint32_t contexts, devices;
};

/* "accelctl: ..." on stderr; returns @code. */
int fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The code to exit with, and the words, for a -errno of @src. */
int fail_source(const struct accel_source *src, int err);

/*
 * lock_pins() - be the only accelctl that changes what is pinned in BPFFS, until the process
 * ends, however it does; waits for another one, and says so. A code to exit with: we may not, or
 * there is none, or one in which others than root may replace what is there
 */
int lock_pins(void);

/*
 * pins_trusted() - whether a directory of pins is root's alone, or not there at all
 *
 * BPFFS may be writable for everybody, who then may have been faster than we. False: @why has
 * whose it is, and the next step.
 */
bool pins_trusted(const char *path, char *why, size_t size);
/* pins_check() - a code to exit with, then it was said why */
int pins_check(const char *path);

/* Each takes DEV or NULL, and returns a code to exit with. */
int cmd_dev_list(const struct settings *set, const char *dev);
int cmd_dev_show(const struct settings *set, const char *dev);
int cmd_engine_list(const struct settings *set, const char *dev);
int cmd_ctx_list(const struct settings *set, const char *dev);
int cmd_stats(const struct settings *set, const char *dev);

int cmd_monitor(const struct settings *set, const char *dev);
int cmd_doctor(const struct settings *set, const char *dev);

int cmd_observe_on(const struct settings *set, const char *dev);
int cmd_observe_off(const struct settings *set, const char *dev);
int cmd_observe_status(const struct settings *set, const char *dev);

/* The words after "policy". */
int cmd_policy(const struct settings *set, int argc, char **argv);

#endif /* ACCELCTL_H */
