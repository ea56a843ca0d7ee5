// SPDX-License-Identifier: GPL-2.0-only
/* Memory that is shared as a dma-buf, and memory that iommufd knows. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../mem/iommu.h"
#include "dmabuf.h"
#include "iommufd.h"
#include "scene.h"
#include "tap.h"

#define PAGE	4096UL
#define PAGES	521UL	/* a prime: more than a batch */
#define SIZE	(PAGES * PAGE)
#define IOVA	0x1000000UL
#define BOTH	(ACCEL_MEM_READ | ACCEL_MEM_WRITE)

static char node[DEV_NAME_LEN];
static char *memory;
static int owner = -1, user = -1, dmabuf = -1, iommufd = -1, ioas;
static size_t mapped = SIZE;	/* in the IOAS */
static uint64_t mem;

static int must(int ret, const char *what)
{
	if (ret < 0)
		tap_bail("%s: %s", what, strerror(-ret));
	return ret;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void undo(const void *arg)
{
	(void)arg;
	shut(&user);
	shut(&dmabuf);
	shut(&owner);
	shut(&iommufd);
}

/* ---------------------------------------------------------------- dma-bufs */

static void prepare_export(const void *arg)
{
	(void)arg;
	owner = must(dev_open(node), "open");
	must(dev_pin(owner, memory, SIZE, BOTH, &mem), "pin");
}

static int run_export(const void *arg)
{
	(void)arg;
	dmabuf = dmabuf_export(owner, mem, O_CLOEXEC);
	return dmabuf < 0 ? dmabuf : 0;
}

/* Importers of what goes away while they have it. */
static int run_export_unpin(const void *arg)
{
	int ret = run_export(arg);

	return ret ?: dev_unpin(owner, mem);
}

static void prepare_import(const void *arg)
{
	prepare_export(arg);
	dmabuf = must(dmabuf_export(owner, mem, O_CLOEXEC), "export");
	user = must(dev_open(node), "open");
}

static void prepare_import_udmabuf(const void *arg)
{
	(void)arg;
	dmabuf = must(dmabuf_udmabuf(PAGES * PAGE), "udmabuf");
	user = must(dev_open(node), "open");
}

static int run_import(const void *arg)
{
	uint64_t imported, length;
	int ret = dmabuf_import(user, dmabuf, BOTH, &imported, &length);

	(void)arg;
	return ret ?: dev_unpin(user, imported);
}

/* The close takes the import away. */
static int run_import_close(const void *arg)
{
	int ret = dmabuf_import(user, dmabuf, BOTH, NULL, NULL);

	(void)arg;
	shut(&user);
	return ret;
}

static uint64_t shared;

static void prepare_imported(const void *arg)
{
	prepare_import(arg);
	must(dmabuf_import(user, dmabuf, BOTH, &shared, NULL), "import");
}

/* It takes back what somebody else has. */
static int run_owner_close(const void *arg)
{
	int ret;

	(void)arg;
	shut(&owner);
	ret = dmabuf_import(user, dmabuf, BOTH, NULL, NULL);
	return ret == -ESTALE ? 0 : ret ?: -EBADMSG;
}

/* With a fence for those who share it. */
static int run_job(const void *arg)
{
	struct accel_soft_submit submit = {
		.op = ACCEL_SOFT_OP_FILL, .engine = ACCEL_SOFT_ENGINE_ANY, .dst_mem = shared,
		.length = PAGE,
	};

	(void)arg;
	return dev_soft(user, &submit, NULL);
}

/* ----------------------------------------------------------------- iommufd */

static void prepare_ioas(const void *arg)
{
	(void)arg;
	user = must(dev_open(node), "open");
	iommufd = must(iommufd_open(), "/dev/iommu");
	ioas = must(iommufd_ioas(iommufd), "IOAS");
	must(iommufd_map(iommufd, ioas, memory, mapped, IOVA, BOTH), "IOAS_MAP");
}

static int run_bind(const void *arg)
{
	int ret = iommufd_bind(user, iommufd, ioas);

	(void)arg;
	return ret < 0 ? ret : iommufd_unbind(user);
}

static int run_bind_close(const void *arg)
{
	int ret = iommufd_bind(user, iommufd, ioas);

	(void)arg;
	shut(&user);
	return ret < 0 ? ret : 0;
}

static void prepare_bound(const void *arg)
{
	prepare_ioas(arg);
	must(iommufd_bind(user, iommufd, ioas), "bind");
}

static int run_iova(const void *arg)
{
	uint64_t id;
	int ret = iommufd_pin(user, IOVA, *(const size_t *)arg, BOTH, &id);

	return ret ?: dev_unpin(user, id);
}

static void prepare_iova(const void *arg)
{
	prepare_bound(arg);
	must(iommufd_pin(user, IOVA, SIZE, BOTH, &shared), "pin by IOVA");
}

/* The region is taken away by iommufd's callback. */
static int run_iova_unmap(const void *arg)
{
	uint64_t id;
	int ret = iommufd_pin(user, IOVA, *(const size_t *)arg, BOTH, &id);

	return ret ?: iommufd_unmap(iommufd, ioas, IOVA, SIZE);
}

/* What attaches hardware takes its DMA from the kernel, and must give it back. */
static void prepare_open(const void *arg)
{
	(void)arg;
	user = must(dev_open(node), "open");
}

static int run_pin(const void *arg)
{
	uint64_t id;
	int ret = dev_pin(user, memory, PAGE, BOTH, &id);

	(void)arg;
	return ret ?: dev_unpin(user, id);
}

/*
 * Not back again: to detach is to attach what was there before. That allocates memory,
 * too, and the kernel warns (__iommu_group_set_domain_nofail()) when it does not get any.
 */
static int run_attach(const void *arg)
{
	int ret = iommufd_bind(user, iommufd, ioas);

	(void)arg;
	return ret < 0 ? ret : 0;
}

/*
 * What iommufd makes of chances of its own to fail: it does not find the object, or
 * refuses the range, as it does while that is being unmapped.
 */
#define IOMMUFD	.also = { ENOENT, EAGAIN }
/* Likewise where it looks at what a device's interrupts and firmware reserve. */
#define IOMMUFD_ATTACH	.also = { ENOENT, EAGAIN, EINVAL }

static void begin(const char *driver)
{
	struct dev_info dev;

	if (dev_find(driver, 0, &dev))
		tap_bail("no %s", driver);
	memcpy(node, dev.name, sizeof(node));
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		tap_bail("no memory");
	memset(memory, 1, SIZE);
}

void sweep_memory(void)
{
	static const size_t one = PAGE, all = SIZE;
	static const struct scene scenes[] = {
		{ .name = "export", .prepare = prepare_export, .run = run_export, .undo = undo },
		{ .name = "export, and unpin", .prepare = prepare_export, .run = run_export_unpin,
		  .undo = undo },
		{ .name = "import what was exported", .prepare = prepare_import, .run = run_import,
		  .undo = undo },
		{ .name = "import a udmabuf", .prepare = prepare_import_udmabuf, .run = run_import,
		  .undo = undo },
		{ .name = "import what was exported, and close", .prepare = prepare_import,
		  .run = run_import_close, .undo = undo },
		{ .name = "a job on shared memory", .prepare = prepare_imported, .run = run_job,
		  .undo = undo },
		{ .name = "close of its owner", .prepare = prepare_imported, .run = run_owner_close,
		  .undo = undo },
		{ .name = "bind to an IOAS", .prepare = prepare_ioas, .run = run_bind, .undo = undo,
		  IOMMUFD },
		{ .name = "bind to an IOAS, and close", .prepare = prepare_ioas, .run = run_bind_close,
		  .undo = undo, IOMMUFD },
		{ .name = "pin a page by IOVA", .arg = &one, .prepare = prepare_bound, .run = run_iova,
		  .undo = undo, IOMMUFD },
		{ .name = "pin 521 pages by IOVA", .arg = &all, .prepare = prepare_bound,
		  .run = run_iova, .undo = undo, IOMMUFD },
		{ .name = "pin 521 pages by IOVA, and unmap", .arg = &all, .prepare = prepare_bound,
		  .run = run_iova_unmap, .undo = undo, IOMMUFD },
		{ .name = "a job by IOVA", .prepare = prepare_iova, .run = run_job, .undo = undo },
	};
	static const struct scene traced = {
		.name = "pin 521 pages by IOVA, traced", .arg = &all, .prepare = prepare_bound,
		.run = run_iova, .undo = undo, IOMMUFD
	};

	begin("soft");
	for (unsigned int i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		scene_sweep(&scenes[i]);
	scene_listen(true);
	scene_sweep(&traced);
	scene_listen(false);
	munmap(memory, SIZE);
}

static char slot[32];

static long translated(void)
{
	return iommu_translated(slot);
}

/*
 * Hardware behind an IOMMU, whose page table iommufd makes, while it is attached, or the
 * kernel. That table is to have no page more afterwards.
 */
void sweep_attach(void)
{
	static const size_t one = PAGE;
	static const struct scene scenes[] = {
		{ .name = "attach to an IOAS", .prepare = prepare_ioas, .run = run_attach,
		  .undo = undo, .left = translated, IOMMUFD_ATTACH },
		{ .name = "a page by IOVA, attached", .arg = &one, .prepare = prepare_bound,
		  .run = run_iova, .undo = undo, .left = translated, IOMMUFD },
		{ .name = "a page behind an IOMMU", .prepare = prepare_open, .run = run_pin,
		  .undo = undo, .left = translated },
		{ .name = "export behind an IOMMU", .prepare = prepare_export,
		  .run = run_export_unpin, .undo = undo, .left = translated },
		{ .name = "import behind an IOMMU", .prepare = prepare_import, .run = run_import,
		  .undo = undo, .left = translated },
		{ .name = "import behind an IOMMU, and close", .prepare = prepare_import,
		  .run = run_import_close, .undo = undo, .left = translated },
		{ .name = "close of its owner", .prepare = prepare_imported, .run = run_owner_close,
		  .undo = undo, .left = translated },
	};
	struct dev_info dev;

	begin("edu");
	if (dev_find("edu", 0, &dev))
		tap_bail("no edu");
	iommu_slot(&dev, slot, sizeof(slot));
	/* to attach is to pin all of it */
	mapped = 9 * PAGE;
	for (unsigned int i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		scene_sweep(&scenes[i]);
	mapped = SIZE;
	munmap(memory, SIZE);
	sweep_edu_unbinding(translated);
}
