// SPDX-License-Identifier: GPL-2.0-only
/* See inject.h; Documentation/fault-injection/fault-injection.rst is the kernel's side. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "inject.h"
#include "tap.h"

static int fail_nth = -1;

static const struct {
	const char *path, *text;
	bool must;
} settings[] = {
	/* the stack of each injection would look like that of a bug */
	{ "/sys/kernel/debug/failslab/verbose", "0", true },
	{ "/sys/kernel/debug/fail_page_alloc/verbose", "0", true },
	{ "/sys/kernel/debug/fail_usercopy/verbose", "0", true },
	{ "/sys/kernel/debug/fail_iommufd/verbose", "0", false },
	/* what may sleep does not fail otherwise, nor does a single page */
	{ "/sys/kernel/debug/failslab/ignore-gfp-wait", "N", true },
	{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N", true },
	{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N", false },
	{ "/sys/kernel/debug/fail_page_alloc/min-order", "0", true },
	/* see mark_caches() */
	{ "/sys/kernel/debug/failslab/cache-filter", "Y", true },
};

/*
 * All caches fail but procfs's: register_irq_proc() does not look whether it got its
 * files in /proc/irq, and unregister_irq_proc() then warns of those that are missing. And
 * those of the checkers: kmemleak and debugobjects that get no memory for what they
 * write down help themselves from a reserve, and when that is empty give up for good.
 */
static bool is_spared(const char *cache)
{
	static const char * const spared[] = {
		"proc_dir_entry", "kmemleak_object", "kmemleak_scan_area", "debug_objects_cache",
	};

	for (unsigned int i = 0; i < sizeof(spared) / sizeof(spared[0]); i++)
		if (!strcmp(cache, spared[i]))
			return true;
	return false;
}

static int mark_caches(void)
{
	static const char slab[] = "/sys/kernel/slab";
	struct dirent *e;
	char path[320];
	int ret = 0;
	DIR *d;

	d = opendir(slab);
	if (!d)
		return -errno;
	while (!ret && (e = readdir(d))) {
		if (e->d_name[0] == '.' || is_spared(e->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s/failslab", slab, e->d_name);
		ret = dev_write(path, "1");
	}
	closedir(d);
	return ret;
}

int inject_init(void)
{
	char path[64];
	unsigned int i;

	snprintf(path, sizeof(path), "/proc/self/task/%d/fail-nth", gettid());
	fail_nth = open(path, O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		return -errno;
	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		int ret = dev_write(settings[i].path, settings[i].text);

		if (ret && settings[i].must)
			return ret;
	}
	return mark_caches();
}

void inject_start(unsigned int nth)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(fail_nth, text, n, 0) != n)
		tap_bail("fail-nth: %s", strerror(errno));
}

bool inject_stop(void)
{
	char text[16] = "";
	bool asking_failed = false;
	ssize_t n;

	/* To ask, and to stop, are chances to fail as well: the one that was next. */
	n = pread(fail_nth, text, sizeof(text) - 1, 0);
	if (n < 0 && errno == EFAULT)
		asking_failed = true;
	else if (n <= 0)
		tap_bail("fail-nth: cannot be read: %s", strerror(errno));
	n = pwrite(fail_nth, "0", 1, 0);
	if (n < 0 && errno == EFAULT) {
		asking_failed = true;
		n = pwrite(fail_nth, "0", 1, 0);
	}
	if (n != 1)
		tap_bail("fail-nth: %s", strerror(errno));
	return !asking_failed && atoi(text) == 0;
}
