/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* iommufd's mock devices, and the driver that makes accelerators of them. */
#ifndef MEM_MOCK_H
#define MEM_MOCK_H

#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "accel_mock.h"
#include "device.h"
#include "iommufd.h"
#include "tap.h"

/* What the kernel's drivers/iommu/iommufd/iommufd_test.h says of it */
#define TEST_CMD		_IO(';', 0x80 + 32)
#define OP_CREATE_ACCESS	5
#define OP_ACCESS_RW		8
#define OP_MOCK_DOMAIN_REPLACE	10
#define OP_MOCK_DOMAIN_FLAGS	12
#define OP_PASID_CHECK_HWPT	21
#define DEVICE_HAS_PASIDS	4

struct test_cmd {
	uint32_t size, op, id, reserved;
	union {
		struct {
			uint32_t out_stdev_id, out_hwpt_id, out_idev_id, dev_flags;
		} device;
		struct {
			uint32_t pt_id;
		} replace;
		struct {
			uint32_t pasid, hwpt_id;
		} check;
		struct {
			uint32_t out_access_fd, flags;
		} access;
		struct {
			uint64_t iova, length, uptr;
			uint32_t flags;
		} rw;
		uint64_t largest[6];
	};
	uint32_t last;
};

/* A mock device, and the IOAS and the page table that it is attached to itself. */
struct mock {
	int iommufd;
	uint32_t ioas, id, device, hwpt;
	struct dev_info dev;
	char bus_name[32];
};

static inline int test_op(int iommufd, struct test_cmd *cmd, uint32_t op, uint32_t id)
{
	cmd->size = sizeof(*cmd);
	cmd->op = op;
	cmd->id = id;
	return dev_ioctl(iommufd, TEST_CMD, cmd);
}

static inline int mock_exists(const struct mock *mock)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/iommufd_mock/devices/%s", mock->bus_name);
	return !access(path, F_OK);
}

static inline void mock_new(struct mock *mock, uint32_t flags)
{
	struct test_cmd cmd = { .device = { .dev_flags = flags } };
	int ret;

	memset(mock, 0, sizeof(*mock));
	/* It will have the least number that is free. */
	for (int i = 0; !i || mock_exists(mock); i++)
		snprintf(mock->bus_name, sizeof(mock->bus_name), "iommufd_mock%d", i);
	mock->iommufd = iommufd_open();
	mock->ioas = iommufd_ioas(mock->iommufd);
	ret = test_op(mock->iommufd, &cmd, OP_MOCK_DOMAIN_FLAGS, mock->ioas);
	if (ret)
		tap_bail("no mock device: %s", strerror(-ret));
	mock->id = cmd.device.out_stdev_id;
	mock->device = cmd.device.out_idev_id;
	mock->hwpt = cmd.device.out_hwpt_id;
}

/* So that PASIDs may be attached: what untagged DMA uses must be made for one, too. */
static inline void mock_compatible(struct mock *mock)
{
	int hwpt = iommufd_hwpt_pasid(mock->iommufd, mock->device, mock->ioas);
	struct test_cmd cmd = { .replace = { .pt_id = hwpt } };

	if (hwpt < 0 || test_op(mock->iommufd, &cmd, OP_MOCK_DOMAIN_REPLACE, mock->id))
		tap_bail("no page table for the mock device: %d", hwpt);
	mock->hwpt = hwpt;
}

/* 0: PASID @pasid is attached to @hwpt, or with @hwpt 0 to nothing; -EINVAL: it is not */
static inline int mock_check(const struct mock *mock, uint32_t pasid, uint32_t hwpt)
{
	struct test_cmd cmd = { .check = { .pasid = pasid, .hwpt_id = hwpt } };

	return test_op(mock->iommufd, &cmd, OP_PASID_CHECK_HWPT, mock->id);
}

/* For as many PASIDs as were ever in use here. */
static inline int mock_none_attached(const struct mock *mock)
{
	for (uint32_t pasid = 1; pasid < 8; pasid++)
		if (mock_check(mock, pasid, 0))
			return 0;
	return 1;
}

/* The accelerator on it, when accel_mock is loaded. */
static inline void mock_find(struct mock *mock)
{
	char path[128], link[256];
	ssize_t n;

	for (int nth = 0; !dev_find("accel_mock", nth, &mock->dev); nth++) {
		snprintf(path, sizeof(path), "/sys/class/accelerator/%s/device", mock->dev.name);
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		if (n > 0 && !strcmp(strrchr(link, '/') + 1, mock->bus_name))
			return;
	}
	tap_bail("no accelerator on %s", mock->bus_name);
}

static inline void mock_load(void)
{
	int fd = open("/usr/lib/accelerator/modules/accel_mock.ko", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		tap_bail("accel_mock.ko: %s", strerror(errno));
	close(fd);
}

static inline void mock_unload(void)
{
	tap_is(syscall(SYS_delete_module, "accel_mock", O_NONBLOCK), 0, "the module goes");
}

/* A value of the file's fdinfo; "" where there is none */
static inline const char *fdinfo(int fd, const char *key)
{
	static char line[512];
	size_t n = strlen(key);
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, n) || line[n] != ':')
			continue;
		fclose(f);
		line[strcspn(line, "\n")] = '\0';
		return line + n + 2;
	}
	if (f)
		fclose(f);
	return "";
}

static inline int said(int fd, const char *what)
{
	const char *error = fdinfo(fd, "accel-last-error");

	return tap_ok(strstr(error, what) != NULL, "the reason names %s: %s", what, error);
}

#endif
