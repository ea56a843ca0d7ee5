// SPDX-License-Identifier: GPL-2.0-only
/*
 * pin_kept SIZE: memory that the kernel keeps for a registered region in 2 MiB folios.
 *
 * Many regions of the same memory, and what this process' cgroup is charged for meanwhile
 * in slabs, for each: "@ SIZE.kept.accel BYTES". Beside it the array of pointers to pages
 * that the region would be without folios: "@ SIZE.kept.array BYTES".
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "device.h"

#define GROUP	"/sys/fs/cgroup/accel-bench"
#define HUGE	(2UL << 20)
#define REGIONS	64	/* the kernel counts by the page, for each processor */

static uint64_t mems[REGIONS];

static long slab(void)
{
	long bytes = dev_slab_charged(GROUP);

	if (bytes < 0)
		bench_die("no slab in " GROUP "/memory.stat");
	return bytes;
}

int main(int argc, char **argv)
{
	size_t size = argc == 2 ? strtoul(argv[1], NULL, 10) << 20 : 0;
	struct dev_info dev;
	char series[64];
	uint8_t *p;
	int fd;

	if (!size)
		bench_die("pin_kept MIBIBYTES");
	mkdir(GROUP, 0755);
	if (dev_write(GROUP "/cgroup.procs", "0"))
		bench_die(GROUP ": %s", strerror(errno));
	p = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		bench_die("mmap: %s", strerror(errno));
	p = (uint8_t *)(((uintptr_t)p + HUGE - 1) & -HUGE);
	if (madvise(p, size, MADV_HUGEPAGE))
		bench_die("madvise: %s", strerror(errno));
	memset(p, 1, size);
	if (dev_find("soft", 0, &dev) || (fd = dev_open(dev.name)) < 0)
		bench_die("no accelerator of accel_soft");

	for (int round = -1; round < BENCH_ROUNDS; round++) {
		long before = slab(), kept;

		for (int i = 0; i < REGIONS; i++)
			if (dev_pin(fd, p, size, ACCEL_MEM_READ | ACCEL_MEM_WRITE, &mems[i]))
				bench_die("pin");
		kept = slab() - before;
		for (int i = 0; i < REGIONS; i++)
			if (dev_unpin(fd, mems[i]))
				bench_die("unpin");
		if (round < 0)
			continue;
		snprintf(series, sizeof(series), "%.8sM.kept.accel", argv[1]);
		bench_sample(series, (double)kept / REGIONS);
		snprintf(series, sizeof(series), "%.8sM.kept.array", argv[1]);
		bench_sample(series, (double)size / 4096 * sizeof(void *));
	}
	return 0;
}
