// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Accelerators as the test programs see them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"

#define CLASS	"/sys/class/accelerator"

static int read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static int by_index(const void *a, const void *b)
{
	const struct dev_info *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

int dev_list(struct dev_info *devs, int max)
{
	DIR *dir = opendir(CLASS);
	struct dirent *entry;
	int n = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		struct dev_info dev = { 0 };
		char path[512], tail;

		/* "acc0c" is a node of acc0, not a device */
		if (sscanf(entry->d_name, "acc%u%c", &dev.index, &tail) != 1)
			continue;
		snprintf(dev.name, sizeof(dev.name), "acc%u", dev.index);
		snprintf(path, sizeof(path), CLASS "/%s/driver", entry->d_name);
		if (read_text(path, dev.driver, sizeof(dev.driver)))
			continue;
		if (n < max)
			devs[n] = dev;
		n++;
	}
	closedir(dir);
	qsort(devs, n < max ? n : max, sizeof(*devs), by_index);
	return n;
}

bool dev_is(const struct dev_info *dev, const char *driver)
{
	return strstr(dev->driver, driver) != NULL;
}

int dev_find(const char *driver, int nth, struct dev_info *dev)
{
	struct dev_info devs[256];
	int n = dev_list(devs, 256);

	for (int i = 0; i < n && i < 256; i++) {
		if (!dev_is(&devs[i], driver) || nth--)
			continue;
		*dev = devs[i];
		return 0;
	}
	return -ENODEV;
}

int dev_open(const char *node)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/accelerator/%s", node);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

long long dev_attr(const char *name, const char *attr)
{
	char path[256], text[64];
	int ret;

	snprintf(path, sizeof(path), CLASS "/%s/%s", name, attr);
	ret = read_text(path, text, sizeof(text));
	return ret ? ret : strtoll(text, NULL, 0);
}

int dev_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int dev_ioctl(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

int dev_pin(int fd, const void *addr, size_t length, uint32_t flags, uint64_t *mem_id)
{
	struct accel_mem_pin pin = {
		.addr = (uintptr_t)addr,
		.length = length,
		.flags = flags,
	};
	int ret = dev_ioctl(fd, ACCEL_IOCTL_MEM_PIN, &pin);

	if (!ret && mem_id)
		*mem_id = pin.mem_id;
	return ret;
}

int dev_unpin(int fd, uint64_t mem_id)
{
	struct accel_mem_unpin unpin = { .mem_id = mem_id };

	return dev_ioctl(fd, ACCEL_IOCTL_MEM_UNPIN, &unpin);
}

int dev_wait(int fd, uint64_t job_id, struct accel_job_wait *wait)
{
	*wait = (struct accel_job_wait) { .job_id = job_id, .deadline_ns = INT64_MAX };
	return dev_ioctl(fd, ACCEL_IOCTL_JOB_WAIT, wait);
}

int dev_soft(int fd, struct accel_soft_submit *submit, uint64_t *result)
{
	struct accel_job_wait wait;
	int ret = dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, submit);

	if (ret)
		return ret;
	ret = dev_wait(fd, submit->job_id, &wait);
	if (!ret && result)
		*result = wait.result;
	return ret ? ret : wait.status;
}

int dev_soft_latency(const char *name, uint64_t ns)
{
	struct accel_soft_config config = {
		.engine = ACCEL_SOFT_ENGINE_ANY, .latency_ns = ns,
	};
	char control[DEV_NAME_LEN + 1];
	int fd, ret;

	snprintf(control, sizeof(control), "%sc", name);
	fd = dev_open(control);
	if (fd < 0)
		return fd;
	ret = dev_ioctl(fd, ACCEL_SOFT_IOCTL_CONFIG, &config);
	close(fd);
	return ret;
}

void dev_memory_settle(const char *path)
{
	char name[256], line[128];
	FILE *f;

	sleep(3);
	/* What the kernel has gathered by then may be older; this has 6.12 add it all up. */
	snprintf(name, sizeof(name), "%s/cpu.stat", path);
	f = fopen(name, "re");
	while (f && fgets(line, sizeof(line), f))
		;
	if (f)
		fclose(f);
}

long dev_memory_stat(const char *path, const char *key)
{
	char name[256], line[128];
	size_t n = strlen(key);
	long bytes = -1;
	FILE *f;

	snprintf(name, sizeof(name), "%s/memory.stat", path);
	f = fopen(name, "re");
	while (f && bytes < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, n) && line[n] == ' ')
			bytes = strtol(line + n, NULL, 10);
	if (f)
		fclose(f);
	return bytes;
}

long dev_slab_charged(const char *path)
{
	dev_memory_settle(path);
	return dev_memory_stat(path, "slab");
}

int dev_trace_lines(const char *text)
{
	FILE *f = fopen("/sys/kernel/tracing/trace", "re");
	char line[1024];
	int n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, text) != NULL;
	if (f)
		fclose(f);
	return n;
}

long long dev_foll_pins(void)
{
	long long acquired = -1, released = -1, value;
	char name[64];
	FILE *f;

	/* the counters are per cpu, and folded in every second otherwise */
	dev_write("/proc/sys/vm/stat_refresh", "1");
	f = fopen("/proc/vmstat", "re");
	if (!f)
		return -errno;
	while (fscanf(f, "%63s %lld", name, &value) == 2) {
		if (!strcmp(name, "nr_foll_pin_acquired"))
			acquired = value;
		else if (!strcmp(name, "nr_foll_pin_released"))
			released = value;
	}
	fclose(f);
	return acquired < 0 || released < 0 ? -ENOENT : acquired - released;
}

long dev_charged_kb(pid_t pid)
{
	char path[32] = "/proc/self/status", line[128];
	long kb = -ENOENT;
	FILE *f;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmPin: %ld kB", &kb) == 1)
			break;
	fclose(f);
	return kb;
}

uint64_t dev_random(uint64_t *state)
{
	uint64_t x = *state ? *state : 0x9e3779b97f4a7c15ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}
