// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work whose events can be counted beforehand; what the tests of accel-trace run.
 *
 *	work DEVICE THREADS IOCTLS JOBS
 *
 * Each thread opens the device, pins one page, makes IOCTLS unknown ioctls,
 * runs JOBS jobs that do nothing, unpins and closes. With accel-trace's default
 * events, that is for each thread
 *	context_open, context_close			2
 *	ioctl(mem_pin), mem_pin, dma_map		3
 *	unknown ioctls, failing with ENOTTY		IOCTLS
 *	ioctl(soft_submit), job_queue, job_start,
 *	job_done, ioctl(job_wait)			5 * JOBS
 *	ioctl(mem_unpin), mem_unpin, dma_unmap		3
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"

static const char *device;
static long ioctls, jobs;

static void die(const char *what, int err)
{
	fprintf(stderr, "work: %s: %s\n", what, strerror(-err));
	exit(1);
}

static void *work(void *unused)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *mem = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = dev_open(device), ret;
	uint64_t id;

	if (fd < 0)
		die("open", fd);
	if (mem == MAP_FAILED)
		die("mmap", -errno);
	ret = dev_pin(fd, mem, page, ACCEL_MEM_READ | ACCEL_MEM_WRITE, &id);
	if (ret)
		die("pin", ret);
	for (long i = 0; i < ioctls; i++) {
		ret = dev_ioctl(fd, _IO(ACCEL_IOCTL_TYPE, 0xff), NULL);
		if (ret != -ENOTTY)
			die("unknown ioctl", ret);
	}
	for (long i = 0; i < jobs; i++) {
		struct accel_soft_submit nop = {
			.op = ACCEL_SOFT_OP_NOP, .engine = ACCEL_SOFT_ENGINE_ANY,
		};

		ret = dev_soft(fd, &nop, NULL);
		if (ret)
			die("job", ret);
	}
	ret = dev_unpin(fd, id);
	if (ret)
		die("unpin", ret);
	close(fd);
	munmap(mem, page);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t threads[64];
	int n;

	if (argc != 5) {
		fprintf(stderr, "work DEVICE THREADS IOCTLS JOBS\n");
		return 2;
	}
	device = argv[1];
	n = atoi(argv[2]);
	ioctls = atol(argv[3]);
	jobs = atol(argv[4]);
	if (n < 1 || n > 64)
		return 2;
	for (int i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, work, NULL))
			die("thread", -errno);
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
