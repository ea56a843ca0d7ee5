/* SPDX-License-Identifier: GPL-2.0-only */
/* One event as a line, for people or as JSON. */
#ifndef ACCEL_TRACE_PRINT_H
#define ACCEL_TRACE_PRINT_H

#include <stdint.h>
#include <stdio.h>

#include "accel_events.h"
#include "config.h"

struct printer {
	const struct config *config;
	FILE *f;
	int64_t realtime;	/* CLOCK_REALTIME - CLOCK_MONOTONIC as the trace began */
	uint64_t last_ns;	/* of the line before; 0: none */
};

void print_begin(struct printer *p, const struct config *config, FILE *f);

/* print_event() - as the configuration wants it */
void print_event(struct printer *p, const struct accel_event *e);

/* way_name() - an enum accel_mem_way of the kernel */
const char *way_name(uint32_t way);

/* print_json.c */
void print_event_json(struct printer *p, const struct accel_event *e);

/* stack.c: the frames of a struct accel_event_stack, from the tracepoint's caller on */
void print_stack(FILE *f, const struct accel_event_stack *e);
int stack_first(const struct accel_event_stack *e);
const char *stack_symbol(uint64_t address, uint64_t *offset);

#endif /* ACCEL_TRACE_PRINT_H */
