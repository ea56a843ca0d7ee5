// SPDX-License-Identifier: GPL-2.0-only
/* The source of snapshots where netlink is not to be had: sysfs. No contexts. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_source.h"

struct sysfs_source {
	struct accel_source src;
	char dir[256];		/* /sys/class/accelerator */
};

/* The first line of a file; false when it cannot be read: the object has gone. */
static bool read_line(const char *dir, const char *name, char *line, size_t size)
{
	char path[1100];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fgets(line, size, f);
	fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
}

static bool read_u64(const char *dir, const char *name, uint64_t *value)
{
	char line[32], *end;

	if (!read_line(dir, name, line, sizeof(line)))
		return false;
	errno = 0;
	*value = strtoull(line, &end, 10);
	return !errno && end != line && !*end;
}

static bool read_u32(const char *dir, const char *name, uint32_t *value)
{
	uint64_t wide = 0;
	bool ok = read_u64(dir, name, &wide);

	*value = wide;
	return ok;
}

static uint32_t read_text(const char *dir, const char *name, char *text, uint32_t bit)
{
	return read_line(dir, name, text, ACCEL_MODEL_TEXT) && *text ? bit : 0;
}

static bool read_engine(struct accel_device_info *dev, const char *dir, const char *name)
{
	struct accel_engine_info *e;
	char path[800];
	uint32_t index;
	bool counters;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (!read_u32(path, "index", &index))
		return true;
	e = accel_device_add_engine(dev, index, name);
	if (!e)
		return false;
	if (read_u32(path, "depth", &e->depth))
		e->valid |= ACCEL_ENGINE_DEPTH;
	if (read_u32(path, "queued", &e->queued) && read_u32(path, "running", &e->running))
		e->valid |= ACCEL_ENGINE_NOW;
	/* the clock next to the counter that it divides */
	e->time_ns = accel_monotonic_ns();
	counters = read_u64(path, "busy_ns", &e->busy_ns);
	counters &= read_u64(path, "jobs", &e->jobs);
	counters &= read_u64(path, "errors", &e->errors);
	counters &= read_u64(path, "bytes", &e->bytes);
	counters &= read_u64(path, "wait_ns", &e->wait_ns);
	if (counters)
		e->valid |= ACCEL_ENGINE_COUNTERS;
	return true;
}

static bool read_engines(struct accel_device_info *dev, const char *device_dir)
{
	char dir[544];
	struct dirent *entry;
	bool ok = true;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/engines", device_dir);
	d = opendir(dir);
	if (!d)
		return true;
	while (ok && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			ok = read_engine(dev, dir, entry->d_name);
	closedir(d);
	return ok;
}

static enum accel_model_state state_from(const char *name)
{
	int state;

	for (state = 0; state < ACCEL_MODEL_STATES; state++)
		if (!strcmp(name, accel_model_state_name(state)))
			return state;
	return ACCEL_MODEL_STATES;
}

/* The bus and the name of the hardware, as netlink says it. */
static uint32_t read_parent(const char *dir, struct accel_device_info *dev)
{
	char path[1100];
	char *real = NULL, *bus = NULL, *name;
	uint32_t valid = 0;

	snprintf(path, sizeof(path), "%s/device", dir);
	real = realpath(path, NULL);
	snprintf(path, sizeof(path), "%s/device/subsystem", dir);
	bus = realpath(path, NULL);
	if (real && bus) {
		name = strrchr(bus, '/');
		snprintf(dev->parent, sizeof(dev->parent), "%.20s%.40s", name + 1,
			 strrchr(real, '/'));
		valid = ACCEL_DEV_PARENT;
	}
	free(real);
	free(bus);
	return valid;
}

/* "acc0c" belongs to "acc0"; "acc01" does not. */
static bool is_node_of(const char *node, const struct accel_device_info *dev)
{
	size_t len = strlen(dev->name);

	return !strncmp(node, dev->name, len) && (node[len] < '0' || node[len] > '9');
}

static void read_nodes(struct accel_device_info *dev, const char *class_dir, struct dirent **list,
		       int num)
{
	struct accel_node_info *node;
	char dir[544], line[32];
	int i;

	for (i = 0; i < num; i++) {
		if (!is_node_of(list[i]->d_name, dev))
			continue;
		snprintf(dir, sizeof(dir), "%s/%s", class_dir, list[i]->d_name);
		if (!read_line(dir, "dev", line, sizeof(line)))
			continue;
		node = accel_device_add_node(dev, list[i]->d_name);
		if (!node || sscanf(line, "%" SCNu32 ":%" SCNu32, &node->major, &node->minor) != 2)
			continue;
	}
}

static void read_device(struct accel_device_info *dev, const char *dir)
{
	char line[ACCEL_MODEL_TEXT];
	uint32_t exclusive;

	if (read_u64(dir, "id", &dev->id))
		dev->valid |= ACCEL_DEV_ID;
	else
		dev->id = dev->index + 1;
	dev->valid |= read_text(dir, "driver", dev->driver, ACCEL_DEV_DRIVER);
	dev->valid |= read_text(dir, "type", dev->type, ACCEL_DEV_TYPE);
	dev->valid |= read_text(dir, "firmware_version", dev->firmware, ACCEL_DEV_FIRMWARE);
	dev->valid |= read_text(dir, "serial", dev->serial, ACCEL_DEV_SERIAL);
	dev->valid |= read_text(dir, "uuid", dev->uuid, ACCEL_DEV_UUID);
	dev->valid |= read_parent(dir, dev);
	if (read_line(dir, "state", line, sizeof(line))) {
		dev->state = state_from(line);
		if (dev->state < ACCEL_MODEL_STATES)
			dev->valid |= ACCEL_DEV_STATE;
	}
	if (read_line(dir, "numa_node", line, sizeof(line))) {
		dev->numa_node = atoi(line);
		dev->valid |= ACCEL_DEV_NUMA;
	}
	if (read_u32(dir, "exclusive", &exclusive)) {
		dev->flags = exclusive ? ACCEL_DEV_EXCLUSIVE : 0;
		dev->valid |= ACCEL_DEV_FLAGS;
	}
	if (read_u32(dir, "contexts", &dev->open_contexts))
		dev->valid |= ACCEL_DEV_CONTEXTS;
	if (read_u64(dir, "pinned_bytes", &dev->pinned_bytes) &&
	    read_u64(dir, "mapped_bytes", &dev->mapped_bytes))
		dev->valid |= ACCEL_DEV_BYTES;
}

static int sysfs_read(struct accel_source *src, struct accel_snapshot *snap)
{
	struct sysfs_source *s = (struct sysfs_source *)src;
	struct accel_device_info *dev;
	struct dirent **list;
	int i, num, ret = 0;

	num = scandir(s->dir, &list, NULL, versionsort);
	if (num < 0 && errno == ENOENT)
		return accel_source_fail(src, -ENODEV, "no %s: the module accelerator is not loaded",
					 s->dir);
	if (num < 0)
		return accel_source_fail(src, -errno, "%s: %s", s->dir, strerror(errno));
	for (i = 0; i < num; i++) {
		unsigned int index;
		char dir[512], rest;

		if (sscanf(list[i]->d_name, "acc%u%c", &index, &rest) != 1)
			continue;
		snprintf(dir, sizeof(dir), "%s/%.200s", s->dir, list[i]->d_name);
		dev = accel_snapshot_add_device(snap, 0, index);
		if (!dev) {
			ret = -ENOMEM;
			break;
		}
		read_device(dev, dir);
		if (src->only && dev->id != src->only) {
			snap->num_devices--;
			continue;
		}
		read_nodes(dev, s->dir, list, num);
		if (src->parts & ACCEL_READ_ENGINES && !read_engines(dev, dir)) {
			ret = -ENOMEM;
			break;
		}
	}
	for (i = 0; i < num; i++)
		free(list[i]);
	free(list);
	return ret;
}

static void sysfs_close(struct accel_source *src)
{
	free(src);
}

static const struct accel_source_ops sysfs_ops = {
	.kind = ACCEL_SOURCE_SYSFS,
	.read = sysfs_read,
	.close = sysfs_close,
};

int accel_source_open_sysfs(struct accel_source **out, const char *root)
{
	struct sysfs_source *s = calloc(1, sizeof(*s));
	DIR *d;
	int ret;

	if (!s)
		return -ENOMEM;
	accel_source_init(&s->src, &sysfs_ops);
	snprintf(s->dir, sizeof(s->dir), "%s/class/accelerator", root ? root : "/sys");
	d = opendir(s->dir);
	if (!d) {
		ret = errno == ENOENT ? -ENODEV : -errno;
		free(s);
		return ret;
	}
	closedir(d);
	*out = &s->src;
	return 0;
}
