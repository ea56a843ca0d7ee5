// SPDX-License-Identifier: GPL-2.0-only
#include "stats_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "accel_stats.skel.h"
#include "accel_stats_raw.skel.h"
#include "bpf_util.h"

_Static_assert(sizeof(struct accel_stats_ctx) <= 8192, "a context's record is 8 KiB at most");

/* libbpf's last complaint, for people who want to know more. */
static char last_words[160];

static int keep_words(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBBPF_WARN) {
		vsnprintf(last_words, sizeof(last_words), fmt, ap);
		last_words[strcspn(last_words, "\n")] = '\0';
	}
	return 0;
}

static void explain(char *why, size_t size, int err)
{
	if (err == -EPERM || err == -EACCES)
		snprintf(why, size,
			 "BPF is for root: use sudo, or once for all: sudo accelctl observe on");
	else if (!accel_event_present("accel_ioctl"))
		snprintf(why, size, "module accelerator has no BTF: accelctl doctor");
	else if (err == -ENOMEM || err == -E2BIG)
		snprintf(why, size, "BPF: no memory for the arrays: make room for fewer contexts");
	else
		snprintf(why, size, "BPF: %s%s%s", strerror(-err), last_words[0] ? ": " : "",
			 last_words);
}

/* ------------------------------------------------------------------ mapping */

/* The kernel rounds elements up to 8 bytes and the whole up to pages. */
static size_t array_len(size_t value, uint32_t entries)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return ((value + 7) / 8 * 8 * entries + page - 1) / page * page;
}

static int map_array(int fd, size_t value, uint32_t entries, int prot, const void **at, size_t *len)
{
	void *p;

	*len = array_len(value, entries);
	p = mmap(NULL, *len, prot, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*at = p;
	return 0;
}

static int map_all(struct stats_maps *m, int contexts, int devices)
{
	int err = map_array(contexts, sizeof(struct accel_stats_ctx), m->num_contexts, PROT_READ,
			    (const void **)&m->contexts, &m->contexts_len);

	if (!err)
		err = map_array(devices, sizeof(struct accel_stats_dev), m->num_devices, PROT_READ,
				(const void **)&m->devices, &m->devices_len);
	return err;
}

/* ------------------------------------------------------------------ loading */

static int map_fd(struct stats_maps *m, const char *name)
{
	return bpf_object__find_map_fd_by_name(m->obj, name);
}

/* What readers check, and where programs look for their room. */
static int set_up_control(struct stats_maps *m, enum accel_stats_way way)
{
	struct accel_stats_control *c;
	int err;

	err = map_array(map_fd(m, "control"), sizeof(*c), 1, PROT_READ | PROT_WRITE,
			(const void **)&m->control, &m->control_len);
	if (err)
		return err;
	c = (struct accel_stats_control *)m->control;
	c->ctx_size = sizeof(struct accel_stats_ctx);
	c->dev_size = sizeof(struct accel_stats_dev);
	c->way = way;
	c->contexts = m->num_contexts;
	c->devices = m->num_devices;
	c->version = ACCEL_STATS_VERSION;
	return mprotect(c, m->control_len, PROT_READ) ? -errno : 0;
}

static int load(struct stats_maps *m, enum accel_stats_way way)
{
	struct bpf_program *prog;
	const void *elf;
	size_t size;
	int err;

	elf = way == ACCEL_STATS_RAW_TP ? accel_stats_raw_bpf__elf_bytes(&size) :
					  accel_stats_bpf__elf_bytes(&size);
	m->obj = bpf_object__open_mem(elf, size, NULL);
	if (!m->obj)
		return -errno;
	bpf_map__set_max_entries(bpf_object__find_map_by_name(m->obj, "contexts"),
				 m->num_contexts);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(m->obj, "devices"), m->num_devices);
	err = bpf_object__load(m->obj);
	if (!err)
		err = set_up_control(m, way);
	if (!err)
		err = map_all(m, map_fd(m, "contexts"), map_fd(m, "devices"));
	if (err)
		return err;
	bpf_object__for_each_program(prog, m->obj) {
		if (m->num_progs == STATS_MAX_PROGS)
			return -E2BIG;
		m->links[m->num_progs] = bpf_program__attach(prog);
		if (!m->links[m->num_progs])
			return -errno;
		m->progs[m->num_progs++] = bpf_program__fd(prog);
	}
	return 0;
}

int stats_maps_load(struct stats_maps *m, const struct stats_room *room, char *why, size_t size)
{
	struct stats_room r = room ? *room : (struct stats_room){ 0 };
	libbpf_print_fn_t print;
	int err = -EPERM;

	why[0] = '\0';
	last_words[0] = '\0';
	print = libbpf_set_print(keep_words);
	/* libbpf would say that there is no tracepoint, where it cannot see the module's BTF. */
	for (int way = bpf_util_first_way(); bpf_util_may_load() && way <= ACCEL_STATS_RAW_TP; way++) {
		*m = (struct stats_maps){
			.num_contexts = r.contexts ? r.contexts : ACCEL_STATS_CONTEXTS,
			.num_devices = r.devices ? r.devices : ACCEL_STATS_DEVICES,
		};
		err = load(m, (enum accel_stats_way)way);
		if (!err || err == -ENOMEM || err == -E2BIG)
			break;
		stats_maps_close(m);
	}
	libbpf_set_print(print);
	if (err)
		explain(why, size, err);
	return err;
}

/* ------------------------------------------------------------------- pinned */

static int open_pin(const char *dir, const char *name)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = BPF_F_RDONLY);
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = bpf_obj_get_opts(path, &opts);
	return fd < 0 ? -errno : fd;
}

/* For root alone: what programs cost is asked of themselves, by way of their links. */
static void find_progs(struct stats_maps *m, const char *dir)
{
	libbpf_print_fn_t print;
	struct bpf_program *prog;
	size_t size;
	const void *elf = accel_stats_bpf__elf_bytes(&size);
	struct bpf_object *obj;

	print = libbpf_set_print(NULL);
	obj = bpf_object__open_mem(elf, size, NULL);
	bpf_object__for_each_program(prog, obj) {
		struct bpf_link_info info = { 0 };
		__u32 len = sizeof(info);
		char path[160];
		int link, fd;

		snprintf(path, sizeof(path), "%s/%s", dir, bpf_program__name(prog));
		link = bpf_obj_get(path);
		if (link < 0)
			continue;
		if (!bpf_link_get_info_by_fd(link, &info, &len) &&
		    (fd = bpf_prog_get_fd_by_id(info.prog_id)) >= 0)
			m->progs[m->num_progs++] = fd;
		close(link);
	}
	bpf_object__close(obj);
	libbpf_set_print(print);
}

static int open_in(struct stats_maps *m, const char *dir, char *why, size_t size)
{
	int control, contexts = -1, devices = -1, err;
	const struct accel_stats_control *c;

	control = open_pin(dir, "control");
	if (control < 0)
		return control;
	err = map_array(control, sizeof(*c), 1, PROT_READ, (const void **)&m->control,
			&m->control_len);
	if (err)
		goto cleanup;
	c = m->control;
	if (c->version != ACCEL_STATS_VERSION || c->ctx_size != sizeof(struct accel_stats_ctx) ||
	    c->dev_size != sizeof(struct accel_stats_dev)) {
		snprintf(why, size,
			 "%s is of version %u, this tool needs %u: accelctl observe off && accelctl observe on",
			 dir, c->version, ACCEL_STATS_VERSION);
		err = -EPROTO;
		goto cleanup;
	}
	m->num_contexts = c->contexts;
	m->num_devices = c->devices;
	contexts = open_pin(dir, "contexts");
	devices = open_pin(dir, "devices");
	err = contexts < 0 ? contexts : devices < 0 ? devices : map_all(m, contexts, devices);
	if (!err)
		find_progs(m, dir);

cleanup:
	close(control);
	if (contexts >= 0)
		close(contexts);
	if (devices >= 0)
		close(devices);
	return err;
}

int stats_maps_open(struct stats_maps *m, char *why, size_t size)
{
	static const char *const dirs[] = { STATS_PINS, STATS_DOOR };
	int err = -ENOENT;

	why[0] = '\0';
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		*m = (struct stats_maps){ .pinned = true };
		err = open_in(m, dirs[i], why, size);
		if (!err || err == -EPROTO)
			return err;
		stats_maps_close(m);
	}
	if (err == -EACCES || err == -EPERM)
		snprintf(why, size, "%s: %s: be of its group, or root", STATS_DOOR, strerror(-err));
	else if (err == -ENOENT)
		snprintf(why, size, "nothing is pinned: accelctl observe on");
	else
		snprintf(why, size, "%s: %s", STATS_PINS, strerror(-err));
	return err;
}

void stats_maps_close(struct stats_maps *m)
{
	for (int i = 0; i < STATS_MAX_PROGS; i++)
		bpf_link__destroy(m->links[i]);
	for (int i = 0; m->pinned && i < m->num_progs; i++)
		close(m->progs[i]);
	if (m->control)
		munmap((void *)m->control, m->control_len);
	if (m->contexts)
		munmap((void *)m->contexts, m->contexts_len);
	if (m->devices)
		munmap((void *)m->devices, m->devices_len);
	bpf_object__close(m->obj);
	*m = (struct stats_maps){ 0 };
}
