/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The events of a region's life, as the tests of what they say read them. */
#ifndef MEM_TRACED_H
#define MEM_TRACED_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "tap.h"

#define TRACEFS	"/sys/kernel/tracing"

#define PIN	"accel_mem_pin: "
#define MAP	"accel_dma_map: "

static inline void set(const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), TRACEFS "/%s", file);
	if (dev_write(path, text))
		tap_bail("%s: cannot write %s", path, text);
}

/* A field of the only line about @event since the trace was emptied; -1: there is none. */
static inline long long field(const char *event, const char *name)
{
	char line[1024], want[64];
	long long value = -1;
	FILE *f = fopen(TRACEFS "/trace", "re");

	snprintf(want, sizeof(want), " %s=", name);
	while (f && fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, event);

		at = at ? strstr(at, want) : NULL;
		if (at && value >= 0)
			tap_bail("two lines about %s", event);
		if (at)
			value = strtoll(at + strlen(want), NULL, 0);
	}
	if (f)
		fclose(f);
	return value;
}

/* Empty the trace. */
static inline void forget(void)
{
	close(open(TRACEFS "/trace", O_WRONLY | O_TRUNC | O_CLOEXEC));
}

static inline void listen_to_mem(void)
{
	if (access(TRACEFS "/events", F_OK) &&
	    ((mkdir(TRACEFS, 0700) && errno != EEXIST) ||
	     system("mount -t tracefs tracefs " TRACEFS)))
		tap_bail("no " TRACEFS);
	set("events/accel/accel_mem_pin/enable", "1");
	set("events/accel/accel_mem_unpin/enable", "1");
	set("events/accel/accel_dma_map/enable", "1");
	set("events/accel/accel_dma_unmap/enable", "1");
}

#endif
