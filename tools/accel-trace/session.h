/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF programs of one trace: loaded, filtered, attached, detached, counted. */
#ifndef ACCEL_TRACE_SESSION_H
#define ACCEL_TRACE_SESSION_H

#include <stdint.h>
#include <sys/types.h>

#include "accel_events.h"
#include "config.h"

struct accel_trace_bpf;

struct session {
	const struct config *config;
	struct accel_trace_bpf *skel;
	int num_cpus;			/* possible ones */
	int *rings;			/* fds, one for each processor; stream only */
	uint32_t ring_size;
	uint64_t *lost_by_cpu;		/* room for session_read_count() */
	int way;			/* enum accel_stats_way: how the programs are attached */
};

struct session_count {
	uint64_t emitted;
	uint64_t lost;
	uint64_t missed;		/* runs of programs that the kernel skipped */
	uint64_t lost_by_type[ACCEL_EV_NR];
	const uint64_t *lost_by_cpu;	/* of num_cpus; until it is read again */
};

/* session_open() - load; 0 or an exit code, then it was said why */
int session_open(struct session *s, const struct config *config);

/* session_add_pid() - trace this process, too */
int session_add_pid(struct session *s, pid_t pid);

/* session_attach() - events flow from here on; 0 or an exit code */
int session_attach(struct session *s);

/* session_detach() - and until here; none is on its way any more when it returns */
void session_detach(struct session *s);

void session_read_count(struct session *s, struct session_count *count);

/* session_rows_fd() - the map of a summary's rows */
int session_rows_fd(struct session *s);

void session_close(struct session *s);

#endif /* ACCEL_TRACE_SESSION_H */
