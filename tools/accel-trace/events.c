// SPDX-License-Identifier: GPL-2.0-only
#include "events.h"

#include <string.h>

/* With the prefix; the short name is what follows it. */
#define PREFIX	"accel_"

static const char *const tracepoints[ACCEL_EV_NR] = {
	[ACCEL_EV_DEVICE_REGISTER] = PREFIX "device_register",
	[ACCEL_EV_DEVICE_UNREGISTER] = PREFIX "device_unregister",
	[ACCEL_EV_DEVICE_RELEASE] = PREFIX "device_release",
	[ACCEL_EV_DEVICE_STATE] = PREFIX "device_state",
	[ACCEL_EV_UNPLUG_DRAIN] = PREFIX "unplug_drain",
	[ACCEL_EV_CONTEXT_OPEN] = PREFIX "context_open",
	[ACCEL_EV_CONTEXT_CLOSE] = PREFIX "context_close",
	[ACCEL_EV_IOCTL_ENTER] = PREFIX "ioctl_enter",
	[ACCEL_EV_IOCTL] = PREFIX "ioctl",
	[ACCEL_EV_MMAP] = PREFIX "mmap",
	[ACCEL_EV_MUNMAP] = PREFIX "munmap",
	[ACCEL_EV_MEM_PIN] = PREFIX "mem_pin",
	[ACCEL_EV_MEM_UNPIN] = PREFIX "mem_unpin",
	[ACCEL_EV_DMA_MAP] = PREFIX "dma_map",
	[ACCEL_EV_DMA_UNMAP] = PREFIX "dma_unmap",
	[ACCEL_EV_JOB_QUEUE] = PREFIX "job_queue",
	[ACCEL_EV_JOB_START] = PREFIX "job_start",
	[ACCEL_EV_JOB_DONE] = PREFIX "job_done",
	[ACCEL_EV_POLICY_DENY] = PREFIX "policy_deny",
};

/* A name stands before a class of the same name: "ioctl" is the call, not its entry. */
static const struct {
	const char *name;
	uint32_t mask;
} classes[] = {
	{ "all", EVENTS_ALL },
	{ "device", EVENT_BIT(ACCEL_EV_DEVICE_REGISTER) | EVENT_BIT(ACCEL_EV_DEVICE_UNREGISTER) |
		    EVENT_BIT(ACCEL_EV_DEVICE_RELEASE) | EVENT_BIT(ACCEL_EV_DEVICE_STATE) |
		    EVENT_BIT(ACCEL_EV_UNPLUG_DRAIN) },
	{ "context", EVENT_BIT(ACCEL_EV_CONTEXT_OPEN) | EVENT_BIT(ACCEL_EV_CONTEXT_CLOSE) },
	{ "ctx", EVENT_BIT(ACCEL_EV_CONTEXT_OPEN) | EVENT_BIT(ACCEL_EV_CONTEXT_CLOSE) },
	{ "map", EVENT_BIT(ACCEL_EV_MMAP) | EVENT_BIT(ACCEL_EV_MUNMAP) },
	{ "pin", EVENT_BIT(ACCEL_EV_MEM_PIN) | EVENT_BIT(ACCEL_EV_MEM_UNPIN) },
	{ "dma", EVENT_BIT(ACCEL_EV_DMA_MAP) | EVENT_BIT(ACCEL_EV_DMA_UNMAP) },
	{ "mem", EVENT_BIT(ACCEL_EV_MEM_PIN) | EVENT_BIT(ACCEL_EV_MEM_UNPIN) |
		 EVENT_BIT(ACCEL_EV_DMA_MAP) | EVENT_BIT(ACCEL_EV_DMA_UNMAP) },
	{ "job", EVENT_BIT(ACCEL_EV_JOB_QUEUE) | EVENT_BIT(ACCEL_EV_JOB_START) |
		 EVENT_BIT(ACCEL_EV_JOB_DONE) },
	{ "policy", EVENT_BIT(ACCEL_EV_POLICY_DENY) },
};

const char *const event_words[] = {
	"ioctl", "pin", "dma", "mem", "map", "job", "policy", "context", "device", "all",
	"device_register", "device_unregister", "device_release", "device_state", "unplug_drain",
	"context_open", "context_close", "ioctl_enter", "mmap", "munmap", "mem_pin", "mem_unpin",
	"dma_map", "dma_unmap", "job_queue", "job_start", "job_done",
	"policy_deny", NULL
};

const char *event_tracepoint(unsigned int type)
{
	return type < ACCEL_EV_NR ? tracepoints[type] : "?";
}

const char *event_name(unsigned int type)
{
	return type < ACCEL_EV_NR ? tracepoints[type] + strlen(PREFIX) : "?";
}

const char *event_time_means(unsigned int type)
{
	switch (type) {
	case ACCEL_EV_JOB_START:
		return "wait";
	case ACCEL_EV_JOB_DONE:
		return "run";
	default:
		return "";
	}
}

static uint32_t word_mask(const char *word)
{
	if (!strncmp(word, PREFIX, strlen(PREFIX)))
		word += strlen(PREFIX);
	for (unsigned int i = 0; i < ACCEL_EV_NR; i++)
		if (!strcmp(word, event_name(i)))
			return EVENT_BIT(i);
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (!strcmp(word, classes[i].name))
			return classes[i].mask;
	return 0;
}

const char *events_parse(const struct opt_list *list, uint32_t *mask)
{
	/* "!a,b" is everything but a and b: the sign holds for its whole list. */
	bool without = list->count && list->items[0][0] == '!';

	*mask = without ? EVENTS_DEFAULT : 0;
	for (size_t i = 0; i < list->count; i++) {
		const char *word = list->items[i];
		bool negated = *word == '!';
		uint32_t bits = word_mask(word + negated);

		if (!bits)
			return word;
		if (negated || without)
			*mask &= ~bits;
		else
			*mask |= bits;
	}
	return NULL;
}
