/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's ways to register memory for a device, by their own system calls, so that
 * no library's time is counted for any of them.
 */
#ifndef SELFTESTS_BENCH_PIN_WAYS_H
#define SELFTESTS_BENCH_PIN_WAYS_H

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/io_uring.h>
#include <linux/vfio.h>
#include <rdma/ib_user_verbs.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "accel_bench.h"
#include "bench.h"
#include "device.h"
#include "iommufd.h"

/* One user's: each thread has its own. */
struct pin_user {
	const struct pin_way *way;
	int fd;
	uint64_t handle;	/* of what is registered */
	uint32_t pd;		/* RDMA's protection domain */
	uint64_t iova;		/* VFIO's */
	uint64_t length;
};

struct pin_way {
	const char *name;
	void (*open)(struct pin_user *u);
	int (*pin)(struct pin_user *u, void *addr, size_t length);
	int (*unpin)(struct pin_user *u);
	void (*around)(bool begins);	/* optional; each sample, not in its time */
};

/* ------------------------------------------------------------------- ours */

static inline void pin_accel_open_driver(struct pin_user *u, const char *driver)
{
	struct dev_info dev;

	if (dev_find(driver, 0, &dev) || (u->fd = dev_open(dev.name)) < 0)
		bench_die("no accelerator of accel_%s", driver);
}

static inline void pin_accel_open(struct pin_user *u)
{
	pin_accel_open_driver(u, "soft");
}

static inline void pin_edu_open(struct pin_user *u)
{
	pin_accel_open_driver(u, "edu");
}

static inline int pin_accel(struct pin_user *u, void *addr, size_t length)
{
	return dev_pin(u->fd, addr, length, ACCEL_MEM_READ | ACCEL_MEM_WRITE, &u->handle);
}

static inline int unpin_accel(struct pin_user *u)
{
	return dev_unpin(u->fd, u->handle);
}

/* ----------------------------------------- ours, while somebody listens */

static inline void pin_trace(bool on)
{
	static const char *const events[] = { "accel_mem_pin", "accel_dma_map" };
	char path[96];

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		int fd;

		snprintf(path, sizeof(path), "/sys/kernel/tracing/events/accel/%s/enable", events[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, on ? "1" : "0", 1) != 1)
			bench_die("%s: %s", path, strerror(errno));
		close(fd);
	}
}

/* ------------------------------------------------- the bare functions */

static inline void pin_bare_open(struct pin_user *u)
{
	u->fd = open("/dev/accel_bench", O_RDWR | O_CLOEXEC);
	if (u->fd < 0)
		bench_die("/dev/accel_bench: %s", strerror(errno));
}

static inline int pin_bare(struct pin_user *u, void *addr, size_t length)
{
	struct accel_bench_pin pin = { .addr = (uintptr_t)addr, .length = length };

	return dev_ioctl(u->fd, ACCEL_BENCH_PIN, &pin);
}

static inline int unpin_bare(struct pin_user *u)
{
	return dev_ioctl(u->fd, ACCEL_BENCH_UNPIN, NULL);
}

/* ------------------------------------------ the same, done tightly */

static inline int pin_tight(struct pin_user *u, void *addr, size_t length)
{
	struct accel_bench_pin pin = { .addr = (uintptr_t)addr, .length = length };

	return dev_ioctl(u->fd, ACCEL_BENCH_TIGHT_PIN, &pin);
}

static inline int unpin_tight(struct pin_user *u)
{
	return dev_ioctl(u->fd, ACCEL_BENCH_TIGHT_UNPIN, NULL);
}

/* ------------------------------------------ page faults and nothing else */

static inline void pin_touch_open(struct pin_user *u)
{
	u->fd = -1;
}

/* By the kernel, as all who pin do it: an access of one's own would be an exception each time. */
static inline int pin_touch(struct pin_user *u, void *addr, size_t length)
{
	(void)u;
	return madvise(addr, length, MADV_POPULATE_WRITE) ? -errno : 0;
}

static inline int unpin_touch(struct pin_user *u)
{
	(void)u;
	return 0;
}

/* ------------------------------------------ io_uring registered buffers */

static inline void pin_uring_open(struct pin_user *u)
{
	struct io_uring_params params = { 0 };

	u->fd = syscall(SYS_io_uring_setup, 1, &params);
	if (u->fd < 0)
		bench_die("io_uring_setup: %s", strerror(errno));
}

static inline int pin_uring(struct pin_user *u, void *addr, size_t length)
{
	struct iovec iov = { .iov_base = addr, .iov_len = length };

	return syscall(SYS_io_uring_register, u->fd, IORING_REGISTER_BUFFERS, &iov, 1) ? -errno : 0;
}

static inline int unpin_uring(struct pin_user *u)
{
	return syscall(SYS_io_uring_register, u->fd, IORING_UNREGISTER_BUFFERS, NULL, 0) ? -errno : 0;
}

/* ------------------------------------- RDMA memory regions on soft RoCE */

#define UVERBS(u, cmd, request) uverbs((u)->fd, IB_USER_VERBS_CMD_##cmd, &(request), sizeof(request), \
				       sizeof(reply))

/* The request begins with a header; the reply's address is in it. */
static inline int uverbs(int fd, uint32_t command, void *request, size_t size, size_t reply)
{
	struct ib_uverbs_cmd_hdr *hdr = request;

	hdr->command = command;
	hdr->in_words = size / 4;
	hdr->out_words = reply / 4;
	return write(fd, request, size) == (ssize_t)size ? 0 : -errno;
}

static inline void pin_rdma_open(struct pin_user *u)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		uint64_t response;
	} request = { 0 };

	u->fd = open("/dev/infiniband/uverbs0", O_RDWR | O_CLOEXEC);
	if (u->fd < 0)
		bench_die("/dev/infiniband/uverbs0: %s", strerror(errno));
	{
		struct ib_uverbs_get_context_resp reply;

		request.response = (uintptr_t)&reply;
		if (UVERBS(u, GET_CONTEXT, request))
			bench_die("uverbs get_context: %s", strerror(errno));
	}
	{
		struct ib_uverbs_alloc_pd_resp reply;

		request.response = (uintptr_t)&reply;
		if (UVERBS(u, ALLOC_PD, request))
			bench_die("uverbs alloc_pd: %s", strerror(errno));
		u->pd = reply.pd_handle;
	}
}

static inline int pin_rdma(struct pin_user *u, void *addr, size_t length)
{
	struct ib_uverbs_reg_mr_resp reply;
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		uint64_t response, start, length, hca_va;
		uint32_t pd_handle, access_flags;
	} request = {
		.response = (uintptr_t)&reply, .start = (uintptr_t)addr, .length = length,
		.hca_va = (uintptr_t)addr, .pd_handle = u->pd, .access_flags = 1 /* local write */,
	};
	int ret = UVERBS(u, REG_MR, request);

	u->handle = reply.mr_handle;
	return ret;
}

static inline int unpin_rdma(struct pin_user *u)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		uint32_t mr_handle;
	} request = { .mr_handle = u->handle };

	return uverbs(u->fd, IB_USER_VERBS_CMD_DEREG_MR, &request, sizeof(request), 0);
}

/* ----------------------------------------------------------- VFIO type 1 */

/* The IOMMU group of the first device that is bound to vfio-pci. */
static inline int pin_vfio_group(void)
{
	DIR *dir = opendir("/sys/bus/pci/drivers/vfio-pci");
	char path[512], target[PATH_MAX];
	struct dirent *e;
	ssize_t n;

	while (dir && (e = readdir(dir))) {
		if (strncmp(e->d_name, "0000:", 5))
			continue;
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", e->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n <= 0)
			break;
		target[n] = '\0';
		snprintf(path, sizeof(path), "/dev/vfio%.100s", strrchr(target, '/'));
		closedir(dir);
		return open(path, O_RDWR | O_CLOEXEC);
	}
	bench_die("no device of vfio-pci in a group of an IOMMU");
}

/* Threads share one container, as a machine monitor's do, for a group is in one alone. */
static inline void pin_vfio_open(struct pin_user *u)
{
	static int container = -1, users;

	u->iova = (1ULL << 30) + ((uint64_t)users++ << 32);
	if (container < 0) {
		int group = pin_vfio_group();

		container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
		if (group < 0 || container < 0 ||
		    ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
		    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
			bench_die("vfio: %s", strerror(errno));
	}
	u->fd = container;
}

static inline int pin_vfio(struct pin_user *u, void *addr, size_t length)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)addr, .iova = u->iova, .size = length,
	};

	u->length = length;
	return dev_ioctl(u->fd, VFIO_IOMMU_MAP_DMA, &map);
}

static inline int unpin_vfio(struct pin_user *u)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = u->iova, .size = u->length,
	};

	return dev_ioctl(u->fd, VFIO_IOMMU_UNMAP_DMA, &unmap);
}

/* ---------------------------------------------------- iommufd IOAS_MAP */

/*
 * An IOAS with hardware attached, the second edu: what is mapped there is pinned at once.
 * Threads share it, as they do a container.
 */
static inline void pin_ioas_open(struct pin_user *u)
{
	static int iommufd = -1, ioas, fd, users;
	struct dev_info dev;

	u->iova = (1ULL << 24) + ((uint64_t)users++ << 32);
	if (iommufd < 0) {
		iommufd = iommufd_open();
		if (iommufd < 0)
			bench_die("/dev/iommu: %s", strerror(-iommufd));
		ioas = iommufd_ioas(iommufd);
		if (ioas < 0 || dev_find("edu", 1, &dev) || (fd = dev_open(dev.name)) < 0 ||
		    iommufd_bind(fd, iommufd, ioas) < 0)
			bench_die("no accelerator to attach to an IOAS");
	}
	u->fd = fd;
	u->pd = iommufd;
	u->handle = ioas;
}

static inline int pin_ioas(struct pin_user *u, void *addr, size_t length)
{
	u->length = length;
	return iommufd_map(u->pd, u->handle, addr, length, u->iova,
			   ACCEL_MEM_READ | ACCEL_MEM_WRITE);
}

static inline int unpin_ioas(struct pin_user *u)
{
	return iommufd_unmap(u->pd, u->handle, u->iova, u->length);
}

static const struct pin_way pin_ways[] = {
	{ "accel", pin_accel_open, pin_accel, unpin_accel, NULL },
	{ "traced", pin_accel_open, pin_accel, unpin_accel, pin_trace },
	{ "edu", pin_edu_open, pin_accel, unpin_accel, NULL },
	{ "bare", pin_bare_open, pin_bare, unpin_bare, NULL },
	{ "tight", pin_bare_open, pin_tight, unpin_tight, NULL },
	{ "touch", pin_touch_open, pin_touch, unpin_touch, NULL },
	{ "uring", pin_uring_open, pin_uring, unpin_uring, NULL },
	{ "rdma", pin_rdma_open, pin_rdma, unpin_rdma, NULL },
	{ "vfio", pin_vfio_open, pin_vfio, unpin_vfio, NULL },
	{ "ioas", pin_ioas_open, pin_ioas, unpin_ioas, NULL },
};

#endif
