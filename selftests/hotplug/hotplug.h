/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Edu devices behind PCIe ports, as DEVICES="edu=N,hotplug" makes them: port n is rpN of
 * QEMU's, slot N+1 of the kernel's, and has the device eduN or none.
 */
#ifndef SELFTESTS_HOTPLUG_H
#define SELFTESTS_HOTPLUG_H

#include <fcntl.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <pthread.h>

#include "../storm/storm.h"
#include "qmp.h"

#define HOTPLUG_PORTS	16

static struct qmp hotplug_qmp;
static char hotplug_slot[HOTPLUG_PORTS][16];	/* "0000:01:00.0" */
static char hotplug_port[HOTPLUG_PORTS][16];	/* "0000:00:01.0", the bridge to it */

static inline int hotplug_by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* hotplug_init() - open the monitor, find the ports, none of which is empty; how many */
static inline int hotplug_init(void)
{
	DIR *dir = opendir("/sys/bus/pci/drivers/accel_edu");
	int ret = qmp_open(&hotplug_qmp), n = 0;
	struct dirent *entry;

	if (ret == -ENODEV)
		tap_bail("no port " QMP_PORT_NAME ": this machine is not of selftests/vm/run");
	if (ret)
		tap_bail("QEMU's monitor: %s", strerror(-ret));
	while (dir && n < HOTPLUG_PORTS && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "0000:", 5))
			snprintf(hotplug_slot[n++], sizeof(hotplug_slot[0]), "%.12s", entry->d_name);
	if (dir)
		closedir(dir);
	/* Buses are numbered in the order of their ports. */
	qsort(hotplug_slot, n, sizeof(hotplug_slot[0]), hotplug_by_name);
	for (int i = 0; i < n; i++) {
		char path[64], link[256];
		ssize_t len;

		/* .../0000:00:01.0/0000:01:00.0 */
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", hotplug_slot[i]);
		len = readlink(path, link, sizeof(link));
		if (len < 25 || strncmp(link + len - 25, "0000:00:", 8))
			tap_bail("%s is in no slot; DEVICES=\"edu=N,hotplug\"", hotplug_slot[i]);
		memcpy(hotplug_port[i], link + len - 25, 12);
	}
	if (!n)
		tap_bail("no edu is bound to its driver");
	return n;
}

/* hotplug_find() - the accelerator behind port @n; 0 or -ENODEV */
static inline int hotplug_find(int n, struct dev_info *dev)
{
	struct dev_info devs[64];
	int count = dev_list(devs, 64);

	for (int i = 0; i < count && i < 64; i++) {
		char path[128], target[256];
		ssize_t len;

		snprintf(path, sizeof(path), "/sys/class/accelerator/%.31s/device", devs[i].name);
		len = readlink(path, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		if (strcmp(strrchr(target, '/') ? strrchr(target, '/') + 1 : target, hotplug_slot[n]))
			continue;
		*dev = devs[i];
		return 0;
	}
	return -ENODEV;
}

#define HOTPLUG_OFF	(PCI_EXP_SLTCTL_PWR_OFF | PCI_EXP_SLTCTL_PWR_IND_OFF)

/* Open the configuration of port @n; @offset is of its Slot Control register. */
static inline int hotplug_control(int n, off_t *offset)
{
	unsigned char at = PCI_CAPABILITY_LIST, id = 0;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", hotplug_port[n]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		tap_bail("%s: %s", path, strerror(errno));
	do {
		if (pread(fd, &at, 1, at) != 1 || !at || pread(fd, &id, 1, at) != 1)
			tap_bail("%s: no PCI Express capability", path);
		*offset = at++ + PCI_EXP_SLTCTL;
	} while (id != PCI_CAP_ID_EXP);
	return fd;
}

static inline uint16_t hotplug_power(int n)
{
	uint16_t control = 0;
	off_t offset;
	int fd = hotplug_control(n, &offset);

	if (pread(fd, &control, 2, offset) != 2)
		tap_bail("Slot Control of port %d: %s", n, strerror(errno));
	close(fd);
	return control & (PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_PIC);
}

/*
 * QEMU detaches what is in a slot when power and power indicator are off; the kernel
 * switches off the one, waits for a second, and switches off the other.
 */
static inline int hotplug_is_off(int n)
{
	return hotplug_power(n) == HOTPLUG_OFF;
}

/*
 * While pciehp is not through with a slot its power indicator blinks, and QEMU refuses to
 * unplug what the kernel already has. Where the firmware serves the slots none blinks.
 */
static inline int hotplug_blinks(int n)
{
	return (hotplug_power(n) & PCI_EXP_SLTCTL_PIC) == PCI_EXP_SLTCTL_PWR_IND_BLINK;
}

/*
 * hotplug_await_for() - wait for @seconds until port @n has its accelerator (@there), or
 * has none and is off, which only pciehp does; what comes before that would go, too. 0 or
 * -ETIMEDOUT
 */
static inline int hotplug_await_for(int n, int there, struct dev_info *dev, int seconds)
{
	time_t end = time(NULL) + seconds;
	char node[64];

	/* No event says so in this guest, which has no udev: look every 10 ms. */
	do {
		int found = !hotplug_find(n, dev);

		snprintf(node, sizeof(node), "/dev/accelerator/%.31s", dev->name);
		if (there ? found && !access(node, F_OK) && !hotplug_blinks(n) :
			    !found && hotplug_is_off(n))
			return 0;
		usleep(10000);
	} while (time(NULL) < end);
	return -ETIMEDOUT;
}

static inline int hotplug_await(int n, int there, struct dev_info *dev)
{
	return hotplug_await_for(n, there, dev, QMP_LIMIT_S);
}

/* hotplug_ask() - ask QEMU to unplug port @n's device: its firmware, or a button, does */
static inline int hotplug_ask(int n)
{
	char args[64], error[256];
	int ret;

	snprintf(args, sizeof(args), "{\"id\":\"edu%d\"}", n);
	ret = qmp_command(&hotplug_qmp, "device_del", args, error, sizeof(error));
	if (ret)
		tap_diag("device_del %s: %s", args, error[0] ? error : strerror(-ret));
	return ret;
}

/*
 * hotplug_confirm() - with pciehp: power port @n off, as the kernel does by itself five seconds after
 * the button; returns when the device is gone for the kernel, a second later
 */
static inline int hotplug_confirm(int n)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/bus/pci/slots/%d/power", n + 1);
	return dev_write(path, "0");
}

/*
 * hotplug_tear_out() - port @n's device is gone, without anybody having asked for it
 *
 * QEMU has no command for that. So switch the slot off behind the back of the kernel's
 * driver of the port, with its interrupt off, and on again: what that driver then finds is
 * a slot with power, and nothing in it.
 */
static inline int hotplug_tear_out(int n)
{
	uint16_t control, off;
	off_t offset;
	int fd = hotplug_control(n, &offset), ret = 0;

	if (pread(fd, &control, 2, offset) != 2)
		tap_bail("Slot Control of port %d: %s", n, strerror(errno));
	off = (control & ~PCI_EXP_SLTCTL_HPIE) | HOTPLUG_OFF;
	if (pwrite(fd, &off, 2, offset) != 2 || pwrite(fd, &control, 2, offset) != 2)
		ret = -errno;
	close(fd);
	return ret;
}

/* hotplug_gone() - wait until QEMU says that port @n's device is no more */
static inline int hotplug_gone(int n)
{
	char id[16];

	snprintf(id, sizeof(id), "edu%d", n);
	return qmp_deleted(&hotplug_qmp, id);
}

/*
 * hotplug_cannot_open() - what a user finds whose device is gone: no node, or one that is
 * not there in a moment and until then is nobody's
 */
static inline int hotplug_cannot_open(const char *name)
{
	int fd = dev_open(name);

	if (fd >= 0)
		close(fd);
	else if (fd != -ENXIO && fd != -ENOENT)
		tap_diag("open %s: %s", name, strerror(-fd));
	return fd == -ENXIO || fd == -ENOENT;
}

/* hotplug_add() - plug a new device into port @n */
static inline int hotplug_add(int n)
{
	char args[128], error[256];
	int ret;

	snprintf(args, sizeof(args),
		 "{\"driver\":\"edu\",\"id\":\"edu%d\",\"bus\":\"rp%d\",\"dma_mask\":4294967295}", n, n);
	ret = qmp_command(&hotplug_qmp, "device_add", args, error, sizeof(error));
	if (ret)
		tap_diag("device_add %s: %s", args, error[0] ? error : strerror(-ret));
	return ret;
}

/* The device does its work: a DMA from end to end. */
static inline int hotplug_works(const struct dev_info *dev, void *page)
{
	struct accel_job_wait wait = { .status = -ENODEV };
	struct storm_user u = { 0 };
	int ret = storm_use(&u, dev, page, 1);

	if (!ret)
		ret = dev_wait(u.fd, u.job, &wait);
	storm_leave(&u);
	return ret ? ret : wait.status;
}

/* A file with jobs, one thread that waits for the last of them and one that polls. */
struct hotplug_user {
	struct storm_user use;
	pthread_t waiter, poller;
	struct accel_job_wait wait;
	int wait_ret, polled;
	short revents;
};

static inline void *hotplug_waiter(void *arg)
{
	struct hotplug_user *u = arg;

	u->wait_ret = dev_wait(u->use.fd, u->use.job, &u->wait);
	return NULL;
}

/* Not POLLIN: jobs that end well meanwhile are nothing to wake up for. */
static inline void *hotplug_poller(void *arg)
{
	struct hotplug_user *u = arg;
	struct pollfd p = { .fd = u->use.fd };

	u->polled = poll(&p, 1, QMP_LIMIT_S * 1000);
	u->revents = p.revents;
	return NULL;
}

/* hotplug_work() - submit @jobs for a file that storm_use() has opened, and wait for the last */
static inline int hotplug_work(struct hotplug_user *u, const struct dev_info *dev, int jobs)
{
	int ret = storm_feed(&u->use, dev, jobs);

	if (ret)
		return ret;
	if (pthread_create(&u->waiter, NULL, hotplug_waiter, u) ||
	    pthread_create(&u->poller, NULL, hotplug_poller, u))
		tap_bail("no thread");
	return 0;
}

/*
 * hotplug_dead() - what is wrong with @u, whose device is gone; NULL: nothing
 * @caught: counts those whose last job was in flight when it went. On a busy host the
 *	device may take longer to go than the jobs, which go by the host's clock.
 */
static inline const char *hotplug_dead(struct hotplug_user *u, int *caught)
{
	struct pollfd p = { .fd = u->use.fd, .events = POLLIN };

	pthread_join(u->waiter, NULL);
	pthread_join(u->poller, NULL);
	/* Who came too late to wait is told by the call itself. */
	if (u->wait_ret != -ENODEV && (u->wait_ret || (u->wait.status && u->wait.status != -ENODEV)))
		return "a job ended with another error than ENODEV";
	*caught += u->wait_ret || u->wait.status;
	if (u->polled != 1 || (u->revents & (POLLHUP | POLLERR)) != (POLLHUP | POLLERR))
		return "who polled was not woken with POLLHUP and POLLERR";
	if (poll(&p, 1, 0) != 1 || (p.revents & (POLLHUP | POLLERR)) != (POLLHUP | POLLERR))
		return "poll does not say POLLHUP and POLLERR";
	if (storm_ask(u->use.fd) != -ENODEV)
		return "a file does not answer ENODEV";
	if (u->use.map[0])
		return "a mapping is not empty";
	return NULL;
}

#endif
