// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=full DEVICES="edu=1 soft=1" APPEND="dma_debug=off" TIMEOUT=150 */
/*
 * Each allocation, and each copy from or to user space, on each path into the
 * subsystem fails once: the call says so by a sensible errno, leaves nothing behind,
 * and works at the next try. Memory that is lost and warnings in the log are seen by
 * what runs this.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "genl.h"
#include "inject.h"
#include "scene.h"
#include "tap.h"

#include <linux/accelerator_netlink.h>

#define MAX_NTH	5000	/* a sweep that does not end */

static struct genl listener;

static int ignore(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	(void)cmd;
	(void)nlh;
	(void)arg;
	return 0;
}

/* Somebody listens all the time, so that notifications are made and may fail. */
static void listen_to_all(void)
{
	if (genl_open(&listener, ACCELERATOR_FAMILY_NAME) ||
	    genl_subscribe(&listener, ACCELERATOR_MCGRP_DEVICES) ||
	    genl_subscribe(&listener, ACCELERATOR_MCGRP_CONTEXTS))
		tap_bail("cannot listen: %s", listener.error);
}

/* Other than zero: what is in use although nobody uses anything. */
static long long in_use(void)
{
	struct dev_info devs[8];
	int n = dev_list(devs, 8), i;
	long long sum = 0;

	for (i = 0; i < n; i++)
		sum |= dev_attr(devs[i].name, "contexts") |
		       dev_attr(devs[i].name, "pinned_bytes") |
		       dev_attr(devs[i].name, "mapped_bytes");
	return sum;
}

static int once(const struct scene *s, unsigned int nth, bool *injected)
{
	int ret;

	*injected = false;
	if (s->prepare)
		s->prepare(s->arg);
	if (nth)
		inject_start(nth);
	ret = s->run(s->arg);
	if (nth)
		*injected = inject_stop();
	if (s->undo)
		s->undo(s->arg);
	genl_receive(&listener, ignore, NULL);
	return ret;
}

void scene_sweep(const struct scene *s)
{
	unsigned int nth, failed = 0, first_bad = 0, devices;
	long long pins = dev_foll_pins();
	char problem[160] = "";
	struct dev_info devs[8];
	bool injected;
	int ret;

	devices = dev_list(devs, 8);
	ret = once(s, 0, &injected);
	if (ret) {
		tap_is(ret, 0, "%s: works at all", s->name);
		return;
	}
	for (nth = 1; nth < MAX_NTH && !problem[0]; nth += s->step ?: 1) {
		long long used, now;
		int again;

		ret = once(s, nth, &injected);
		now = dev_foll_pins();
		used = in_use();
		failed += injected && ret;
		if (ret && !injected)
			snprintf(problem, sizeof(problem), "%s, although nothing failed", strerror(-ret));
		else if (ret && ret != -ENOMEM && ret != -EFAULT && (!s->also || ret != -s->also))
			snprintf(problem, sizeof(problem), "%s is no sensible answer", strerror(-ret));
		else if (now != pins)
			snprintf(problem, sizeof(problem), "%lld pages stay pinned", now - pins);
		else if (used)
			snprintf(problem, sizeof(problem), "contexts, pinned or mapped bytes are left");
		else if (dev_list(devs, 8) != (int)devices)
			snprintf(problem, sizeof(problem), "not all devices are left");
		if (problem[0])
			first_bad = nth;
		if (!injected)
			break;
		if (problem[0] || s->undo_retries)
			continue;
		again = once(s, 0, &injected);
		if (again) {
			snprintf(problem, sizeof(problem), "then %s at the next try", strerror(-again));
			first_bad = nth;
		}
	}
	if (nth >= MAX_NTH)
		snprintf(problem, sizeof(problem), "no end");
	if (!tap_ok(!problem[0], "%s: %u calls failed, up to chance %u", s->name, failed, nth))
		tap_diag("when the %uth failed: %s", first_bad, problem);
}

int main(void)
{
	int ret = inject_init();

	if (ret == -ENOENT)
		tap_skip_all("this kernel injects no faults");
	if (ret)
		tap_bail("fault injection: %s", strerror(-ret));
	listen_to_all();
	sweep_files();
	sweep_ioctls();
	sweep_netlink();
	sweep_binding();
	tap_ok(!in_use(), "nothing is in use at the end");
	genl_close(&listener);
	return tap_done();
}
