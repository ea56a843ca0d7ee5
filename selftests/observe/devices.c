// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=256,engines=1" TIMEOUT=180 */
/* 256 devices, which is as many as there is room for by default, each with its own figures. */
#include <fcntl.h>

#include "../top/frames.h"
#include "accel_stats.h"
#include "device.h"

#define MANY	ACCEL_STATS_DEVICES

/* Ioctls on device number @i: more than on the one before it, now and then. */
static int calls_on(int i)
{
	return 1 + i % 7;
}

int main(void)
{
	char *const argv[] = { "accel-top", "--json", "-d", "2", NULL };
	uint64_t right = 0, wrong = 0, all = 0, made = 0;
	static struct dev_info devs[MANY + 1];
	struct json_node *frame;
	struct seen seen = { 0 };
	struct child top;
	int fds[MANY];

	tap_is(dev_list(devs, MANY + 1), MANY, "devices");
	if (!child_start(&top, argv))
		tap_bail("cannot start accel-top");
	json_free(next_frame(&top, &seen));
	for (int i = 0; i < MANY; i++) {
		struct accel_job_wait wait = { .job_id = UINT64_MAX };

		fds[i] = dev_open(devs[i].name);
		for (int k = 0; k < calls_on(devs[i].index); k++, made++)
			if (dev_ioctl(fds[i], ACCEL_IOCTL_JOB_WAIT, &wait) != -ENOENT)
				tap_bail("ioctl on %s", devs[i].name);
	}
	frame = fresh_frame(&top, &seen);
	tap_is(json_u64_at(frame, "totals.devices"), MANY, "devices in a frame");
	for (const struct json_node *d = json_at(frame, "devices.0"); d; d = d->next) {
		uint64_t n = json_u64_at(d, "latency.ioctl.total.count");

		all += n;
		if (n == json_u64_at(d, "ops.ioctl.calls") &&
		    n == (uint64_t)calls_on(json_u64_at(d, "index")))
			right++;
		else
			wrong++;
	}
	tap_is(right, MANY, "devices whose latencies are as many as their calls");
	tap_is(wrong, 0, "and none that has another's");
	tap_is(all, made, "all latencies");
	tap_is(json_u64_at(frame, "self.lost_no_room"), 0, "nothing lost");
	json_free(frame);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	tap_is(child_end(&top, SIGTERM), 0, "accel-top: exit code");
	return tap_done();
}
