/* SPDX-License-Identifier: GPL-2.0-only */
/* What a test has to leave behind: nothing is pinned, charged for, mapped or open. */
#ifndef SELFTESTS_CLEAN_H
#define SELFTESTS_CLEAN_H

#include "device.h"
#include "tap.h"

struct clean {
	long long pinned, mapped, contexts, foll, charged_kb;
};

static inline struct clean clean_read(void)
{
	struct dev_info devs[64];
	struct clean now = { 0 };
	int n = dev_list(devs, 64);

	for (int i = 0; i < n && i < 64; i++) {
		now.pinned += dev_attr(devs[i].name, "pinned_bytes");
		now.mapped += dev_attr(devs[i].name, "mapped_bytes");
		now.contexts += dev_attr(devs[i].name, "contexts");
	}
	now.foll = dev_foll_pins();
	now.charged_kb = dev_charged_kb(0);
	return now;
}

static inline void clean_check(const struct clean *before, const char *after)
{
	struct clean now = clean_read();

	if (!tap_ok(now.pinned == before->pinned && now.mapped == before->mapped &&
		    now.contexts == before->contexts && now.foll == before->foll &&
		    now.charged_kb == before->charged_kb,
		    "nothing is left of %s", after))
		tap_diag("pinned %lld, mapped %lld, contexts %lld, foll_pin %lld, VmPin %lld kB more than before",
			 now.pinned - before->pinned, now.mapped - before->mapped,
			 now.contexts - before->contexts, now.foll - before->foll,
			 now.charged_kb - before->charged_kb);
}

/* The device and its open node; bails out where there is none. */
static inline int open_first(const char *driver, struct dev_info *dev)
{
	int fd;

	if (dev_find(driver, 0, dev))
		tap_bail("no %s device here", driver);
	fd = dev_open(dev->name);
	if (fd < 0)
		tap_bail("cannot open %s", dev->name);
	return fd;
}

#endif
