/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Accelerators as the test programs see them: found in sysfs, used through ioctls. */
#ifndef SELFTESTS_DEVICE_H
#define SELFTESTS_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/accelerator.h>
#include <linux/accelerator_edu.h>
#include <linux/accelerator_soft.h>

#define DEV_NAME_LEN	32

struct dev_info {
	char name[DEV_NAME_LEN];	/* "acc0" */
	char driver[DEV_NAME_LEN];	/* "accel_soft" */
	unsigned int index;
};

/* dev_list() - up to @max devices, by number; returns how many there are, or -errno */
int dev_list(struct dev_info *devs, int max);

/* dev_find() - the @nth device of @driver ("edu", "soft"), from 0; 0 or -ENODEV */
int dev_find(const char *driver, int nth, struct dev_info *dev);

bool dev_is(const struct dev_info *dev, const char *driver);

/* dev_open() - open a node by name ("acc0", "acc0c"); a descriptor or -errno */
int dev_open(const char *node);

/* dev_attr() - a number from /sys/class/accelerator/NAME/ATTR, or -errno */
long long dev_attr(const char *name, const char *attr);

/* dev_write() - write a text to a file of sysfs or procfs; 0 or -errno */
int dev_write(const char *path, const char *text);

/* dev_ioctl() - ioctl() that answers -errno */
int dev_ioctl(int fd, unsigned long cmd, void *arg);

int dev_pin(int fd, const void *addr, size_t length, uint32_t flags, uint64_t *mem_id);
int dev_unpin(int fd, uint64_t mem_id);

/* dev_wait() - wait for ever for a job; 0 or -errno, then @wait->status is the job's */
int dev_wait(int fd, uint64_t job_id, struct accel_job_wait *wait);

/* dev_soft() - submit and wait; -errno of the ioctls, or how the job ended */
int dev_soft(int fd, struct accel_soft_submit *submit, uint64_t *result);

/* dev_soft_latency() - how long each job of a soft device takes; 0 or -errno */
int dev_soft_latency(const char *name, uint64_t ns);

/*
 * dev_memory_settle() - have the kernel add up what the cgroup at @path is charged for;
 * takes 3 s, as the kernel does so every 2 s, and tells nobody
 */
void dev_memory_settle(const char *path);

/* dev_memory_stat() - bytes in @key of the cgroup's memory.stat, or -1 */
long dev_memory_stat(const char *path, const char *key);

/* dev_slab_charged() - bytes of slab memory that it is charged for, settled, or -1 */
long dev_slab_charged(const char *path);

/* dev_trace_lines() - of the kernel's trace, those with @text */
int dev_trace_lines(const char *text);

/* dev_foll_pins() - pages that are pinned in the whole system, and settled counters */
long long dev_foll_pins(void);

/* dev_charged_kb() - kB that process @pid, 0: this one, is charged for as pinned; -errno */
long dev_charged_kb(pid_t pid);

/* xorshift: the tests' own, so that a seed means the same everywhere */
uint64_t dev_random(uint64_t *state);

#endif
