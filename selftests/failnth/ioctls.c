// SPDX-License-Identifier: GPL-2.0-only
/* ioctls: memory and jobs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scene.h"
#include "tap.h"

#define PAGE		4096UL
#define SCATTERED	521	/* pages, a prime: more than a batch, more than 4 chained lists */
#define HUGE_PAGE	(2UL << 20)
#define HUGE_PAGES	1024	/* of 4 KiB: two huge ones, two batches */
#define BOTH		(ACCEL_MEM_READ | ACCEL_MEM_WRITE)

static int fd = -1;
static char *memory = MAP_FAILED;
static size_t memory_size;
static bool memory_kept;	/* nothing changes it: good for the next time, too */

/* Where the memory to pin is, before it is. */
enum form { PRESENT, ABSENT, PARTLY, ABSENT_FILE, PIECES, HUGE, ABSENT_HUGE, HUGETLB };

struct pin {
	const char *dev;
	size_t pages;
	enum form form;
};

static void must(int ok, const char *what)
{
	if (!ok)
		tap_bail("%s: %s", what, strerror(errno));
}

/* Where huge pages may be. */
static char *map_huge(size_t size)
{
	char *p = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	char *start = (char *)(((uintptr_t)p + HUGE_PAGE - 1) & -HUGE_PAGE);

	must(p != MAP_FAILED, "mmap");
	if (start > p)
		must(!munmap(p, start - p), "munmap");
	must(!munmap(start + size, p + HUGE_PAGE - start), "munmap");
	must(!madvise(start, size, MADV_HUGEPAGE), "MADV_HUGEPAGE");
	return start;
}

static void get_memory(size_t pages, enum form form)
{
	int file = -1;

	if (memory != MAP_FAILED)
		return;
	memory_kept = form == PRESENT || form == PIECES || form == HUGE || form == HUGETLB;
	memory_size = pages * PAGE;
	if (form == ABSENT_FILE || form == PIECES) {
		file = memfd_create("failnth", MFD_CLOEXEC);
		must(file >= 0 && !ftruncate(file, memory_size), "memfd");
	}
	if (form == HUGE || form == ABSENT_HUGE)
		memory = map_huge(memory_size);
	else
		memory = mmap(NULL, memory_size, PROT_READ | PROT_WRITE, file >= 0 ? MAP_SHARED :
			      MAP_PRIVATE | MAP_ANONYMOUS | (form == HUGETLB ? MAP_HUGETLB : 0), file, 0);
	must(memory != MAP_FAILED, "mmap");
	if (memory_kept)
		memset(memory, 1, memory_size);
	if (form == PARTLY)
		memset(memory, 1, memory_size / 2);
	/* Neighbours in memory are none in the file, and so none for the device. */
	for (size_t i = 0; form == PIECES && i < pages; i++)
		must(mmap(memory + i * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED |
			  MAP_POPULATE, file, i * 17 % pages * PAGE) != MAP_FAILED, "mmap of a piece");
	if (file >= 0)
		close(file);
}

static void open_dev(const char *dev)
{
	fd = dev_open(dev);
	if (fd < 0)
		tap_bail("open %s: %s", dev, strerror(-fd));
}

static void forget_memory(void)
{
	if (memory != MAP_FAILED)
		must(!munmap(memory, memory_size), "munmap");
	memory = MAP_FAILED;
}

static void undo(const void *arg)
{
	(void)arg;
	if (fd >= 0)
		close(fd);
	fd = -1;
	if (!memory_kept)
		forget_memory();
}

static void prepare_pin(const void *arg)
{
	const struct pin *p = arg;

	open_dev(p->dev);
	get_memory(p->pages, p->form);
}

static int run_pin(const void *arg)
{
	const struct pin *p = arg;
	uint64_t mem;
	int ret = dev_pin(fd, memory, p->pages * PAGE, BOTH, &mem);

	return ret ?: dev_unpin(fd, mem);
}

/* Close unpins. */
static int run_pin_close(const void *arg)
{
	const struct pin *p = arg;
	int ret = dev_pin(fd, memory, p->pages * PAGE, ACCEL_MEM_READ, NULL);

	close(fd);
	fd = -1;
	return ret;
}

static uint64_t mem_id;

static void prepare_job(const void *arg)
{
	open_dev(arg);
	get_memory(4, PRESENT);
	must(!dev_pin(fd, memory, memory_size, BOTH, &mem_id), "pin");
}

static int run_soft(uint32_t op)
{
	struct accel_soft_submit submit = { .op = op, .engine = ACCEL_SOFT_ENGINE_ANY };

	if (op == ACCEL_SOFT_OP_COPY) {
		submit.src_mem = mem_id;
		submit.dst_mem = mem_id;
		submit.dst_offset = 2 * PAGE;
		submit.length = 2 * PAGE;
	}
	return dev_soft(fd, &submit, NULL);
}

static int run_nop(const void *arg)
{
	(void)arg;
	return run_soft(ACCEL_SOFT_OP_NOP);
}

static int run_copy(const void *arg)
{
	(void)arg;
	return run_soft(ACCEL_SOFT_OP_COPY);
}

static int run_factorial(const void *arg)
{
	struct accel_edu_factorial factorial = { .n = 5 };
	struct accel_job_wait wait;
	int ret = dev_ioctl(fd, ACCEL_EDU_IOCTL_FACTORIAL, &factorial);

	(void)arg;
	ret = ret ?: dev_wait(fd, factorial.job_id, &wait);
	return ret ?: wait.status ?: wait.result == 120 ? 0 : -EBADMSG;
}

static int run_dma(const void *arg)
{
	struct accel_edu_dma dma = {
		.mem_id = mem_id, .length = 100, .op = ACCEL_EDU_OP_TO_DEVICE,
	};
	struct accel_job_wait wait;
	int ret = dev_ioctl(fd, ACCEL_EDU_IOCTL_DMA, &dma);

	(void)arg;
	ret = ret ?: dev_wait(fd, dma.job_id, &wait);
	return ret ?: wait.status;
}

static void prepare_open(const void *arg)
{
	open_dev(arg);
}

static int run_config(const void *arg)
{
	struct accel_soft_config config = { .engine = ACCEL_SOFT_ENGINE_ANY };

	(void)arg;
	return dev_ioctl(fd, ACCEL_SOFT_IOCTL_CONFIG, &config);
}

void sweep_ioctls(void)
{
	struct dev_info soft, edu;
	char control[DEV_NAME_LEN + 1];

	if (dev_find("soft", 0, &soft) || dev_find("edu", 0, &edu))
		tap_bail("no soft, or no edu");
	snprintf(control, sizeof(control), "%sc", soft.name);

	const struct pin one = { soft.name, 1, PRESENT };
	const struct pin some = { soft.name, 64, PRESENT };
	const struct pin absent = { soft.name, 24, ABSENT };
	const struct pin file = { soft.name, 24, ABSENT_FILE };
	const struct pin pieces = { soft.name, SCATTERED, PIECES };
	const struct pin partly = { soft.name, 24, PARTLY };
	const struct pin huge = { soft.name, HUGE_PAGES, HUGE };
	const struct pin absent_huge = { soft.name, HUGE_PAGES, ABSENT_HUGE };
	const struct pin hugetlb = { soft.name, HUGE_PAGES, HUGETLB };
	const struct pin edu_one = { edu.name, 1, PRESENT };
	const struct pin edu_pieces = { edu.name, SCATTERED, PIECES };
	const struct scene scenes[] = {
		{ .name = "pin a page", .arg = &one,
		  .prepare = prepare_pin, .run = run_pin, .undo = undo },
		{ .name = "pin 64 pages", .arg = &some,
		  .prepare = prepare_pin, .run = run_pin, .undo = undo },
		{ .name = "pin pages that are not there yet", .arg = &absent,
		  .prepare = prepare_pin, .run = run_pin, .undo = undo },
		{ .name = "pin pages of a file", .arg = &file,
		  .prepare = prepare_pin, .run = run_pin, .undo = undo },
		{ .name = "pin 521 pieces", .arg = &pieces,
		  .prepare = prepare_pin, .run = run_pin, .undo = undo },
		{ .name = "pin 521 pieces, and close", .arg = &pieces,
		  .prepare = prepare_pin, .run = run_pin_close, .undo = undo },
		{ .name = "pin huge pages", .arg = &huge,
		  .prepare = prepare_pin, .run = run_pin, .undo = undo },
		{ .name = "pin huge pages that are not there yet", .arg = &absent_huge,
		  .prepare = prepare_pin, .run = run_pin, .undo = undo },
		{ .name = "pin hugetlb's pages", .arg = &hugetlb,
		  .prepare = prepare_pin, .run = run_pin, .undo = undo },
		{ .name = "pin a page for edu", .arg = &edu_one,
		  .prepare = prepare_pin, .run = run_pin, .undo = undo },
		{ .name = "pin 521 pieces for edu", .arg = &edu_pieces,
		  .prepare = prepare_pin, .run = run_pin, .undo = undo },
		{ .name = "submit a nop and wait", .arg = soft.name,
		  .prepare = prepare_job, .run = run_nop, .undo = undo },
		{ .name = "submit a copy and wait", .arg = soft.name,
		  .prepare = prepare_job, .run = run_copy, .undo = undo },
		{ .name = "configure soft", .arg = control,
		  .prepare = prepare_open, .run = run_config, .undo = undo },
		{ .name = "edu's factorial", .arg = edu.name,
		  .prepare = prepare_job, .run = run_factorial, .undo = undo },
		{ .name = "edu's DMA", .arg = edu.name,
		  .prepare = prepare_job, .run = run_dma, .undo = undo },
	};

	/* What is there is pinned first, without faulting, and times are taken. */
	const struct scene traced[] = {
		{ .name = "pin a page, traced", .arg = &one,
		  .prepare = prepare_pin, .run = run_pin, .undo = undo },
		{ .name = "pin pages half of which are there, traced", .arg = &partly,
		  .prepare = prepare_pin, .run = run_pin, .undo = undo },
		{ .name = "pin 521 pieces, traced", .arg = &pieces,
		  .prepare = prepare_pin, .run = run_pin, .undo = undo },
		{ .name = "pin hugetlb's pages, traced", .arg = &hugetlb,
		  .prepare = prepare_pin, .run = run_pin, .undo = undo },
	};

	for (unsigned int i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		scene_sweep(&scenes[i]);
		forget_memory();
	}
	scene_listen(true);
	for (unsigned int i = 0; i < sizeof(traced) / sizeof(traced[0]); i++) {
		scene_sweep(&traced[i]);
		forget_memory();
	}
	scene_listen(false);
}
