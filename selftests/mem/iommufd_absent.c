// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=debian DEVICES="edu=1 soft=1" */
/* A kernel without iommufd says so, and which option is missing. */
#include <errno.h>
#include <fcntl.h>

#include "mem.h"
#include "rig.h"

/* Whether the kernel's log has a line with all three. */
static int logged(const char *a, const char *b, const char *c)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK), found = 0;
	char line[4096];
	ssize_t n;

	while ((n = read(fd, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		line[n] = '\0';
		found += strstr(line, a) && strstr(line, b) && strstr(line, c);
	}
	close(fd);
	return found;
}

int main(void)
{
	static const char *const drivers[] = { "soft", "edu" };
	struct dev_info dev;
	int fd, null = open("/dev/null", O_RDWR);

	tap_is(iommufd_open(), -ENOENT, "this kernel has no iommufd");
	for (int i = 0; i < 2; i++) {
		if (dev_find(drivers[i], 0, &dev) || (fd = dev_open(dev.name)) < 0)
			tap_bail("no %s device", drivers[i]);
		tap_is(iommufd_bind(fd, null, 1), -EOPNOTSUPP, "%s: bind", drivers[i]);
		tap_is(iommufd_unbind(fd), -EOPNOTSUPP, "%s: unbind", drivers[i]);
		tap_is(iommufd_pin(fd, 0, PAGE, RW, NULL), -EOPNOTSUPP, "%s: a region by its IOVA",
		       drivers[i]);
		tap_ok(!strcmp(last_error(fd), "EOPNOTSUPP: this kernel has no iommufd: it needs CONFIG_IOMMUFD"),
		       "%s: says why: %s", drivers[i], last_error(fd));
		close(fd);
	}
	tap_ok(logged("acc", "iommufd", "CONFIG_IOMMUFD") >= 1, "the log names the option");
	return tap_done();
}
