// SPDX-License-Identifier: GPL-2.0-only
/*
 * An ioctl of 16 bytes in and 16 bytes out that does next to nothing: through the
 * core, in a misc device, and through mainline's drm_ioctl() (DRM_IOCTL_GET_CAP of
 * vgem, whose argument has the same size). In turn, and nobody observes.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "accel_bench.h"
#include "bench.h"
#include "device.h"

/* As <drm/drm.h> has them, which is in a package of its own. */
struct drm_get_cap {
	uint64_t capability;
	uint64_t value;
};

#define DRM_IOCTL_GET_CAP	_IOWR('d', 0x0c, struct drm_get_cap)
#define DRM_CAP_TIMESTAMP_MONOTONIC	0x6

#define COUNT	20000

static double loop(int fd, unsigned long cmd, uint64_t in, const char *what)
{
	uint64_t arg[2] = { in, 0 };
	double start;

	if (ioctl(fd, cmd, arg))
		bench_die("ioctl of %s: %s", what, strerror(errno));
	start = bench_now_ns();
	for (int i = 0; i < COUNT; i++)
		ioctl(fd, cmd, arg);
	return (bench_now_ns() - start) / COUNT;
}

int main(void)
{
	int misc = open("/dev/accel_bench", O_RDWR), drm = open("/dev/dri/renderD128", O_RDWR), core;
	struct dev_info dev;

	if (dev_find("bench", 0, &dev) || (core = dev_open(dev.name)) < 0 || misc < 0)
		bench_die("no device of accel_bench: load it first");
	if (drm < 0)
		bench_die("/dev/dri/renderD128: %s: load vgem first", strerror(errno));
	for (int i = 0; i < BENCH_ROUNDS; i++) {
		bench_sample("misc", loop(misc, ACCEL_BENCH_NULL, 1, "misc"));
		bench_sample("core", loop(core, ACCEL_BENCH_NULL, 1, "core"));
		bench_sample("drm", loop(drm, DRM_IOCTL_GET_CAP, DRM_CAP_TIMESTAMP_MONOTONIC, "drm"));
	}
	return 0;
}
