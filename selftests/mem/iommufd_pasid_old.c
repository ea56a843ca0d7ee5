// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=full DEVICES="soft=1" */
/*
 * A kernel whose iommufd takes no PASIDs says so, and since when there are some: asked of
 * a driver that uses them (accel_mock, on one of iommufd's mock devices).
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mock.h"
#include "rig.h"

int main(void)
{
	struct dev_info dev;
	struct mock mock;
	int fd;

	mock_new(&mock, 0);
	mock_load();
	if (dev_find("accel_mock", 0, &dev))
		tap_bail("no accelerator on the mock device");
	fd = dev_open(dev.name);
	tap_is(iommufd_bind_pasid(fd, mock.iommufd, 0, NULL), -EOPNOTSUPP, "bind: by a PASID");
	said(fd, "6.15");
	tap_ok(iommufd_bind(fd, mock.iommufd, mock.hwpt) > 0, "all of the device can be bound");
	tap_is(strlen(fdinfo(fd, "accel-pasid")), 0, "which has no PASID");
	tap_is(iommufd_unbind(fd), 0, "unbind");
	close(fd);
	close(mock.iommufd);
	mock_unload();
	return tap_done();
}
