/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every tool does before and around loading its BPF programs: is there a
 * subsystem, may we, and if not, what to tell the user.
 */
#ifndef TOOLS_LIB_BPF_UTIL_H
#define TOOLS_LIB_BPF_UTIL_H

#include <stdbool.h>
#include <stdint.h>

/* What every tool exits with. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_DEVICE = 3,
	EXIT_NO_BPF = 4,	/* no permission, or BPF does not work here */
	EXIT_LOST = 5,		/* --strict, and events were lost */
};

/* accel_subsystem_present() - the core module is loaded */
bool accel_subsystem_present(void);

/**
 * accel_event_present() - the loaded core has this tracepoint
 * @event: "accel_ioctl"
 *
 * Looks into the module's BTF, which anybody may read.
 */
bool accel_event_present(const char *event);

/**
 * bpf_util_begin() - before the first call of libbpf
 * @tool: name that starts every message
 * @verbose: libbpf's own messages go to stderr at once; otherwise they are kept
 *	for bpf_util_explain()
 *
 * Checks, in this order, that the subsystem is loaded, that its BTF is there
 * and that this process may load programs; says on stderr what is missing and
 * what to do.
 *
 * Return: 0, %EXIT_NO_DEVICE or %EXIT_NO_BPF.
 */
int bpf_util_begin(const char *tool, bool verbose);

/**
 * bpf_util_explain() - say on stderr why libbpf failed
 * @what: what was tried: "load the BPF programs"
 * @err: -errno
 *
 * Shows the last lines that libbpf had to say, and the next step.
 *
 * Return: %EXIT_NO_BPF.
 */
int bpf_util_explain(const char *what, int err);

/* bpf_util_may_load() - the BTF of a module, and so the loading, is for CAP_SYS_ADMIN (6.12) */
bool bpf_util_may_load(void);

/**
 * bpf_util_first_way() - which way to a tracepoint is to be tried first
 *
 * Objects are built for tp_btf and for raw_tp (bpf/accel.bpf.h); when the first cannot be
 * loaded, the second is tried. ACCEL_BPF=raw_tp in the environment leaves out the first.
 *
 * Return: 0 (tp_btf) or 1 (raw_tp), as in enum accel_stats_way.
 */
int bpf_util_first_way(void);
const char *bpf_util_way_name(int way);

/* bpf_util_features() - what the running kernel has of what the tools can use; --version -v */
void bpf_util_features(void);

/* bpf_util_missed() - runs of a program that the kernel skipped (nested in itself); by its fd */
uint64_t bpf_util_missed(int prog_fd);

/* bpf_util_quiesce() - wait until programs that were detached have ended on all processors */
void bpf_util_quiesce(void);

/* err_printf() - "tool: message" on stderr; returns 1 */
int err_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* TOOLS_LIB_BPF_UTIL_H */
