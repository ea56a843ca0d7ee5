// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=3,engines=8,depth=16" */
/*
 * Two soft devices have as many jobs at work as their engines take, 128 each, and none of
 * them ends: the third one's users do not notice, and it can be unplugged.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "tap.h"

#define LINGER	"/sys/module/accel_soft/parameters/linger"
#define DRIVER	"/sys/bus/platform/drivers/accel_soft/"
#define ENGINES	8
#define DEPTH	16
#define BUSY	2

static unsigned int running(const struct dev_info *dev)
{
	unsigned int sum = 0;
	char attr[48];

	for (int i = 0; i < ENGINES; i++) {
		snprintf(attr, sizeof(attr), "engines/eng%d/running", i);
		sum += dev_attr(dev->name, attr);
	}
	return sum;
}

/* Jobs on all engines, which do not end while LINGER is set; returns the file. */
static int fill(const struct dev_info *dev, uint64_t *last)
{
	int fd = dev_open(dev->name);

	if (fd < 0 || dev_soft_latency(dev->name, 1))
		tap_bail("%s: cannot be opened, or have a latency", dev->name);
	for (int i = 0; i < ENGINES * DEPTH; i++) {
		struct accel_soft_submit submit = {
			.op = ACCEL_SOFT_OP_NOP, .engine = i % ENGINES,
		};

		if (dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &submit))
			tap_bail("%s: cannot submit", dev->name);
		*last = submit.job_id;
	}
	while (running(dev) != ENGINES * DEPTH)
		usleep(1000);
	return fd;
}

int main(void)
{
	struct accel_soft_submit nop = { .op = ACCEL_SOFT_OP_NOP };
	struct accel_job_wait wait;
	struct dev_info dev[BUSY + 1];
	uint64_t last[BUSY];
	int fd[BUSY + 1];

	for (int i = 0; i <= BUSY; i++)
		if (dev_find("soft", i, &dev[i]))
			tap_bail("no soft device %d", i);
	tap_is(dev_write(LINGER, "4"), 0, "jobs of engines with a latency are not to end");
	for (int i = 0; i < BUSY; i++)
		fd[i] = fill(&dev[i], &last[i]);
	fd[BUSY] = dev_open(dev[BUSY].name);
	tap_is(dev_soft(fd[BUSY], &nop, NULL), 0, "a job on the third device ends");
	tap_is(dev_write(DRIVER "unbind", "accel_soft.2"), 0, "and it can be unbound");
	close(fd[BUSY]);
	for (int i = 0; i < BUSY; i++)
		tap_is(running(&dev[i]), ENGINES * DEPTH, "%s: none of its jobs has ended",
		       dev[i].name);
	tap_is(dev_write(LINGER, "0"), 0, "they are to end");
	for (int i = 0; i < BUSY; i++) {
		int ret = dev_wait(fd[i], last[i], &wait);

		tap_is(ret ? ret : wait.status, 0, "%s: they end", dev[i].name);
		close(fd[i]);
	}
	tap_is(dev_write(DRIVER "bind", "accel_soft.2"), 0, "the third device comes back");
	return tap_done();
}
