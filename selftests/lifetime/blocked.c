// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" */
/*
 * A process that can stop its own page faults for ever (userfaultfd) must not be
 * able to stop a device from going: not with a pin that faults, not with an
 * argument that cannot be read, not with one that cannot be written back, and not
 * by reading what is shown of the device into memory that is not there. Who reads the
 * directory of its node there keeps the node, and nothing else of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "tap.h"

#define PAGE	4096UL
#define PAGES	32

static int uffd;
static char *trap_pages;	/* touching one waits for the monitor, which never comes */

struct call {
	pthread_t thread;
	const char *name;
	int fd;
	unsigned long cmd;
	void *arg;
	struct accel_mem_pin pin;
	int ret;
};

static void *do_call(void *arg)
{
	struct call *c = arg;

	c->ret = dev_ioctl(c->fd, c->cmd, c->arg);
	return NULL;
}

/* Files that show the device, or a file of it; each is read into a page of its own. */
struct reader {
	pthread_t thread;
	const char *dir;
	const char *name;	/* NULL: the number of the open file */
	bool goes;		/* with the device: then nothing more is read from it */
	int fd;
	char *page;
	ssize_t ret;
};

static struct reader readers[] = {
	{ .dir = "/sys/kernel/debug/accelerator/%s", .name = "gate", .goes = true },
	{ .dir = "/sys/kernel/debug/accelerator/%s", .name = "page_tables", .goes = true },
	{ .dir = "/sys/class/accelerator/%s", .name = "state", .goes = true },
	{ .dir = "/sys/class/accelerator/%s", .name = "engines/eng0/jobs", .goes = true },
	{ .dir = "/sys/class/accelerator/%s", .name = "soft/jobs_done", .goes = true },
	{ .dir = "/proc/self/fdinfo" },
};

#define READERS	((int)(sizeof(readers) / sizeof(readers[0])))

static void *do_read(void *arg)
{
	struct reader *r = arg;

	r->ret = read(r->fd, r->page, PAGE);
	return NULL;
}

static void start_reader(struct reader *r, const struct dev_info *dev, int fd, char *page)
{
	char path[160], number[16];
	size_t n;

	snprintf(number, sizeof(number), "%d", fd);
	n = snprintf(path, sizeof(path), r->dir, dev->name);
	snprintf(path + n, sizeof(path) - n, "/%s", r->name ? r->name : number);
	r->page = page;
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		tap_bail("%s: %s", path, strerror(errno));
	pthread_create(&r->thread, NULL, do_read, r);
}

static void end_reader(struct reader *r)
{
	const char *name = r->name ? r->name : "fdinfo";
	char text[64];

	pthread_join(r->thread, NULL);
	tap_ok(r->ret > 0 && r->page[0], "who read %s then has its text", name);
	if (r->goes)
		tap_ok(pread(r->fd, text, sizeof(text), 0) < 0 && errno == ENODEV,
		       "and is told that it is gone: ENODEV");
	else
		tap_ok(pread(r->fd, text, sizeof(text), 0) > 0, "and may read it again");
	close(r->fd);
}

static void make_trap(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg;

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0)
		tap_skip_all("no userfaultfd: %s", strerror(errno));
	trap_pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg = (struct uffdio_register){
		.range = { (uintptr_t)trap_pages, PAGES * PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	if (trap_pages == MAP_FAILED || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &reg))
		tap_bail("userfaultfd: %s", strerror(errno));
}

/* Each trapped thread tells the monitor of its fault: wait for as many. */
static void wait_for_faults(int n)
{
	struct uffd_msg msg;

	while (n--)
		if (read(uffd, &msg, sizeof(msg)) != sizeof(msg) ||
		    msg.event != UFFD_EVENT_PAGEFAULT)
			tap_bail("userfaultfd: no fault: %s", strerror(errno));
}

static void *do_list(void *arg)
{
	struct call *c = arg;

	c->ret = syscall(SYS_getdents64, c->fd, c->arg, PAGE);
	return NULL;
}

static void *do_unbind(void *arg)
{
	struct call *c = arg;

	c->ret = dev_write("/sys/bus/platform/drivers/accel_soft/unbind", "accel_soft.0");
	__atomic_store_n(&c->cmd, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* The directory's lock is held while an entry of it is written to the reader. */
static void directory(void)
{
	struct call list = {}, unbind = {};
	struct accel_job_wait wait;
	struct uffdio_range all;
	struct dev_info dev;
	long long pins = dev_foll_pins();
	unsigned char *page;
	int fd, ret, i;
	uint64_t mem;

	make_trap();
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (page == MAP_FAILED || dev_find("soft", 0, &dev))
		tap_bail("directory: no soft device, or no memory");
	fd = dev_open(dev.name);
	if (fd < 0 || dev_pin(fd, page, PAGE, ACCEL_MEM_READ, &mem))
		tap_bail("directory: cannot open or pin");
	tap_is(dev_foll_pins(), pins + 1, "directory: a page is pinned");
	list.fd = open("/dev/accelerator", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list.arg = trap_pages;
	pthread_create(&list.thread, NULL, do_list, &list);
	wait_for_faults(1);
	pthread_create(&unbind.thread, NULL, do_unbind, &unbind);
	/* ten seconds are for ever */
	for (i = 0; i < 1000 && (dev_foll_pins() != pins || dev_wait(fd, 1, &wait) != -ENODEV); i++)
		usleep(10000);
	tap_is(dev_wait(fd, 1, &wait), -ENODEV,
	       "who lists /dev/accelerator waits in it, and the device goes: ENODEV");
	tap_is(dev_foll_pins(), pins, "directory: no page is pinned");
	ret = dev_open(dev.name);
	tap_is(ret, -ENXIO, "directory: the node is there, and leads nowhere");
	tap_ok(!__atomic_load_n(&unbind.cmd, __ATOMIC_SEQ_CST),
	       "directory: only its deletion waits");
	all = (struct uffdio_range){ (uintptr_t)trap_pages, PAGES * PAGE };
	if (ioctl(uffd, UFFDIO_UNREGISTER, &all))
		tap_bail("UFFDIO_UNREGISTER: %s", strerror(errno));
	pthread_join(unbind.thread, NULL);
	tap_is(unbind.ret, 0, "directory: which then ends");
	tap_is(dev_open(dev.name), -ENOENT, "directory: the node is deleted");
	pthread_join(list.thread, NULL);
	tap_ok(list.ret > 0, "directory: and it has been listed");
	close(list.fd);
	close(fd);
	tap_is(dev_write("/sys/bus/platform/drivers/accel_soft/bind", "accel_soft.0"), 0,
	       "directory: the device comes back");
}

int main(void)
{
	struct uffdio_range all;
	struct dev_info dev;
	struct call calls[3] = {};
	long long pins = dev_foll_pins();
	struct accel_job_wait *unwritable;
	int fd, i;

	make_trap();
	if (dev_find("soft", 0, &dev) || (fd = dev_open(dev.name)) < 0)
		tap_bail("no soft device");

	calls[0].name = "a pin that faults";
	calls[0].cmd = ACCEL_IOCTL_MEM_PIN;
	calls[0].pin = (struct accel_mem_pin){
		.addr = (uintptr_t)trap_pages, .length = 4 * PAGE,
		.flags = ACCEL_MEM_READ | ACCEL_MEM_WRITE,
	};
	calls[0].arg = &calls[0].pin;

	calls[1].name = "an argument that cannot be read";
	calls[1].cmd = ACCEL_IOCTL_MEM_UNPIN;
	calls[1].arg = trap_pages + 8 * PAGE;

	/* Half of it is readable, the half with the results is not there yet. */
	unwritable = (void *)(trap_pages + 13 * PAGE - 8);
	calls[2].name = "an argument of which a part cannot be read";
	calls[2].cmd = ACCEL_IOCTL_JOB_WAIT;
	calls[2].arg = unwritable;
	{
		char page[PAGE] __attribute__((aligned(4096))) = {};
		struct uffdio_copy copy = {
			.dst = (uintptr_t)trap_pages + 12 * PAGE, .src = (uintptr_t)page,
			.len = PAGE,
		};

		if (ioctl(uffd, UFFDIO_COPY, &copy))
			tap_bail("UFFDIO_COPY: %s", strerror(errno));
	}

	for (i = 0; i < 3; i++) {
		calls[i].fd = fd;
		pthread_create(&calls[i].thread, NULL, do_call, &calls[i]);
	}
	for (i = 0; i < READERS; i++)
		start_reader(&readers[i], &dev, fd, trap_pages + (16 + i) * PAGE);
	wait_for_faults(3 + READERS);
	tap_ok(1, "three calls and %d reads wait for page faults that nobody serves", READERS);

	tap_is(dev_write("/sys/bus/platform/drivers/accel_soft/unbind", "accel_soft.0"), 0,
	       "the device goes all the same");
	tap_is(dev_attr(dev.name, "contexts"), -ENOENT, "and is not there any more");

	/* Let the faults end, as empty pages. */
	all = (struct uffdio_range){ (uintptr_t)trap_pages, PAGES * PAGE };
	if (ioctl(uffd, UFFDIO_UNREGISTER, &all))
		tap_bail("UFFDIO_UNREGISTER: %s", strerror(errno));
	for (i = 0; i < 3; i++) {
		pthread_join(calls[i].thread, NULL);
		tap_is(calls[i].ret, -ENODEV, "%s then answers ENODEV", calls[i].name);
	}
	for (i = 0; i < READERS; i++)
		end_reader(&readers[i]);
	tap_is(dev_foll_pins(), pins, "no page is pinned");
	tap_is(dev_charged_kb(0), 0, "nor charged for");
	close(fd);
	tap_is(dev_write("/sys/bus/platform/drivers/accel_soft/bind", "accel_soft.0"), 0,
	       "the device comes back");
	close(uffd);
	directory();
	return tap_done();
}
