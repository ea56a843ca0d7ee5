// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=full DEVICES="soft=2" */
/*
 * A process can stop its own page faults for ever (userfaultfd), and iommufd faults
 * pages in while it holds its locks. That must not stop a device from going: its users'
 * regions are taken from the device, and given back to iommufd when that is possible.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "rig.h"

#define IOVA	0x40000000UL
#define TRAP	0x80000000UL
#define PAGES	8
#define DRIVER	"/sys/bus/platform/drivers/accel_soft/"

static int uffd;
static char *trap;	/* touching one waits for the monitor, which never comes */

struct pin {
	pthread_t thread;
	int fd, ret;
};

static void *do_pin(void *arg)
{
	struct pin *pin = arg;

	pin->ret = iommufd_pin(pin->fd, TRAP, PAGES * PAGE, RW, NULL);
	return NULL;
}

static void trap_set(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg;

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0)
		tap_bail("no userfaultfd: %s", strerror(errno));
	trap = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg = (struct uffdio_register){
		.range = { (uintptr_t)trap, PAGES * PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	if (trap == MAP_FAILED || ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &reg))
		tap_bail("userfaultfd: %s", strerror(errno));
}

/* Let the faults end, as empty pages. */
static void trap_release(void)
{
	struct uffdio_range all = { (uintptr_t)trap, PAGES * PAGE };

	if (ioctl(uffd, UFFDIO_UNREGISTER, &all))
		tap_bail("UFFDIO_UNREGISTER: %s", strerror(errno));
	close(uffd);
	munmap(trap, PAGES * PAGE);
}

/* A thread whose pin waits for a fault that nobody serves. */
static void block(struct pin *pin, struct rig *rig)
{
	struct uffd_msg msg;

	trap_set();
	if (iommufd_map(rig->iommufd, rig->ioas, trap, PAGES * PAGE, TRAP, RW))
		tap_bail("IOAS_MAP: %s", strerror(errno));
	pin->fd = rig->fd;
	pthread_create(&pin->thread, NULL, do_pin, pin);
	if (read(uffd, &msg, sizeof(msg)) != sizeof(msg) || msg.event != UFFD_EVENT_PAGEFAULT)
		tap_bail("userfaultfd: no fault: %s", strerror(errno));
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
