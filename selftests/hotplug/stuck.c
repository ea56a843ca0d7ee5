// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1,hotplug" TIMEOUT=120 */
/*
 * Hardware that goes on with a job that it was told to forget: a DMA takes 100 ms, and the
 * edu driver's parameter stop_ms says that it waits for 1. The device is failed, and
 * reaches no memory from then on: not that of the file that was closed, which is somebody
 * else's by now. A reset brings it back.
 */
#include "recovery.h"

#define STOP_MS		"/sys/module/accel_edu/parameters/stop_ms"
#define ATTEMPTS	200	/* a DMA may have ended just as it was cancelled */

static int state_is(const char *want)
{
	char state[32];

	recovery_state(state);
	return !strcmp(state, want);
}

/* Whether the device may reach memory, as its configuration has it. */
static int is_master(void)
{
	unsigned char command = 0;
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", hotplug_slot[0]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &command, 1, 4) != 1)
		tap_bail("%s: %s", path, strerror(errno));
	close(fd);
	return !!(command & 4);
}

/*
 * A file is closed while the device writes to its page. 1: the device went on for too
 * long: it takes no job any more.
 */
static int closed_in_a_dma(unsigned char *page)
{
	struct recovery_user u = { .page = page }, *other = &recovery_users[0];
	uint64_t job;
	int ret;

	u.fd = dev_open(recovery_dev.name);
	if (u.fd < 0 || dev_pin(u.fd, page, PAGE, ACCEL_MEM_READ | ACCEL_MEM_WRITE, &u.mem) ||
	    recovery_submit(&u, ACCEL_EDU_OP_FROM_DEVICE, &job))
		tap_bail("open, pin or submit");
	while (dev_attr(recovery_dev.name, "engines/edu/queued"))
		usleep(100);
	close(u.fd);
	ret = recovery_submit(other, ACCEL_EDU_OP_TO_DEVICE, &job);
	if (ret && ret != -EIO)
		tap_bail("submit: %s", strerror(-ret));
	if (!ret) {
		struct accel_job_wait wait;

		/* or it was at it before the close was through with the other */
		if (dev_wait(other->fd, job, &wait) || wait.status)
			tap_bail("a job after the close");
	}
	return ret == -EIO;
}

int main(void)
{
	static unsigned char want[PAGE];
	char reset_path[96];
	const char *wrong;
	unsigned char *page;
	long long pins;
	int stuck = 0;

	recovery_init();
	recovery_enter();
	snprintf(reset_path, sizeof(reset_path), "/sys/bus/pci/devices/%s/reset", hotplug_slot[0]);
	pins = dev_foll_pins();
	wrong = recovery_user_works(&recovery_users[0], 1);
	tap_ok(!wrong, "it works%s%s", wrong ? ": " : "", wrong ? wrong : "");
	tap_is(is_master(), 1, "and is bus master");

	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		tap_bail("no memory: %s", strerror(errno));
	storm_write(STOP_MS, "1");
	for (int i = 0; i < ATTEMPTS && !stuck; i++) {
		memset(page, 0xa5, PAGE);
		stuck = closed_in_a_dma(page);
	}
	tap_ok(stuck, "a DMA that does not stop when its file is closed: no more jobs, EIO");
	memset(want, 0xa5, PAGE);
	tap_is(is_master(), 0, "it is bus master no more");
	tap_is(dev_foll_pins(), pins, "the file's page is not pinned");
	while (!state_is("failed"))
		usleep(1000);
	tap_ok(1, "the device is failed");

	storm_write(STOP_MS, "10000");
	tap_is(dev_write(reset_path, "1"), 0, "reset, which waits for the DMA's end");
	tap_ok(!memcmp(page, want, PAGE), "it has not written to the page");
	tap_ok(state_is("ok"), "the device is ok");
	tap_is(is_master(), 1, "and bus master again");
	wrong = recovery_user_works(&recovery_users[0], 2);
	tap_ok(!wrong, "the same files and regions go on%s%s", wrong ? ": " : "",
	       wrong ? wrong : "");
	recovery_leave();
	tap_is(dev_foll_pins(), pins - RECOVERY_FILES, "closed: no page is pinned");
	return tap_done();
}
