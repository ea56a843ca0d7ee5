// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=full DEVICES="soft=2,engines=2" */
/*
 * A device goes, a file is closed, a process is killed while it is bound to an iommufd,
 * with regions and jobs: nothing stays pinned, and the iommufd is as usable as before.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "rig.h"

#define IOVA	0x40000000UL
#define LENGTH	(64 * PAGE)
#define UNBIND	"/sys/bus/platform/drivers/accel_soft/unbind"
#define BIND	"/sys/bus/platform/drivers/accel_soft/bind"

/* A region, a job on it that runs for ever, and more behind it. */
static uint64_t occupy(struct rig *rig, void *p)
{
	uint64_t mem, job = 0;

	rig_bind(rig);
	if (iommufd_map(rig->iommufd, rig->ioas, p, LENGTH, IOVA, RW) ||
	    iommufd_pin(rig->fd, IOVA, LENGTH, RW, &mem))
		tap_bail("no region");
	soft_latency(rig->dev.name, ACCEL_SOFT_LATENCY_MAX);
	for (int i = 0; i < 5; i++)
		if (soft_read(rig->fd, 0, mem, &job))
			tap_bail("no job");
	return mem;
}

static void test_unplug(void *p)
{
	struct left before = left_now();
	struct rig rig, other;
	uint64_t mem;

	rig_open(&rig, "soft", 0);
	mem = occupy(&rig, p);
	tap_is(dev_write(UNBIND, "accel_soft.0"), 0, "a device goes that an iommufd's memory is used by");
	left_check(&before, "that");
	tap_is(dev_unpin(rig.fd, mem), -ENODEV, "its file answers ENODEV");
	tap_is(iommufd_pin(rig.fd, IOVA, PAGE, RW, NULL), -ENODEV, "for a pin,");
	tap_is(iommufd_bind(rig.fd, rig.iommufd, rig.ioas), -ENODEV, "a bind,");
	tap_is(iommufd_unbind(rig.fd), -ENODEV, "an unbind");

	rig_open(&other, "soft", 0);
	tap_ok(iommufd_bind(other.fd, rig.iommufd, rig.ioas) > 0, "the IOAS goes on with another");
	tap_is(iommufd_pin(other.fd, IOVA, LENGTH, RW, &mem), 0, "with what is mapped there");
	tap_is(soft_copy(other.fd, mem, 0, mem, PAGE, PAGE), 0, "and a job");
	tap_is(iommufd_unmap(rig.iommufd, rig.ioas, IOVA, LENGTH), 0, "and an unmap");
	rig_close(&other);
	tap_is(iommufd_destroy(rig.iommufd, rig.ioas), 0, "and nothing is bound to it in the end");
	rig_close(&rig);
	tap_is(dev_write(BIND, "accel_soft.0"), 0, "the device comes back");
	left_check(&before, "all that");
}

static void test_close(void *p)
{
	struct left before = left_now();
	struct rig rig;

	rig_open(&rig, "soft", 0);
	occupy(&rig, p);
	close(rig.fd);
	left_check(&before, "closing the file under its jobs");
	tap_is(iommufd_destroy(rig.iommufd, rig.ioas), 0, "nothing is bound to the IOAS");
	close(rig.iommufd);
	soft_latency(rig.dev.name, 0);
}

/* Children are killed at any moment of their doings. */
static void test_kill(void *p)
{
	struct left before = left_now();
	uint64_t seed = 5;
	struct rig rig;
	int killed = 0;

	for (int i = 0; i < 20; i++) {
		int works[2], status;
		pid_t child;
		char c = 0;

		if (pipe(works))
			tap_bail("pipe: %s", strerror(errno));
		child = fork();
		if (!child) {
			rig_open(&rig, "soft", 0);
			rig_bind(&rig);
			for (;;) {
				uint64_t mem, job;

				if (iommufd_map(rig.iommufd, rig.ioas, p, LENGTH, IOVA, RW) ||
				    iommufd_pin(rig.fd, IOVA, LENGTH, RW, &mem) ||
				    soft_read(rig.fd, ACCEL_SOFT_ENGINE_ANY, mem, &job) ||
				    iommufd_unmap(rig.iommufd, rig.ioas, IOVA, LENGTH) ||
				    write(works[1], &c, 1) != 1)
					_exit(1);
			}
		}
		close(works[1]);
		/* it has been round once, and is somewhere in the next */
		if (read(works[0], &c, 1) == 1)
			usleep(dev_random(&seed) % 40000);
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		close(works[0]);
		killed += WIFSIGNALED(status);
	}
	tap_is(killed, 20, "processes that were killed at work");
	left_check(&before, "20 processes that were killed");
	if (dev_find("soft", 0, &rig.dev))
		tap_bail("no device");
	tap_is(dev_attr(rig.dev.name, "pinned_bytes"), 0, "as the device says");
	tap_is(dev_attr(rig.dev.name, "contexts"), 0, "nor is a file open");
}

int main(void)
{
	void *p = pages_new(LENGTH);

	test_unplug(p);
	test_close(p);
	test_kill(p);
	return tap_done();
}
