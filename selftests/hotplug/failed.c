// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1,hotplug" TIMEOUT=60 */
/*
 * Recovery that fails: the hardware is not there any more after an error (the edu
 * driver's parameter "gone"). The device is FAILED; its files answer EIO but for what
 * gives things back; a reset that succeeds brings it back, and it can be unbound.
 */
#include "recovery.h"

#define DRIVER	"/sys/bus/pci/drivers/accel_edu/"
#define GONE	"/sys/module/accel_edu/parameters/gone"
#define TIMES	5

static char reset_path[96];

static void state_is(const char *want, const char *when)
{
	char state[32];

	recovery_state(state);
	tap_ok(!strcmp(state, want), "%s: sysfs says %s", when, state);
}

/* What a file of a device that has failed answers. */
static void answers(struct recovery_user *u)
{
	struct accel_edu_factorial factorial = { .n = 3 };
	struct accel_job_wait wait;
	uint64_t mem;
	int fd;

	tap_is(dev_ioctl(u->fd, ACCEL_EDU_IOCTL_FACTORIAL, &factorial), -EIO, "failed: no job");
	tap_is(dev_pin(u->fd, u->page, PAGE, ACCEL_MEM_READ, &mem), -EIO, "failed: no pin");
	tap_is(dev_unpin(u->fd, ~0ULL), -ENOENT, "failed: unpinning is allowed");
	tap_is(dev_wait(u->fd, ~0ULL, &wait), -ENOENT, "failed: waiting is allowed");
	fd = dev_open(recovery_dev.name);
	tap_ok(fd >= 0, "failed: it can be opened");
	close(fd);
	tap_is(u->map[0], 0, "failed: registers that were mapped are not there");
}

static void fail(const char *error)
{
	const char *wrong;

	if (recovery_busy())
		tap_bail("cannot submit");
	storm_write(GONE, "1");
	if (recovery_inject(error))
		tap_bail("cannot inject");
	wrong = recovery_told(ACCELERATOR_STATE_FAILED);
	if (!wrong)
		/* a job that starts before the error is noticed finds no hardware */
		wrong = recovery_ended(-ENODEV);
	tap_ok(!wrong, "%s on hardware that then is gone: its jobs fail, it is failed%s%s",
	       error, wrong ? ": " : "", wrong ? wrong : "");
	state_is("failed", error);
}

int main(void)
{
	const char *wrong;
	long long pins;

	recovery_init();
	recovery_enter();
	snprintf(reset_path, sizeof(reset_path), "/sys/bus/pci/devices/%s/reset", hotplug_slot[0]);
	pins = dev_foll_pins();

	tap_is(recovery_users[0].map[0] & 0xff, RECOVERY_EDU, "registers are mapped");
	fail("SDN");
	answers(&recovery_users[0]);
	tap_is(dev_write(reset_path, "1"), 0, "reset while it is gone");
	tap_ok(!recovery_told(ACCELERATOR_STATE_FAILED), "then it fails again");
	storm_write(GONE, "0");
	tap_is(dev_write(reset_path, "1"), 0, "reset when it is there");
	tap_ok(!recovery_told(ACCELERATOR_STATE_OK), "then it works");
	wrong = recovery_user_works(&recovery_users[0], 1);
	tap_ok(!wrong, "the same files and regions go on%s%s", wrong ? ": " : "", wrong ? wrong : "");

	for (int i = 0; i < TIMES; i++) {
		fail(i % 2 ? "SDN" : "COMP_TIME");
		storm_write(GONE, "0");
		if (i == TIMES - 1)
			break;
		if (dev_write(reset_path, "1") || recovery_told(ACCELERATOR_STATE_OK))
			tap_bail("it does not come back");
	}
	tap_is(dev_write(DRIVER "unbind", hotplug_slot[0]), 0, "failed: it can be unbound");
	tap_is(dev_foll_pins(), pins - RECOVERY_FILES, "unbound: no page is pinned");
	tap_is(dev_charged_kb(0), 0, "unbound: nor charged for");
	tap_is(storm_ask(recovery_users[0].fd), -ENODEV, "unbound: a file answers ENODEV");
	recovery_leave();
	tap_is(dev_write(DRIVER "bind", hotplug_slot[0]), 0, "it can be bound again");
	if (hotplug_await(0, 1, &recovery_dev))
		tap_bail("it does not come back");
	tap_is(hotplug_works(&recovery_dev, recovery_users[0].page), 0, "and works");
	return tap_done();
}
