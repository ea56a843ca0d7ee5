// SPDX-License-Identifier: GPL-2.0-only
/*
 * hooks NAME: a null ioctl of accel_bench, and 4 KiB pinned and released with a soft device,
 * while nobody listens to any tracepoint, with the core that is loaded: "@ NAME.ioctl NS" and
 * "@ NAME.pin NS".
 *
 * A fifth of a row's samples each time, for the two cores that it compares are loaded in turn.
 */
#include <sys/mman.h>

#include "accel_bench.h"
#include "bench.h"
#include "device.h"

#define COUNT	2000

static int bench, soft;
static void *memory;

static double ioctls(void)
{
	struct accel_bench_null null = { .in = 1 };
	double start = bench_now_ns();

	for (int i = 0; i < COUNT; i++)
		dev_ioctl(bench, ACCEL_BENCH_NULL, &null);
	return (bench_now_ns() - start) / COUNT;
}

static double pins(void)
{
	double start = bench_now_ns();
	uint64_t mem;

	for (int i = 0; i < COUNT; i++)
		if (dev_pin(soft, memory, 4096, ACCEL_MEM_READ | ACCEL_MEM_WRITE, &mem) ||
		    dev_unpin(soft, mem))
			bench_die("pin: %s", strerror(errno));
	return (bench_now_ns() - start) / COUNT;
}

static void sample(const char *name, const char *what, double ns)
{
	char series[64];

	snprintf(series, sizeof(series), "%.32s.%s", name, what);
	bench_sample(series, ns);
}

int main(int argc, char **argv)
{
	struct dev_info dev;

	if (argc != 2)
		bench_die("hooks NAME");
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED)
		bench_die("mmap: %s", strerror(errno));
	if (dev_find("bench", 0, &dev) || (bench = dev_open(dev.name)) < 0)
		bench_die("no device of accel_bench: load it first");
	if (dev_find("soft", 0, &dev) || (soft = dev_open(dev.name)) < 0)
		bench_die("no soft device: load accel_soft first");
	ioctls();
	pins();
	for (int i = 0; i < BENCH_ROUNDS / 5; i++) {
		sample(argv[1], "ioctl", ioctls());
		sample(argv[1], "pin", pins());
	}
	return 0;
}
