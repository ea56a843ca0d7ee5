/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory that bpf/accel_stats.bpf.c counts in, mapped: of programs that are loaded
 * here and go with this process, or of those that "accelctl observe on" has pinned, for
 * which a reader needs no more than the permission to open three files.
 */
#ifndef TOOLS_LIB_STATS_MAPS_H
#define TOOLS_LIB_STATS_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accel_stats.h"

/* Where observe pins; while it does, and while it undoes it, under the second name. */
#define STATS_PINS	"/sys/fs/bpf/accelerator"
#define STATS_PARTIAL	"/sys/fs/bpf/accelerator-partial"
/*
 * The same directory once more: systemd mounts /sys/fs/bpf for root alone (mode 0700), so
 * that nobody else gets as far as the pins, whatever their own mode is.
 */
#define STATS_DOOR	"/run/accelerator/observe"

#define STATS_PROGS	8	/* of bpf/accel_stats.bpf.c */

struct bpf_object;
struct bpf_link;

struct stats_maps {
	const struct accel_stats_control *control;
	const struct accel_stats_ctx *contexts;
	const struct accel_stats_dev *devices;
	uint32_t num_contexts, num_devices;
	bool pinned;
	int progs[STATS_PROGS];	/* of those that may be asked what they cost */
	int num_progs;
	/* private */
	int fds[3];			/* of maps that cannot be mapped: these are copies */
	bool copied;
	struct bpf_object *obj;
	struct bpf_link *links[STATS_PROGS];
	size_t control_len, contexts_len, devices_len;
};

/* How much room there is for; 0: the default. */
struct stats_room {
	uint32_t contexts;
	uint32_t devices;
};

/* stats_maps_pinned() - whether there is something for stats_maps_open(), without opening it */
bool stats_maps_pinned(void);

/**
 * stats_maps_load() - load and attach programs of our own
 * @m: out; stats_maps_close() also after an error
 * @room: for how many
 * @why: out: what went wrong and the next step
 * @size: of @why
 *
 * Return: 0 or -errno.
 */
int stats_maps_load(struct stats_maps *m, const struct stats_room *room, char *why, size_t size);

/**
 * stats_maps_open() - map what is pinned
 * @m: out; stats_maps_close() also after an error
 * @why: out: what went wrong and the next step
 * @size: of @why
 *
 * Return: 0; -ENOENT: nothing is pinned, or not for us to see; -EPROTO: by a tool of
 * another version; another -errno.
 */
int stats_maps_open(struct stats_maps *m, char *why, size_t size);

/*
 * stats_maps_refresh() - before each look; 0 or -errno
 *
 * Linux (6.12 at least) maps no BPF map whose descriptor is read-only, and a read-only one
 * is all that the pins' group gets. Then the used part of each array is copied, by one
 * system call for each 256 records. Nothing is done where it is mapped.
 */
int stats_maps_refresh(struct stats_maps *m);

/* stats_maps_close() - programs that are not pinned go */
void stats_maps_close(struct stats_maps *m);

#endif /* TOOLS_LIB_STATS_MAPS_H */
