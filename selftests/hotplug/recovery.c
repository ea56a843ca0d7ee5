// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1,hotplug" TIMEOUT=180 */
/*
 * The device's link reports 50 errors, fatal and other, while jobs run and wait: the
 * kernel resets the link, and the device recovers. Its jobs end with EIO; the same files,
 * regions and mappings then go on. The same for resets that somebody asked for.
 */
#include "recovery.h"

#define RECOVERIES	50
#define RESETS		10

static char reset_path[96];

/* How the device is made to recover for the @nth time. */
static int by_error(int nth)
{
	static const char * const errors[] = {
		"SDN",		/* surprise down: fatal, the link is reset */
		"COMP_TIME",	/* completion timeout: not fatal, it is not */
		"DLP",		/* data link protocol: fatal */
		"POISON_TLP",	/* not fatal */
	};

	return recovery_inject(errors[nth % 4]);
}

static int by_reset(int nth)
{
	(void)nth;
	return dev_write(reset_path, "1");
}

static const char *recover(int (*how)(int nth), int nth)
{
	const char *wrong;

	if (recovery_busy())
		return "cannot submit";
	if (how(nth))
		return "it cannot be provoked";
	wrong = recovery_ended(0);
	if (!wrong)
		wrong = recovery_told(ACCELERATOR_STATE_OK);
	/* It is through with what it was at by now, whatever it was told. */
	if (!wrong)
		wrong = recovery_unwritten();
	/* 200 ms each: one file after the other */
	if (!wrong)
		wrong = recovery_user_works(&recovery_users[nth % RECOVERY_FILES], nth);
	return wrong;
}

static void many(const char *name, int times, int (*how)(int nth))
{
	int resets = recovery_traced(ACCELERATOR_STATE_OK, ACCELERATOR_STATE_RESETTING), i;
	int recovered = recovery_traced(ACCELERATOR_STATE_RESETTING, ACCELERATOR_STATE_OK);
	const char *wrong = NULL;

	__atomic_store_n(&recovery_sysfs_saw, 0, __ATOMIC_SEQ_CST);
	for (i = 0; i < times && !wrong; i++)
		wrong = recover(how, i);
	tap_ok(!wrong, "%s: recovered %d times, jobs end with EIO, then all works%s%s", name, i,
	       wrong ? ": " : "", wrong ? wrong : "");
	tap_is(recovery_traced(ACCELERATOR_STATE_OK, ACCELERATOR_STATE_RESETTING) - resets, times,
	       "%s: the tracepoint told of each from ok to resetting", name);
	tap_is(recovery_traced(ACCELERATOR_STATE_RESETTING, ACCELERATOR_STATE_OK) - recovered, times,
	       "%s: and of each back", name);
	/* Who is slow to look finds it over. */
	i = __atomic_load_n(&recovery_sysfs_saw, __ATOMIC_SEQ_CST);
	tap_ok(i > 0, "%s: sysfs showed it resetting, %d times to one who polls", name, i);
}

int main(void)
{
	static struct storm before;
	const char *wrong = NULL;
	long long pins;

	recovery_init();
	snprintf(reset_path, sizeof(reset_path), "/sys/bus/pci/devices/%s/reset", hotplug_slot[0]);
	/* Once for what stays: each kind of error, a reset. */
	recovery_enter();
	for (int i = 0; i < 4 && !wrong; i++)
		wrong = recover(by_error, i);
	if (!wrong)
		wrong = recover(by_reset, 0);
	if (wrong)
		tap_bail("%s", wrong);
	recovery_leave();
	storm_before(&before, "accel_edu");

	recovery_enter();
	pins = dev_foll_pins();
	many("errors", RECOVERIES, by_error);
	many("resets", RESETS, by_reset);
	tap_is(dev_attr(recovery_dev.name, "contexts"), RECOVERY_FILES, "all contexts are left");
	tap_is(dev_foll_pins(), pins, "and all regions");
	recovery_leave();
	tap_is(dev_charged_kb(0), 0, "closed: no page is charged for");
	storm_after(&before, "recovered", RECOVERIES + RESETS);
	return tap_done();
}
