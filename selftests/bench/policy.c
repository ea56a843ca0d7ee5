// SPDX-License-Identifier: GPL-2.0-only
/*
 * A null ioctl, and a pin, without policies and with one: attached and detached in turn,
 * so that both are sampled side by side. The one that does nothing is nothing.bpf.o; the
 * one that is useful is pin-limit, loaded by accelctl.
 */
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accel_bench.h"
#include "bench.h"
#include "device.h"

#define COUNT	2000
#define CGROUP	"/sys/fs/cgroup/bench"

static int bench, soft;
static char *memory;

static double ioctls(void)
{
	struct accel_bench_null null = { .in = 1 };
	double start = bench_now_ns();

	for (int i = 0; i < COUNT; i++)
		dev_ioctl(bench, ACCEL_BENCH_NULL, &null);
	return (bench_now_ns() - start) / COUNT;
}

static double pins_of(int fd, size_t bytes, int count)
{
	double start = bench_now_ns();
	uint64_t mem;

	for (int i = 0; i < count; i++)
		if (dev_pin(fd, memory, bytes, ACCEL_MEM_READ | ACCEL_MEM_WRITE, &mem) ||
		    dev_unpin(fd, mem))
			bench_die("pin: %s", strerror(errno));
	return (bench_now_ns() - start) / count;
}

static double pins(void)
{
	return pins_of(soft, 4096, COUNT);
}

static double pins1m(void)
{
	return pins_of(soft, 1 << 20, COUNT / 100);
}

static struct bpf_map *nothing(const char *ops)
{
	struct bpf_object *obj =
		bpf_object__open_file("/usr/lib/accelerator/selftests/bench/nothing.bpf.o", NULL);
	struct bpf_map *map;

	if (!obj || bpf_object__load(obj) || !(map = bpf_object__find_map_by_name(obj, ops)))
		bench_die("nothing.bpf.o cannot be loaded");
	return map;
}

/* The kernel goes on for a while with what an attach or a detach has left it to do. */
static void settle(double (*sample)(void))
{
	for (int i = 0; i < 5; i++)
		sample();
}

/* @sample without a policy and with @map, in turn. */
static void compare(const char *none, const char *with, struct bpf_map *map, double (*sample)(void))
{
	struct bpf_link *link;

	for (int i = -1; i < BENCH_ROUNDS; i++) {
		double ns;

		if (none) {
			settle(sample);
			ns = sample();
			if (i >= 0)
				bench_sample(none, ns);
		}
		link = bpf_map__attach_struct_ops(map);
		if (!link)
			bench_die("cannot attach: %s", strerror(errno));
		settle(sample);
		ns = sample();
		if (i >= 0)
			bench_sample(with, ns);
		bpf_link__detach(link);
		bpf_link__destroy(link);
	}
}

static void accelctl(const char *words)
{
	char command[256];

	snprintf(command, sizeof(command), "accelctl policy %s >/dev/null", words);
	if (system(command))
		bench_die("%s failed", command);
}

static void enter(const char *cgroup)
{
	char path[256], pid[16];

	mkdir(cgroup, 0755);
	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	snprintf(pid, sizeof(pid), "%d", getpid());
	if (dev_write(path, pid))
		bench_die("cannot enter %s", cgroup);
}

/* Of a file that is opened now, with the policy if it is there. */
static void sample_pins(const char *series, double (*sample)(void), bool counts)
{
	struct dev_info dev;
	double ns;

	close(soft);
	if (dev_find("soft", 0, &dev) || (soft = dev_open(dev.name)) < 0)
		bench_die("no soft device");
	for (int i = 0; i < 5; i++)
		pins_of(soft, 4096, COUNT / 10);
	ns = sample();
	if (counts)
		bench_sample(series, ns);
}

/* In this cgroup, without pin-limit and with it, in turn. */
static void limit_pins(const char *cgroup, const char *none, const char *with,
		       double (*sample)(void))
{
	enter(cgroup);
	for (int i = -1; i < BENCH_ROUNDS; i++) {
		sample_pins(none, sample, i >= 0);
		accelctl("load pin-limit default=1G");
		sample_pins(with, sample, i >= 0);
		accelctl("unload pin-limit");
	}
}

int main(void)
{
	struct dev_info dev;

	mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL);
	mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL);
	memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (dev_find("bench", 0, &dev) || (bench = dev_open(dev.name)) < 0)
		bench_die("no device of accel_bench: load it first");
	if (dev_find("soft", 0, &dev) || (soft = dev_open(dev.name)) < 0 || memory == MAP_FAILED)
		bench_die("no soft device");
	enter(CGROUP);
	compare("ioctl.none", "ioctl.nothing", nothing("nothing"), ioctls);
	compare(NULL, "ioctl.other", nothing("other"), ioctls);
	compare("pin.none", "pin.nothing", nothing("nothing"), pins);
	limit_pins(CGROUP, "pin1.free", "pin1.limit", pins);
	limit_pins(CGROUP, "pin1M.free", "pin1M.limit", pins1m);
	limit_pins(CGROUP "/2", "pin2.free", "pin2.limit", pins);
	limit_pins(CGROUP "/2/3", "pin3.free", "pin3.limit", pins);
	return 0;
}
