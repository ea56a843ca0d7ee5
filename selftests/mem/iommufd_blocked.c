// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=full DEVICES="soft=2" */
/*
 * A process can stop its own page faults for ever (userfaultfd), and iommufd faults
 * pages in while it holds its locks. That must not stop a device from going: its users'
 * regions are taken from the device, and given back to iommufd when that is possible.
 */
#include <errno.h>
#include <pthread.h>

#include "rig.h"
#include "trap.h"

#define IOVA	0x40000000UL
#define TRAP	0x80000000UL
#define DRIVER	"/sys/bus/platform/drivers/accel_soft/"

struct pin {
	pthread_t thread;
	int fd, ret;
};

static void *do_pin(void *arg)
{
	struct pin *pin = arg;

	pin->ret = iommufd_pin(pin->fd, TRAP, TRAP_LENGTH, RW, NULL);
	return NULL;
}

/* A thread whose pin waits for a fault that nobody serves. */
static void block(struct pin *pin, struct rig *rig)
{
	trap_set();
	if (iommufd_map(rig->iommufd, rig->ioas, trap, TRAP_LENGTH, TRAP, RW))
		tap_bail("IOAS_MAP: %s", strerror(errno));
	pin->fd = rig->fd;
	pthread_create(&pin->thread, NULL, do_pin, pin);
	trap_wait();
}

static void test_unplug(char *p)
{
	struct left before = left_now();
	struct pin pin;
	struct rig rig;
	uint64_t mem;

	rig_open(&rig, "soft", 0);
	rig_bind(&rig);
	if (iommufd_map(rig.iommufd, rig.ioas, p, 4 * PAGE, IOVA, RW) ||
	    iommufd_pin(rig.fd, IOVA, 4 * PAGE, RW, &mem))
		tap_bail("no region");
	block(&pin, &rig);
	tap_ok(1, "a pin waits in iommufd for a fault that nobody serves");
	tap_is(dev_write(DRIVER "unbind", "accel_soft.0"), 0, "the device goes all the same");
	tap_is(dev_attr(rig.dev.name, "contexts"), -ENOENT, "and is not there any more");
	tap_is(dev_unpin(rig.fd, mem), -ENODEV, "its file answers ENODEV");
	tap_is(dev_write(DRIVER "bind", "accel_soft.0"), 0, "it comes back");
	trap_release();
	pthread_join(pin.thread, NULL);
	tap_is(pin.ret, -ENODEV, "the pin then answers ENODEV");
	/* The close waits for what the unbind did not. */
	close(rig.fd);
	left_check(&before, "the file's close");
	tap_is(iommufd_destroy(rig.iommufd, rig.ioas), 0, "nothing is bound to the IOAS");
	close(rig.iommufd);
}

/* The pin of one file holds up iommufd for all that share the IOAS; not a device's end. */
static void test_neighbour(char *p)
{
	struct left before = left_now();
	struct rig rig, other;
	struct pin pin;
	uint64_t mem;

	rig_open(&rig, "soft", 0);
	rig_bind(&rig);
	rig_open(&other, "soft", 1);
	if (iommufd_bind(other.fd, rig.iommufd, rig.ioas) < 0 ||
	    iommufd_map(rig.iommufd, rig.ioas, p, 4 * PAGE, IOVA, RW) ||
	    iommufd_pin(other.fd, IOVA, 4 * PAGE, RW, &mem))
		tap_bail("no region");
	block(&pin, &rig);
	tap_is(dev_write(DRIVER "unbind", "accel_soft.1"), 0,
	       "a device goes while another one's pin is blocked");
	tap_is(dev_write(DRIVER "bind", "accel_soft.1"), 0, "it comes back");
	close(other.fd);
	trap_release();
	pthread_join(pin.thread, NULL);
	tap_is(pin.ret, 0, "that pin succeeds in the end");
	close(rig.fd);
	close(other.iommufd);
	/* Waits until nobody is in it. */
	while (iommufd_destroy(rig.iommufd, rig.ioas) == -EBUSY)
		sched_yield();
	close(rig.iommufd);
	left_check(&before, "that");
}

int main(void)
{
	char *p = pages_new(4 * PAGE);

	/* first, as long as devices are numbered as they were made */
	test_neighbour(p);
	test_unplug(p);
	return tap_done();
}
