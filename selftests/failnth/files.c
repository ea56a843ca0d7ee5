// SPDX-License-Identifier: GPL-2.0-only
/* Files: open and close, map, poll; and what is read about them without opening. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/accelerator_soft.h>

#include "scene.h"
#include "tap.h"

#define PAGE	4096UL

static int fd = -1, other = -1, dir = -1;
static void *map = MAP_FAILED;

static void shut(int *p)
{
	if (*p >= 0)
		close(*p);
	*p = -1;
}

static void open_node(const void *arg)
{
	fd = dev_open(arg);
	if (fd < 0)
		tap_bail("open %s: %s", (const char *)arg, strerror(-fd));
}

static void undo(const void *arg)
{
	(void)arg;
	if (map != MAP_FAILED && munmap(map, PAGE))
		tap_bail("munmap: %s", strerror(errno));
	map = MAP_FAILED;
	shut(&other);
	shut(&dir);
	shut(&fd);
}

static int run_open(const void *arg)
{
	fd = dev_open(arg);
	if (fd < 0)
		return fd;
	shut(&fd);
	return 0;
}

static int run_map(const void *arg)
{
	volatile uint32_t *word;

	(void)arg;
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	word = map;
	(void)*word;
	if (munmap(map, PAGE))
		return -errno;
	map = MAP_FAILED;
	return 0;
}

/* A buffer that the driver makes for it */
static int run_map_scratch(const void *arg)
{
	(void)arg;
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, ACCEL_SOFT_SCRATCH_OFFSET);
	if (map == MAP_FAILED)
		return -errno;
	*(volatile uint32_t *)map = 1;
	if (munmap(map, PAGE))
		return -errno;
	map = MAP_FAILED;
	return 0;
}

static int set_state(const char *node, const char *state)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/accelerator/%s/soft/set_state", node);
	return dev_write(path, state);
}

/* Who listens is told twice, and there is somebody. */
static int run_states(const void *arg)
{
	int failed = set_state(arg, "failed"), ok = set_state(arg, "ok");

	return failed ?: ok;
}

static void undo_states(const void *arg)
{
	int ret = set_state(arg, "ok");

	if (ret)
		tap_bail("%s does not work again: %s", (const char *)arg, strerror(-ret));
	undo(arg);
}

static int run_poll(const void *arg)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct epoll_event event = { .events = EPOLLIN };

	(void)arg;
	if (poll(&p, 1, 0) < 0)
		return -errno;
	other = epoll_create1(0);
	if (other < 0 || epoll_ctl(other, EPOLL_CTL_ADD, fd, &event) ||
	    epoll_wait(other, &event, 1, 0) < 0)
		return -errno;
	shut(&other);
	return 0;
}

static int read_at(int at, const char *path)
{
	char text[4096];
	int ret = 0;
	ssize_t n;

	other = openat(at, path, O_RDONLY | O_CLOEXEC);
	if (other < 0)
		return -errno;
	do {
		n = read(other, text, sizeof(text));
	} while (n > 0);
	if (n < 0)
		ret = -errno;
	shut(&other);
	return ret;
}

static void open_for_fdinfo(const void *arg)
{
	open_node(arg);
	dir = open("/proc/self/fdinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int run_fdinfo(const void *arg)
{
	char name[16];

	(void)arg;
	snprintf(name, sizeof(name), "%d", fd);
	return read_at(dir, name);
}

static char paths[128][96];
static unsigned int num_paths;

static void open_dir(const void *arg)
{
	dir = open(arg, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		tap_bail("%s: %s", (const char *)arg, strerror(errno));
}

static void add_path(const char *path, const char *name)
{
	if (num_paths < 128 &&
	    snprintf(paths[num_paths], sizeof(paths[0]), "%s%s", path, name) < (int)sizeof(paths[0]))
		num_paths++;
}

/* All regular files that may be read; "engines/" one level deep. */
static void list(const char *top, const char *below, bool deeper)
{
	char path[256], sub[80];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", top, below);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (e->d_type == DT_DIR && deeper && e->d_name[0] != '.' && strcmp(e->d_name, "power")) {
			snprintf(sub, sizeof(sub), "%.30s%.40s/", below, e->d_name);
			list(top, sub, true);
		} else if (e->d_type == DT_REG && !faccessat(dirfd(d), e->d_name, R_OK, 0) &&
			   strcmp(e->d_name, "uevent")) {
			add_path(below, e->d_name);
		}
	}
	if (d)
		closedir(d);
}

/* Six are enough: what may fail is the same for all of a tree. */
static int run_read_some(const void *arg)
{
	unsigned int i, step = num_paths / 6 + 1;
	int ret;

	(void)arg;
	for (i = 0; i < num_paths; i += step) {
		ret = read_at(dir, paths[i]);
		/* for lack of a value, not of memory */
		if (ret && ret != -ENODATA && ret != -EOPNOTSUPP)
			return ret;
	}
	return 0;
}

static void sweep_tree(const char *name, const char *top)
{
	const struct scene s = {
		.name = name, .arg = top,
		.prepare = open_dir, .run = run_read_some, .undo = undo,
	};

	num_paths = 0;
	list(top, "", true);
	if (num_paths < 3)
		tap_bail("%s: only %u files", top, num_paths);
	scene_sweep(&s);
}

void sweep_files(void)
{
	struct dev_info soft, edu;
	char control[DEV_NAME_LEN + 1], name[64], top[96];

	if (dev_find("soft", 0, &soft) || dev_find("edu", 0, &edu))
		tap_bail("no soft, or no edu");
	snprintf(control, sizeof(control), "%sc", soft.name);

	const struct scene scenes[] = {
		{ .name = "open and close soft", .arg = soft.name, .run = run_open, .undo = undo },
		{ .name = "open and close soft's control node", .arg = control,
		  .run = run_open, .undo = undo },
		{ .name = "open and close edu", .arg = edu.name, .run = run_open, .undo = undo },
		{ .name = "map soft", .arg = soft.name,
		  .prepare = open_node, .run = run_map, .undo = undo },
		{ .name = "map edu", .arg = edu.name,
		  .prepare = open_node, .run = run_map, .undo = undo },
		{ .name = "map a buffer of soft's, and write", .arg = soft.name,
		  .prepare = open_node, .run = run_map_scratch, .undo = undo },
		{ .name = "soft fails, and works again", .arg = soft.name,
		  .prepare = open_node, .run = run_states, .undo = undo_states },
		{ .name = "poll and epoll", .arg = soft.name,
		  .prepare = open_node, .run = run_poll, .undo = undo },
		/* procfs says ENOENT when it has no memory for an inode */
		{ .name = "fdinfo", .arg = soft.name, .prepare = open_for_fdinfo,
		  .run = run_fdinfo, .undo = undo, .also = { ENOENT } },
	};

	for (unsigned int i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		scene_sweep(&scenes[i]);
	for (int i = 0; i < 2; i++) {
		const char *dev = i ? edu.name : soft.name;

		snprintf(name, sizeof(name), "sysfs of %s", i ? "edu" : "soft");
		snprintf(top, sizeof(top), "/sys/class/accelerator/%s", dev);
		sweep_tree(name, top);
		snprintf(name, sizeof(name), "debugfs of %s", i ? "edu" : "soft");
		snprintf(top, sizeof(top), "/sys/kernel/debug/accelerator/%s", dev);
		sweep_tree(name, top);
	}
}
