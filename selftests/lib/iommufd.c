// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* iommufd as tests need it; the numbers are those of its user-space interface. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>

#include "device.h"
#include "iommufd.h"

#define CMD(nr)		_IO(';', nr)
#define DESTROY		CMD(0x80)
#define IOAS_ALLOC	CMD(0x81)
#define IOAS_MAP	CMD(0x85)
#define IOAS_UNMAP	CMD(0x86)
#define HWPT_ALLOC	CMD(0x89)

#define MAP_FIXED_IOVA	1
#define MAP_WRITEABLE	2
#define MAP_READABLE	4

#define HWPT_FOR_PASID	8

int iommufd_open(void)
{
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int iommufd_ioas(int iommufd)
{
	struct { uint32_t size, flags, out_ioas_id; } arg = { .size = sizeof(arg) };
	int ret = dev_ioctl(iommufd, IOAS_ALLOC, &arg);

	return ret ? ret : (int)arg.out_ioas_id;
}

int iommufd_destroy(int iommufd, uint32_t id)
{
	struct { uint32_t size, id; } arg = { sizeof(arg), id };

	return dev_ioctl(iommufd, DESTROY, &arg);
}

int iommufd_map(int iommufd, uint32_t ioas, const void *addr, size_t length, uint64_t iova,
		uint32_t access)
{
	struct {
		uint32_t size, flags, ioas_id, reserved;
		uint64_t user_va, length, iova;
	} arg = {
		.size = sizeof(arg),
		.flags = MAP_FIXED_IOVA | (access & ACCEL_MEM_READ ? MAP_READABLE : 0) |
			 (access & ACCEL_MEM_WRITE ? MAP_WRITEABLE : 0),
		.ioas_id = ioas,
		.user_va = (uintptr_t)addr,
		.length = length,
		.iova = iova,
	};

	return dev_ioctl(iommufd, IOAS_MAP, &arg);
}

int iommufd_unmap(int iommufd, uint32_t ioas, uint64_t iova, uint64_t length)
{
	struct {
		uint32_t size, ioas_id;
		uint64_t iova, length;
	} arg = { sizeof(arg), ioas, iova, length };

	return dev_ioctl(iommufd, IOAS_UNMAP, &arg);
}

static int hwpt_alloc(int iommufd, uint32_t dev_id, uint32_t ioas, uint32_t flags)
{
	struct {
		uint32_t size, flags, dev_id, pt_id, out_hwpt_id, reserved, data_type, data_len;
		uint64_t data;
	} arg = { .size = sizeof(arg), .flags = flags, .dev_id = dev_id, .pt_id = ioas };
	int ret = dev_ioctl(iommufd, HWPT_ALLOC, &arg);

	return ret ? ret : (int)arg.out_hwpt_id;
}

int iommufd_hwpt(int iommufd, uint32_t dev_id, uint32_t ioas)
{
	return hwpt_alloc(iommufd, dev_id, ioas, 0);
}

int iommufd_hwpt_pasid(int iommufd, uint32_t dev_id, uint32_t ioas)
{
	return hwpt_alloc(iommufd, dev_id, ioas, HWPT_FOR_PASID);
}

int iommufd_bind(int fd, int iommufd, uint32_t pt_id)
{
	struct accel_iommufd_bind arg = { .iommufd = iommufd, .pt_id = pt_id };
	int ret = dev_ioctl(fd, ACCEL_IOCTL_IOMMUFD_BIND, &arg);

	return ret ? ret : (int)arg.out_id;
}

int iommufd_bind_pasid(int fd, int iommufd, uint32_t pt_id, uint32_t *pasid)
{
	struct accel_iommufd_bind arg = {
		.iommufd = iommufd, .pt_id = pt_id, .flags = ACCEL_IOMMUFD_PASID,
	};
	int ret = dev_ioctl(fd, ACCEL_IOCTL_IOMMUFD_BIND, &arg);

	if (!ret && pasid)
		*pasid = arg.out_pasid;
	return ret ? ret : (int)arg.out_id;
}

int iommufd_unbind(int fd)
{
	struct accel_iommufd_unbind arg = { 0 };

	return dev_ioctl(fd, ACCEL_IOCTL_IOMMUFD_UNBIND, &arg);
}

int iommufd_pin(int fd, uint64_t iova, uint64_t length, uint32_t flags, uint64_t *mem_id)
{
	return dev_pin(fd, (const void *)(uintptr_t)iova, length, flags | ACCEL_MEM_IOVA, mem_id);
}
