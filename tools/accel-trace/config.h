/* SPDX-License-Identifier: GPL-2.0-only */
/* What the user asked for. */
#ifndef ACCEL_TRACE_CONFIG_H
#define ACCEL_TRACE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_FILTER	16	/* devices, contexts, errnos; the BPF program's arrays */

enum mode { MODE_STREAM, MODE_SUMMARY, MODE_HIST };

struct config {
	enum mode mode;
	uint32_t events;		/* mask by enum accel_event_type */
	bool events_given;
	uint32_t *pids;
	size_t num_pids;
	uint32_t devices[MAX_FILTER];
	size_t num_devices;
	uint64_t contexts[MAX_FILTER];
	size_t num_contexts;
	int errnos[MAX_FILTER];
	size_t num_errnos;
	const char *cgroup;
	bool follow;
	bool only_ok;
	bool only_failed;
	uint64_t min_lat_ns;

	int times;			/* -t, -tt, -ttt */
	bool relative;
	bool exact;			/* -T */
	bool stack;
	bool json;
	const char *output;
	int sort;
	uint32_t by;			/* ACCEL_BY_* */

	uint64_t duration_ns;		/* 0: no end */
	long long max_events;		/* 0: no end */
	uint64_t buffer;		/* bytes of each ring */
	long long groups;		/* rows of a summary */
	bool strict;
	bool verbose;
	char **command;			/* NULL: none */
};

/* enum of -S, in the order of its choices */
enum sort_key { SORT_TIME, SORT_CALLS, SORT_ERRORS, SORT_AVG, SORT_P99, SORT_MAX, SORT_NAME };

/**
 * config_parse() - read the command line
 * @c: out
 * @argc: main()'s
 * @argv: main()'s
 *
 * Return: OPTS_GO_ON, or the code to exit with.
 */
int config_parse(struct config *c, int argc, char **argv);
void config_free(struct config *c);

#endif /* ACCEL_TRACE_CONFIG_H */
