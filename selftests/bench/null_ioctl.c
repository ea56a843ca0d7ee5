// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an ioctl costs: on /dev/null (the system call itself), and JOB_WAIT of no
 * job on an accelerator (the gate, the table, the copy, a failed look-up).
 * Usage: null_ioctl DEVICE [COUNT]; prints "NULL_NS ACCEL_NS", medians of 15 rounds.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "device.h"

#define ROUNDS	15

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double loop(int fd, int count)
{
	struct accel_job_wait wait = { .job_id = 0 };
	double start = now_ns();

	for (int i = 0; i < count; i++)
		ioctl(fd, ACCEL_IOCTL_JOB_WAIT, &wait);
	return (now_ns() - start) / count;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	double null_ns[ROUNDS], accel_ns[ROUNDS];
	int count = argc > 2 ? atoi(argv[2]) : 20000;
	int null_fd = open("/dev/null", O_RDWR), accel_fd;

	if (argc < 2 || null_fd < 0 || (accel_fd = dev_open(argv[1])) < 0) {
		fprintf(stderr, "null_ioctl: usage: null_ioctl DEVICE [COUNT]; DEVICE is as accelctl dev list says\n");
		return 2;
	}
	loop(accel_fd, count);
	/* In turn, so that a machine that changes its pace changes both. */
	for (int i = 0; i < ROUNDS; i++) {
		null_ns[i] = loop(null_fd, count);
		accel_ns[i] = loop(accel_fd, count);
	}
	qsort(null_ns, ROUNDS, sizeof(double), by_value);
	qsort(accel_ns, ROUNDS, sizeof(double), by_value);
	printf("%.1f %.1f\n", null_ns[ROUNDS / 2], accel_ns[ROUNDS / 2]);
	return 0;
}
