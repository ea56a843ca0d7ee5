/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of the netlink family "accelerator" as the model's objects. */
#ifndef ACCEL_LIB_MODEL_NETLINK_H
#define ACCEL_LIB_MODEL_NETLINK_H

#include <linux/netlink.h>

#include "model.h"

/* What a message of a device or a context says of it, besides its own attributes. */
struct accel_nl_owner {
	uint64_t dev_id;
	char dev_name[ACCEL_MODEL_NAME];
};

/*
 * Each fills in an object that is zeroed, or new from accel_*_add_*().
 * accel_nl_parse_context() allocates what accel_nl_release_context() frees.
 */
void accel_nl_parse_device(const struct nlmsghdr *nlh, struct accel_device_info *dev);
int accel_nl_parse_context(const struct nlmsghdr *nlh, struct accel_context_info *ctx,
			   struct accel_nl_owner *owner);
void accel_nl_release_context(struct accel_context_info *ctx);

#endif /* ACCEL_LIB_MODEL_NETLINK_H */
