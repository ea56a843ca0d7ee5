/* SPDX-License-Identifier: GPL-2.0-only */
/* One event as a line, for people or as JSON. */
#ifndef ACCEL_TRACE_PRINT_H
#define ACCEL_TRACE_PRINT_H

#include <stdint.h>
#include <stdio.h>

#include "accel_events.h"
#include "config.h"
#include "out.h"

struct printer {
	const struct config *config;
	FILE *f;		/* JSON; a line is written by hand to @out */
	struct out out;
	int64_t realtime;	/* CLOCK_REALTIME - CLOCK_MONOTONIC as the trace began */
	uint64_t last_ns;	/* of the line before; 0: none */
	time_t second;		/* that @clock shows */
	char clock[16];
	/* who and where: as a rule the same as on the line before */
	struct accel_event last;
	size_t who_len;
	char who[128];
};

/* print_begin() - @f: where to; nothing else is to write there until print_flush() */
void print_begin(struct printer *p, const struct config *config, FILE *f);

/* print_event() - as the configuration wants it; its stack is behind it */
void print_event(struct printer *p, const struct accel_event *e);

/* print_flush() - 0 or -errno of the first write that failed */
int print_flush(struct printer *p);

/* event_stack() - the frames of an event that has them */
static inline const __u64 *event_stack(const struct accel_event *e)
{
	return (const __u64 *)((const char *)e + accel_event_size(e->type));
}

/* way_name() - an enum accel_mem_way of the kernel */
const char *way_name(uint32_t way);

/* print_json.c */
void print_event_json(struct printer *p, const struct accel_event *e);

/* stack.c: the frames of a stack, from the tracepoint's caller on */
void print_stack(struct out *o, const __u64 *stack);
int stack_first(const __u64 *stack);
const char *stack_symbol(uint64_t address, uint64_t *offset);

#endif /* ACCEL_TRACE_PRINT_H */
