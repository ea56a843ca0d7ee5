// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=full DEVICES="edu=1 soft=1" APPEND="dma_debug=off rcupdate.rcu_expedited=1 hugepages=2" TIMEOUT=900 */
/*
 * Each allocation, and each copy from or to user space, on each path into the
 * subsystem fails once: the call says so by a sensible errno, leaves nothing behind,
 * and works at the next try. Memory that is lost and warnings in the log are seen by
 * what runs this.
 *
 * Arguments are the parts to run: files, ioctls, memory, netlink, policy, bind-soft, bind-edu,
 * attach, pasid; none: all but attach, which needs an IOMMU (attach.sh), and pasid, which needs
 * mock devices (pasid.sh).
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

static struct genl listener, asker;

static int ignore(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	(void)cmd;
	(void)nlh;
	(void)arg;
	return 0;
}

/* Somebody listens all the time, so that notifications are made and may fail. */
static void open_sockets(void)
{
	if (genl_open(&listener, ACCELERATOR_FAMILY_NAME) ||
	    genl_subscribe(&listener, ACCELERATOR_MCGRP_DEVICES) ||
	    genl_subscribe(&listener, ACCELERATOR_MCGRP_CONTEXTS))
		tap_bail("cannot listen: %s", listener.error);
	if (genl_open(&asker, ACCELERATOR_FAMILY_NAME))
		tap_bail("cannot ask: %s", asker.error);
}

/* What there is, and what of it is in use although nobody uses anything. */
struct found {
	unsigned int devices;
	uint64_t used;
};

static int add_device(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *a[ACCEL_NL_A_DEV_MAX + 1];
	struct found *found = arg;

	(void)cmd;
	genl_attrs(nlh, NULL, a, ACCEL_NL_A_DEV_MAX);
	found->devices++;
	found->used |= genl_uint(a[ACCEL_NL_A_DEV_CONTEXTS]) |
		       genl_uint(a[ACCEL_NL_A_DEV_PINNED_BYTES]) |
		       genl_uint(a[ACCEL_NL_A_DEV_MAPPED_BYTES]);
	return 0;
}

/* One request, where sysfs takes a dozen files: this runs after each chance. */
static struct found look(void)
{
	struct found found = { 0 };

	if (genl_request(&asker, ACCEL_NL_CMD_DEVICE_GET, NLM_F_DUMP, NULL, add_device, &found))
		tap_bail("cannot ask: %s", asker.error);
	return found;
}

void scene_listen(bool on)
{
	static const char * const events[] = { "accel_mem_pin", "accel_dma_map" };
	char path[96];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/sys/kernel/tracing/events/accel/%s/enable", events[i]);
		if (dev_write(path, on ? "1" : "0"))
			tap_bail("%s cannot be written", path);
	}
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

static bool sensible(const struct scene *s, int ret)
{
	unsigned int i;

	for (i = 0; i < sizeof(s->also) / sizeof(s->also[0]); i++)
		if (ret == -s->also[i])
			return true;
	return !ret || ret == -ENOMEM || ret == -EFAULT;
}

void scene_sweep(const struct scene *s)
{
	unsigned int nth, failed = 0, first_bad = 0, devices = look().devices;
	long long pins = dev_foll_pins();
	long charged = dev_charged_kb(0), left = s->left ? s->left() : 0;
	char problem[160] = "";
	bool injected;
	int ret;

	ret = once(s, 0, &injected);
	if (ret) {
		tap_is(ret, 0, "%s: works at all", s->name);
		return;
	}
	for (nth = 1; nth < MAX_NTH && !problem[0]; nth++) {
		struct found found;
		long long now;
		int again;

		ret = once(s, nth, &injected);
		now = dev_foll_pins();
		found = look();
		failed += injected && ret;
		if (ret && !injected)
			snprintf(problem, sizeof(problem), "%s, although nothing failed", strerror(-ret));
		else if (!sensible(s, ret))
			snprintf(problem, sizeof(problem), "%s is no sensible answer", strerror(-ret));
		else if (now != pins)
			snprintf(problem, sizeof(problem), "%lld pages stay pinned", now - pins);
		else if (dev_charged_kb(0) != charged)
			snprintf(problem, sizeof(problem), "%ld kB stay charged for",
				 dev_charged_kb(0) - charged);
		else if (s->left && s->left() != left)
			snprintf(problem, sizeof(problem), "%ld left, where there were %ld", s->left(), left);
		else if (found.used)
			snprintf(problem, sizeof(problem), "contexts, pinned or mapped bytes are left");
		else if (found.devices != devices)
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

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*sweep)(void);
		bool special;	/* runs only when it is asked for */
	} parts[] = {
		{ "files", sweep_files, false },
		{ "ioctls", sweep_ioctls, false },
		{ "memory", sweep_memory, false },
		{ "netlink", sweep_netlink, false },
		{ "policy", sweep_policy, false },
		{ "bind-soft", sweep_soft_binding, false },
		{ "bind-edu", sweep_edu_binding, false },
		{ "attach", sweep_attach, true },
		{ "pasid", sweep_pasid, true },
	};
	unsigned int i;
	int ret, k;

	ret = inject_init();
	if (ret == -ENOENT)
		tap_skip_all("this kernel injects no faults");
	if (ret)
		tap_bail("fault injection: %s", strerror(-ret));
	open_sockets();
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (k = 1; k < argc && strcmp(argv[k], parts[i].name); k++)
			;
		if (argc == 1 ? !parts[i].special : k < argc)
			parts[i].sweep();
	}
	tap_ok(!look().used, "nothing is in use at the end");
	genl_close(&listener);
	genl_close(&asker);
	return tap_done();
}
