// SPDX-License-Identifier: GPL-2.0-only
/* An address space for a file, by PASID, on iommufd's mock device. */
#include <errno.h>
#include <sys/mman.h>

#include "../mem/mock.h"
#include "scene.h"

#define PAGE	4096
#define SIZE	(4 * PAGE)
#define IOVA	0x2000000UL
#define BOTH	(ACCEL_MEM_READ | ACCEL_MEM_WRITE)

static struct mock mock;
static int user, ioas, hwpt;

static void prepare_open(const void *arg)
{
	(void)arg;
	user = dev_open(mock.dev.name);
	if (user < 0)
		tap_bail("open: %s", strerror(-user));
}

static int run_bind(const void *arg)
{
	int ret = iommufd_bind_pasid(user, mock.iommufd, arg ? hwpt : 0, NULL);

	return ret < 0 ? ret : 0;
}

static void prepare_step(const void *arg)
{
	prepare_open(arg);
	if (run_bind(NULL))
		tap_bail("no PASID");
}

static void prepare_bound(const void *arg)
{
	prepare_open(arg);
	if (run_bind(&hwpt))
		tap_bail("no address space by PASID");
}

static int run_unbind(const void *arg)
{
	(void)arg;
	return iommufd_unbind(user);
}

static int run_region(const void *arg)
{
	uint64_t mem;
	int ret = iommufd_pin(user, IOVA, SIZE, BOTH, &mem);

	(void)arg;
	return ret ?: dev_unpin(user, mem);
}

static int run_job(const void *arg)
{
	struct accel_mock_copy copy = { .to = 2 * PAGE, .length = PAGE };
	struct accel_job_wait wait = { 0 };
	uint64_t mem;
	int ret = iommufd_pin(user, IOVA, SIZE, BOTH, &mem);

	(void)arg;
	if (ret)
		return ret;
	copy.mem_id = mem;
	return dev_ioctl(user, ACCEL_MOCK_IOCTL_COPY, &copy) ?:
	       dev_wait(user, copy.job_id, &wait) ?: wait.status;
}

static void undo(const void *arg)
{
	(void)arg;
	close(user);
}

/* iommufd does not find what it could not make room to look at. */
#define IOMMUFD	.also = { ENOENT, EAGAIN }

void sweep_pasid(void)
{
	static const struct scene scenes[] = {
		{ .name = "a PASID", .prepare = prepare_open, .run = run_bind, .undo = undo, IOMMUFD },
		{ .name = "a page table for it", .arg = &hwpt, .prepare = prepare_step, .run = run_bind,
		  .undo = undo, IOMMUFD },
		{ .name = "both at once", .arg = &hwpt, .prepare = prepare_open, .run = run_bind,
		  .undo = undo, IOMMUFD },
		{ .name = "and back", .prepare = prepare_bound, .run = run_unbind, .undo = undo },
		{ .name = "a region of its space", .prepare = prepare_bound, .run = run_region,
		  .undo = undo, IOMMUFD },
		{ .name = "a job in its space", .prepare = prepare_bound, .run = run_job, .undo = undo,
		  IOMMUFD },
	};
	void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	mock_new(&mock, DEVICE_HAS_PASIDS);
	mock_compatible(&mock);
	mock_load();
	mock_find(&mock);
	ioas = iommufd_ioas(mock.iommufd);
	hwpt = iommufd_hwpt_pasid(mock.iommufd, mock.device, ioas);
	if (memory == MAP_FAILED || ioas < 0 || hwpt < 0 ||
	    iommufd_map(mock.iommufd, ioas, memory, SIZE, IOVA, BOTH))
		tap_bail("no page table for PASIDs: %d, %d", ioas, hwpt);
	for (unsigned int i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		scene_sweep(&scenes[i]);
	if (!mock_none_attached(&mock))
		tap_bail("a PASID is still attached");
	if (iommufd_destroy(mock.iommufd, hwpt) || iommufd_destroy(mock.iommufd, ioas))
		tap_bail("somebody still has the page table, or the IOAS");
	close(mock.iommufd);
	if (syscall(SYS_delete_module, "accel_mock", O_NONBLOCK))
		tap_bail("accel_mock stays: %s", strerror(errno));
	munmap(memory, SIZE);
}
