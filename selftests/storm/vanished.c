// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1" TIMEOUT=40 */
/*
 * Hardware that is not there any more, though nobody has said so: each register reads
 * all ones (the edu driver's parameter "gone"). The device goes afterwards, while jobs
 * run on it, and what the hardware did not do is not waited for: the job that runs then
 * ends with ENODEV, and not by its timeout. It goes by an unbind, or with its driver.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>

#include "storm.h"

#define DRIVER	"/sys/bus/pci/drivers/accel_edu/"
#define GONE	"/sys/module/accel_edu/parameters/gone"
#define FILES	8
#define JOBS	25	/* of each file, 100 ms each: more than a guest may be stopped for */
#define TIMES	40

static struct dev_info dev;
static char *pages, slot[32];

/* How a job ends that is submitted now. */
static int one_job(void)
{
	struct accel_job_wait wait = { .status = 1 };
	struct storm_user u;
	int ret = storm_use(&u, &dev, pages, 1);

	if (!ret)
		ret = dev_wait(u.fd, u.job, &wait);
	storm_leave(&u);
	return ret ? ret : wait.status;
}

struct waiter {
	pthread_t thread, poller;
	struct storm_user user;
	struct accel_job_wait wait;
	int ret, polled;
	short revents;
};

static void *wait_for_job(void *arg)
{
	struct waiter *w = arg;

	w->ret = dev_wait(w->user.fd, w->user.job, &w->wait);
	return NULL;
}

/* Not POLLIN: a job that ended in time is nothing to wake up for. */
static void *wait_for_hangup(void *arg)
{
	struct waiter *w = arg;
	struct pollfd p = { .fd = w->user.fd };

	w->polled = poll(&p, 1, -1);
	w->revents = p.revents;
	return NULL;
}

/* The ways for a device to go whose hardware has vanished. */
enum way {
	UNBIND,
	RMMOD,
};

static int leave(enum way way)
{
	if (way == UNBIND)
		return dev_write(DRIVER "unbind", slot);
	return syscall(SYS_delete_module, "accel_edu", O_NONBLOCK) ? -errno : 0;
}

/* The driver takes no hardware that is not there; when it is, all is as before. */
static const char *come_back(enum way way)
{
	if (way == RMMOD && system("insmod " MODULES "accel_edu.ko dma_bits=32 gone=1"))
		return "its module cannot be loaded";
	if (dev_write(DRIVER "bind", slot) != -ENODEV)
		return "it is bound though it is not there";
	storm_write(GONE, "0");
	if (dev_write(DRIVER "bind", slot))
		return "it does not come back";
	return NULL;
}

static const char *vanish(enum way way)
{
	const char *bad;
	static struct waiter waiters[FILES];
	long long pins = dev_foll_pins();
	const char *wrong = NULL;
	int i;

	for (i = 0; i < FILES; i++)
		if (storm_use(&waiters[i].user, &dev, pages + i * PAGE, JOBS))
			return "open, map, pin or submit";
	if (storm_running(&waiters[FILES - 1].user, &dev))
		return "submit more";
	storm_write(GONE, "1");
	for (i = 0; i < FILES; i++) {
		pthread_create(&waiters[i].thread, NULL, wait_for_job, &waiters[i]);
		pthread_create(&waiters[i].poller, NULL, wait_for_hangup, &waiters[i]);
	}
	if (leave(way))
		return "the device does not go";
	if (dev_foll_pins() != pins)
		wrong = "a page is still pinned";
	for (i = 0; i < FILES; i++) {
		struct pollfd p = { .fd = waiters[i].user.fd };

		pthread_join(waiters[i].thread, NULL);
		pthread_join(waiters[i].poller, NULL);
		if (waiters[i].polled != 1 ||
		    (waiters[i].revents & (POLLHUP | POLLERR)) != (POLLHUP | POLLERR))
			wrong = "who polled was not woken with POLLHUP and POLLERR";
		if (poll(&p, 1, 0) != 1 || (p.revents & (POLLHUP | POLLERR)) != (POLLHUP | POLLERR))
			wrong = "poll does not say POLLHUP and POLLERR";
		/* Who came too late to wait is told by the call itself. */
		if (waiters[i].ret != -ENODEV &&
		    (waiters[i].ret || waiters[i].wait.status != -ENODEV) &&
		    /* ended in time; the last file's cannot have */
		    (i == FILES - 1 || waiters[i].ret || waiters[i].wait.status))
			wrong = "a job did not end with ENODEV";
		if (storm_ask(waiters[i].user.fd) != -ENODEV)
			wrong = "a file does not answer ENODEV";
		if (waiters[i].user.map[0])
			wrong = "a mapping is not empty";
		storm_leave(&waiters[i].user);
	}
	bad = come_back(way);
	return bad ? bad : wrong;
}

int main(void)
{
	static struct storm before;
	const char *wrong = NULL;
	struct storm_user u;
	int i;

	storm_slot(slot, sizeof(slot));
	pages = mmap(NULL, FILES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		     -1, 0);
	if (pages == MAP_FAILED || dev_find("edu", 0, &dev))
		tap_bail("no edu device");
	tap_is(one_job(), 0, "a job ends well");
	/* Once for what stays: caches, per-cpu areas. */
	wrong = vanish(RMMOD);
	if (!wrong)
		wrong = vanish(UNBIND);
	if (wrong)
		tap_bail("%s", wrong);
	storm_before(&before, "accel_edu");

	storm_write(GONE, "1");
	tap_is(one_job(), -ENODEV, "with the hardware gone one ends with ENODEV");
	storm_write(GONE, "0");
	tap_is(one_job(), 0, "with the hardware back one ends well");

	if (storm_use(&u, &dev, pages, 1) || storm_running(&u, &dev))
		tap_bail("cannot submit");
	storm_write(GONE, "1");
	storm_leave(&u);
	tap_is(dev_foll_pins(), before.pins, "closing a file ends its job on gone hardware");
	storm_write(GONE, "0");

	for (i = 0; i < TIMES && !wrong; i++)
		wrong = vanish(i % 4 ? UNBIND : RMMOD);
	tap_ok(!wrong, "vanished under %d files with jobs, %d times, each fourth with its driver%s%s",
	       FILES, i, wrong ? ": " : "", wrong ? wrong : "");
	tap_is(one_job(), 0, "then a job ends well again");
	storm_after(&before, "vanished", TIMES * FILES);
	return tap_done();
}
