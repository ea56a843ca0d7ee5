// SPDX-License-Identifier: GPL-2.0-only
/* The guest's way from an unpacked initramfs to a machine that tests can use. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"
#include "proto.h"

#define GID_ACCEL 900

static const struct {
	const char *type, *dir, *data;
	mode_t mode;
} mounts[] = {
	{ "proc", "/proc", NULL, 0555 },
	{ "sysfs", "/sys", NULL, 0555 },
	{ "devtmpfs", "/dev", "mode=0755", 0755 },
	{ "devpts", "/dev/pts", "mode=0620,gid=5,ptmxmode=0666", 0755 },
	{ "tmpfs", "/dev/shm", "mode=1777", 01777 },
	{ "tmpfs", "/tmp", "mode=1777", 01777 },
	{ "tmpfs", "/run", "mode=0755", 0755 },
	{ "tracefs", "/sys/kernel/tracing", NULL, 0700 },
	{ "debugfs", "/sys/kernel/debug", NULL, 0700 },
	{ "bpf", "/sys/fs/bpf", "mode=0755", 0755 },
	{ "cgroup2", "/sys/fs/cgroup", NULL, 0755 },
};

char *read_file(const char *path, size_t *len)
{
	size_t size = 0, room = 4096;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *buf = NULL;
	ssize_t n = -1;

	if (fd < 0)
		return NULL;
	do {
		char *more = realloc(buf, room + 1);

		if (!more)
			break;
		buf = more;
		n = read(fd, buf + size, room - size);
		if (n > 0)
			size += n;
		if (size == room)
			room *= 2;
	} while (n > 0 || (n < 0 && errno == EINTR));
	close(fd);
	if (n < 0) {
		free(buf);
		return NULL;
	}
	buf[size] = 0;
	if (len)
		*len = size;
	return buf;
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	n = n < 0 ? -errno : 0;
	close(fd);
	return n;
}

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0)
		return;
	if (ioctl(s, SIOCSIFFLAGS, &ifr))
		perror("lo");
	close(s);
}

void boot_mounts(void)
{
	size_t i;

	umask(0);
	for (i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].dir, mounts[i].mode);
		/* a kernel without one of them is no reason to stop */
		if (mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0, mounts[i].data))
			fprintf(stderr, "agent: mount %s: %s\n", mounts[i].dir, strerror(errno));
	}
	umask(022);
	if (symlink("/proc/self/fd", "/dev/fd") || symlink("/proc/self/fd/0", "/dev/stdin") ||
	    symlink("/proc/self/fd/1", "/dev/stdout") || symlink("/proc/self/fd/2", "/dev/stderr"))
		perror("agent: /dev/fd");
	if (sethostname("accel-vm", 8))
		perror("agent: sethostname");
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+cpu");
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+pids");
	loopback_up();
}

/* There is no udev here to make /dev/virtio-ports. */
int boot_open_port(void)
{
	static const char dir[] = "/sys/class/virtio-ports";
	char path[300];
	struct dirent *e;
	int fd = -1;
	DIR *d;

	d = opendir(dir);
	while (d && fd < 0 && (e = readdir(d))) {
		char *name;

		snprintf(path, sizeof(path), "%s/%s/name", dir, e->d_name);
		name = e->d_name[0] == '.' ? NULL : read_file(path, NULL);
		if (name && !strcmp(name, VM_PORT_NAME "\n")) {
			snprintf(path, sizeof(path), "/dev/%s", e->d_name);
			fd = open(path, O_RDWR | O_CLOEXEC);
		}
		free(name);
	}
	if (d)
		closedir(d);
	return fd;
}

/* Each line of VM_DIR/modules: path of a .ko, then its parameters. */
const char *boot_modules(void)
{
	char *list = read_file(VM_DIR "/modules", NULL), *line, *save = NULL;
	static char error[512];

	for (line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *params = strchr(line, ' ');
		int fd, ret;

		if (params)
			*params++ = 0;
		fd = open(line, O_RDONLY | O_CLOEXEC);
		ret = fd < 0 ? -1 : (int)syscall(SYS_finit_module, fd, params ? params : "", 0);
		if (ret) {
			snprintf(error, sizeof(error), "loading %s %s: %s", line, params ? params : "",
				 strerror(errno));
			return error;
		}
		close(fd);
	}
	free(list);
	return NULL;
}

/* What a udev rule does on a real machine. */
void boot_device_nodes(void)
{
	static const char dir[] = "/dev/accelerator";
	char path[300];
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (chown(path, 0, GID_ACCEL))
			perror(path);
	}
	if (d)
		closedir(d);
}
