// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=2" */
/*
 * A driver is unbound and bound while others open its device, submit, pin and map:
 * each of their calls works or says that the device is gone, and nothing else.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clean.h"

#define PAGE		4096UL
#define CYCLES		100
#define USERS		3
#define DRIVER		"/sys/bus/platform/drivers/accel_soft"
#define DEVICE		"accel_soft.1"

static _Atomic int stop, cycles;
static _Atomic long opened, refused, worked, gone, strange;

static void expect(int ret, int error, const char *what)
{
	if (!ret)
		worked++;
	else if (ret == error)
		gone++;
	else if (strange++ < 10)
		tap_diag("%s: %s", what, strerror(-ret));
}

/* The node's name may change from one time to the next: any that is not the other device's. */
static int open_it(const char *other)
{
	struct dev_info devs[8];
	int n = dev_list(devs, 8);

	for (int i = 0; i < n && i < 8; i++)
		if (dev_is(&devs[i], "soft") && strcmp(devs[i].name, other))
			return dev_open(devs[i].name);
	return -ENOENT;
}

static void use(int fd, uint8_t *memory)
{
	struct accel_soft_submit fill = { .op = ACCEL_SOFT_OP_FILL, .engine = 0, .length = PAGE };
	struct accel_job_wait wait;
	uint64_t mem = 0;
	void *p;
	int ret;

	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	expect(p == MAP_FAILED ? -errno : 0, -ENODEV, "mmap");
	ret = dev_pin(fd, memory, PAGE, ACCEL_MEM_WRITE, &mem);
	expect(ret, -ENODEV, "mem_pin");
	if (!ret) {
		fill.dst_mem = mem;
		ret = dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &fill);
		expect(ret, -ENODEV, "soft_submit");
	}
	if (!ret) {
		ret = dev_wait(fd, fill.job_id, &wait);
		expect(ret ? ret : wait.status, -ENODEV, "job_wait");
	}
	/* what is mapped can be read, whatever happened */
	if (p != MAP_FAILED) {
		if (((volatile struct accel_soft_status *)p)->version > 1)
			expect(-EBADMSG, 0, "the status page");
		munmap(p, PAGE);
	}
	close(fd);
}

static void *user(void *other)
{
	uint8_t *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

	while (!stop) {
		int fd = open_it(other);

		if (fd >= 0) {
			opened++;
			use(fd, memory);
		} else if (fd == -ENOENT || fd == -ENXIO || fd == -ENODEV) {
			refused++;
		} else if (strange++ < 10) {
			tap_diag("open: %s", strerror(-fd));
		}
	}
	munmap(memory, PAGE);
	return NULL;
}

/* Which of the devices has this parent? */
static bool find_by_parent(const char *parent, char *name, size_t size)
{
	char path[256];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/devices/platform/%s/accelerator", parent);
	dir = opendir(path);
	name[0] = '\0';
	while (dir && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "acc", 3))
			snprintf(name, size, "%.*s", (int)size - 1, entry->d_name);
	if (dir)
		closedir(dir);
	return name[0];
}

int main(void)
{
	struct clean before = clean_read();
	pthread_t threads[USERS];
	char other[64], name[64];
	int bad = 0;

	if (!find_by_parent("accel_soft.0", other, sizeof(other)) ||
	    !find_by_parent(DEVICE, name, sizeof(name)))
		tap_bail("no two soft devices here");
	for (int i = 0; i < USERS; i++)
		pthread_create(&threads[i], NULL, user, other);
	while (cycles < CYCLES) {
		long seen = opened;

		bad += !!dev_write(DRIVER "/unbind", DEVICE);
		bad += !!dev_write(DRIVER "/bind", DEVICE);
		cycles++;
		/* somebody has to get in before it goes again */
		while (opened == seen)
			usleep(500);
	}
	stop = 1;
	for (int i = 0; i < USERS; i++)
		pthread_join(threads[i], NULL);
	tap_diag("%ld opened, %ld refused; %ld calls worked, %ld said that it is gone", opened,
		 refused, worked, gone);
	tap_is(bad, 0, "%d times unbound and bound", CYCLES);
	tap_is(strange, 0, "open: ENOENT, ENXIO or ENODEV, or it works; other calls: ENODEV");
	tap_ok(opened >= CYCLES && worked > CYCLES, "both sides were busy");
	tap_ok(find_by_parent(DEVICE, name, sizeof(name)), "the device is there in the end");
	clean_check(&before, "them");
	return tap_done();
}
