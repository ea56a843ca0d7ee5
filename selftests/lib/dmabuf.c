// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* dma-bufs as the test programs see them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/sync_file.h>
#include <linux/udmabuf.h>

#include "device.h"
#include "dmabuf.h"

int dmabuf_udmabuf(size_t size)
{
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = size };
	int dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int ret;

	if (dev < 0)
		return -errno;
	ret = memfd_create("udmabuf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (ret >= 0) {
		create.memfd = ret;
		if (ftruncate(create.memfd, size) ||
		    fcntl(create.memfd, F_ADD_SEALS, F_SEAL_SHRINK))
			ret = -errno;
		else
			ret = dev_ioctl(dev, UDMABUF_CREATE, &create);
		close(create.memfd);
	}
	close(dev);
	return ret;
}

int dmabuf_heap(size_t size, int mode)
{
	struct dma_heap_allocation_data data = { .len = size, .fd_flags = mode | O_CLOEXEC };
	int dev = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
	int ret;

	if (dev < 0)
		return -errno;
	ret = dev_ioctl(dev, DMA_HEAP_IOCTL_ALLOC, &data);
	close(dev);
	return ret ? ret : (int)data.fd;
}

void *dmabuf_map(int dmabuf, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);

	return p == MAP_FAILED ? NULL : p;
}

int dmabuf_import(int fd, int dmabuf, uint32_t flags, uint64_t *mem_id, uint64_t *length)
{
	struct accel_mem_import import = { .fd = dmabuf, .flags = flags };
	int ret = dev_ioctl(fd, ACCEL_IOCTL_MEM_IMPORT, &import);

	if (!ret && mem_id)
		*mem_id = import.mem_id;
	if (!ret && length)
		*length = import.length;
	return ret;
}

int dmabuf_export(int fd, uint64_t mem_id, uint32_t flags)
{
	struct accel_mem_export export = { .mem_id = mem_id, .flags = flags, .fd = -1 };
	int ret = dev_ioctl(fd, ACCEL_IOCTL_MEM_EXPORT, &export);

	return ret ? ret : export.fd;
}

int dmabuf_fence(int dmabuf, bool write)
{
	struct dma_buf_export_sync_file arg = {
		.flags = write ? DMA_BUF_SYNC_WRITE : DMA_BUF_SYNC_READ,
		.fd = -1,
	};
	int ret = dev_ioctl(dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg);

	return ret ? ret : arg.fd;
}

int dmabuf_status(int sync_file)
{
	struct sync_file_info info = { 0 };
	int ret = dev_ioctl(sync_file, SYNC_IOC_FILE_INFO, &info);

	return ret ? ret : info.status;
}

int dmabuf_wait(int sync_file)
{
	struct pollfd p = { .fd = sync_file, .events = POLLIN };

	if (poll(&p, 1, -1) < 0)
		return -errno;
	return dmabuf_status(sync_file);
}

int dmabuf_count(void)
{
	FILE *f = fopen("/sys/kernel/debug/dma_buf/bufinfo", "re");
	int count = -ENOENT;
	char line[256];

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		sscanf(line, "Total %d objects", &count);
	fclose(f);
	return count;
}
