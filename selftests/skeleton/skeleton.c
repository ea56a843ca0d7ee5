// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" */
/* The driver of the driver guide, loaded as its reader would load it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/accelerator_skeleton.h>

#include "device.h"
#include "tap.h"

#define SIZE	(64 * 4096UL)
#define OFFSET	5000
#define LENGTH	200001

int main(void)
{
	struct accel_skeleton_invert invert = { .offset = OFFSET, .length = LENGTH };
	struct accel_job_wait wait = {};
	unsigned char *mem;
	struct dev_info dev;
	long long pins;
	uint64_t id;
	size_t i, wrong = 0;
	int fd;

	tap_is(system("insmod /usr/lib/accelerator/modules/accel_skeleton.ko"), 0, "insmod");
	if (dev_find("skeleton", 0, &dev))
		tap_bail("no device of accel_skeleton");
	pins = dev_foll_pins();
	fd = dev_open(dev.name);
	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!tap_ok(fd >= 0 && mem != MAP_FAILED, "opened"))
		return tap_done();
	for (i = 0; i < SIZE; i++)
		mem[i] = i * 7;
	tap_is(dev_pin(fd, mem, SIZE, ACCEL_MEM_READ | ACCEL_MEM_WRITE, &id), 0, "pinned");
	invert.mem_id = id;
	tap_is(dev_ioctl(fd, ACCEL_SKELETON_IOCTL_INVERT, &invert), 0, "submitted");
	tap_is(dev_wait(fd, invert.job_id, &wait), 0, "waited");
	tap_is(wait.status, 0, "ended well");
	tap_is(wait.result, LENGTH, "its result");
	for (i = 0; i < SIZE; i++) {
		unsigned char want = i * 7;

		if (i >= OFFSET && i < OFFSET + LENGTH)
			want = ~want;
		wrong += mem[i] != want;
	}
	tap_is(wrong, 0, "every byte of the range inverted, and none beside it");

	invert.length = 0;
	tap_is(dev_ioctl(fd, ACCEL_SKELETON_IOCTL_INVERT, &invert), -EINVAL, "no length: EINVAL");
	invert.length = SIZE;
	tap_is(dev_ioctl(fd, ACCEL_SKELETON_IOCTL_INVERT, &invert), -ERANGE, "beyond: ERANGE");
	tap_is(system("rmmod accel_skeleton"), 0, "rmmod with the file open");
	tap_is(dev_ioctl(fd, ACCEL_SKELETON_IOCTL_INVERT, &invert), -ENODEV, "then: ENODEV");
	tap_is(dev_foll_pins(), pins, "no page is pinned");
	close(fd);
	return tap_done();
}
