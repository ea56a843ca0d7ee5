// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=2,exclusive=1" */
/* Devices with one open file at a time: who holds it, and who does not notice. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "tap.h"

/* How a shell command ends. */
static int shell(const char *command)
{
	int status = system(command);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void enumerate(const char *when)
{
	tap_is(dev_attr("acc0", "contexts"), when[0] == 'o', "%s: sysfs counts it", when);
	tap_is(shell("find /sys/class/accelerator/acc0/ -type f -perm -400 ! -path '*/power/*' "
		     "-exec cat {} + >/dev/null"), 0, "%s: all of sysfs can be read", when);
	tap_is(shell("accelctl dev show acc0 >/dev/null"), 0, "%s: accelctl dev show", when);
	tap_is(shell("[ $(accelctl dev list | wc -l) = 3 ]"), 0, "%s: accelctl dev list", when);
	tap_is(shell(when[0] == 'o' ? "accelctl ctx list | grep -q ' exclusive'" :
		     "! accelctl ctx list | grep -q ' exclusive'"), 0, "%s: accelctl ctx list", when);
	tap_is(shell("accelctl -j dev show acc0 | grep -q '\"exclusive\": true'"), 0,
	       "%s: netlink says that it is exclusive", when);
}

int main(void)
{
	struct dev_info dev;
	pid_t child;
	int fd, other, status;

	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	enumerate("closed");
	fd = dev_open("acc0");
	if (!tap_ok(fd >= 0, "open"))
		return tap_done();
	tap_is(dev_open("acc0"), -EBUSY, "a second open");
	tap_is(dev_open("acc0c"), -EBUSY, "one of another node");
	child = fork();
	if (!child)
		_exit(dev_open("acc0") != -EBUSY);
	waitpid(child, &status, 0);
	tap_is(status, 0, "one of another process");
	other = dev_open("acc1");
	tap_ok(other >= 0, "one of another device works");
	close(other);
	enumerate("open");

	/* a duplicate is the same open file */
	other = dup(fd);
	close(fd);
	tap_is(dev_open("acc0"), -EBUSY, "closed, but for a duplicate");
	close(other);
	fd = dev_open("acc0c");
	tap_ok(fd >= 0, "closed: the other node can be opened");
	tap_is(dev_open("acc0"), -EBUSY, "and excludes the first");

	tap_is(dev_write("/sys/bus/platform/drivers/accel_soft/unbind", "accel_soft.0"), 0, "unbind");
	tap_is(dev_write("/sys/bus/platform/drivers/accel_soft/bind", "accel_soft.0"), 0, "bind");
	other = dev_open("acc0");
	tap_ok(other >= 0 || dev_find("soft", 1, &dev) || (other = dev_open(dev.name)) >= 0,
	       "the file of the device that went does not hold the new one");
	close(other);
	close(fd);
	return tap_done();
}
