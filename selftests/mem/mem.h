/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Regions as a job sees them, and what a process is charged for. */
#ifndef SELFTESTS_MEM_H
#define SELFTESTS_MEM_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clean.h"
#include "crc32c.h"

#define PAGE	4096UL
#define HUGE	(2UL << 20)
#define READ	ACCEL_MEM_READ
#define WRITE	ACCEL_MEM_WRITE

/* mm->pinned_vm: bytes that this process is charged for */
static inline long long charged(void)
{
	return dev_charged_kb(0) * 1024LL;
}

static inline void fill(uint8_t *p, size_t n, uint64_t seed)
{
	for (size_t i = 0; i + 8 <= n; i += 8) {
		uint64_t x = dev_random(&seed);

		memcpy(p + i, &x, 8);
	}
}

/* What the device reads in a region. -errno, or 0 */
static inline int device_crc(int fd, uint64_t mem, uint64_t length, uint32_t *crc)
{
	struct accel_soft_submit submit = {
		.op = ACCEL_SOFT_OP_CRC32C, .engine = ACCEL_SOFT_ENGINE_ANY,
		.src_mem = mem, .length = length,
	};
	uint64_t result = 0;
	int ret = dev_soft(fd, &submit, &result);

	*crc = result;
	return ret;
}

/* The device writes @pattern to a part of a region. */
static inline int device_fill(int fd, uint64_t mem, uint64_t offset, uint64_t length,
			      uint64_t pattern)
{
	struct accel_soft_submit submit = {
		.op = ACCEL_SOFT_OP_FILL, .engine = ACCEL_SOFT_ENGINE_ANY,
		.dst_mem = mem, .dst_offset = offset, .length = length, .pattern = pattern,
	};

	return dev_soft(fd, &submit, NULL);
}

static inline int is_filled(const uint8_t *p, size_t n, uint64_t pattern)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != (uint8_t)(pattern >> 8 * (i % 8)))
			return 0;
	return 1;
}

/* accel-last-error of an open file; "" when there is none */
static inline const char *last_error(int fd)
{
	static const char key[] = "accel-last-error:\t";
	static char line[512];
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, sizeof(key) - 1))
			continue;
		fclose(f);
		line[strcspn(line, "\n")] = '\0';
		return line + sizeof(key) - 1;
	}
	if (f)
		fclose(f);
	return "";
}

#endif
