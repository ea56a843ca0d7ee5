/* SPDX-License-Identifier: GPL-2.0-only */
/* Snapshots as JSON. accelctl(1) documents the members; they are only ever added. */
#ifndef ACCELCTL_SHOW_H
#define ACCELCTL_SHOW_H

#include "model.h"

struct json;

enum json_kind {
	JSON_DEVICES,
	JSON_ENGINES,
	JSON_CONTEXTS,
	JSON_STATS,
};

/* One document on stdout; 0 or -errno. */
int show_json(const struct accel_snapshot *snap, enum json_kind kind);

/* One object, the members of which are the same everywhere. */
void json_device(struct json *j, const char *key, const struct accel_device_info *dev);
void json_context(struct json *j, const char *key, const char *dev_name, uint64_t dev_id,
		  const struct accel_context_info *ctx);

#endif /* ACCELCTL_SHOW_H */
