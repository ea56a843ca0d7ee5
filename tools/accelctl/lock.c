// SPDX-License-Identifier: GPL-2.0-only
/* One accelctl at a time changes what is pinned. */
#include "accelctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/vfs.h>

int lock_pins(void)
{
	struct statfs fs;
	int fd;

	if (!bpf_util_may_load())
		return fail(EXIT_NO_PERMISSION,
			    "loading BPF programs for a module needs CAP_SYS_ADMIN: run as root");
	if (statfs(BPFFS, &fs) || fs.f_type != BPF_FS_MAGIC)
		return fail(EXIT_FAILED, "%s is no BPF file system; mount -t bpf bpf %s", BPFFS, BPFFS);
	fd = open(BPFFS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX))
		return fail(EXIT_FAILED, "cannot lock %s: %s", BPFFS, strerror(errno));
	return EXIT_OK;
}
