/* SPDX-License-Identifier: GPL-2.0-only */
/* Events by name and by class: what -e understands. */
#ifndef ACCEL_TRACE_EVENTS_H
#define ACCEL_TRACE_EVENTS_H

#include <stdint.h>

#include "accel_events.h"
#include "opts.h"

#define EVENT_BIT(type)		(1U << (type))
#define EVENTS_ALL		((1U << ACCEL_EV_NR) - 1)
/* One line for each call, as strace(1) has it, not two. */
#define EVENTS_DEFAULT		(EVENTS_ALL & ~EVENT_BIT(ACCEL_EV_IOCTL_ENTER))
/* Those that take time. */
#define EVENTS_TIMED		(EVENT_BIT(ACCEL_EV_IOCTL) | EVENT_BIT(ACCEL_EV_MMAP) | \
				 EVENT_BIT(ACCEL_EV_MEM_PIN) | EVENT_BIT(ACCEL_EV_MEM_UNPIN) | \
				 EVENT_BIT(ACCEL_EV_DMA_MAP) | EVENT_BIT(ACCEL_EV_DMA_UNMAP) | \
				 EVENT_BIT(ACCEL_EV_CONTEXT_OPEN) | \
				 EVENT_BIT(ACCEL_EV_CONTEXT_CLOSE) | \
				 EVENT_BIT(ACCEL_EV_JOB_START) | EVENT_BIT(ACCEL_EV_JOB_DONE))

/* event_name() - "ioctl", "job_done"; event_tracepoint() - "accel_ioctl" */
const char *event_name(unsigned int type);
const char *event_tracepoint(unsigned int type);

/* event_time_means() - "" for the time of the call itself, else "wait", "run" */
const char *event_time_means(unsigned int type);

/* Every word that -e takes, NULL-terminated. */
extern const char *const event_words[];

/**
 * events_parse() - names and classes to a mask
 * @list: "ioctl", "accel_ioctl", "job", "!pin", "all"; a list that begins with a "!" is
 *	taken from the default
 * @mask: out: bit i: event of type i
 *
 * Return: NULL, or the first word that is not understood.
 */
const char *events_parse(const struct opt_list *list, uint32_t *mask);

#endif /* ACCEL_TRACE_EVENTS_H */
