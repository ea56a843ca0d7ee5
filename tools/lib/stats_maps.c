// SPDX-License-Identifier: GPL-2.0-only
#include "stats_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "accel_stats.skel.h"
#include "accel_stats_raw.skel.h"
#include "bpf_util.h"
#include "model.h"

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
	return 0;
}

/* From here on the programs alone write. */
static int protect(struct stats_maps *m)
{
	if (mprotect((void *)m->control, m->control_len, PROT_READ) ||
	    mprotect((void *)m->devices, m->devices_len, PROT_READ))
		return -errno;
	return 0;
}

/*
 * The records of devices that are there: a program would make them at the first event,
 * and what another processor has to count at that moment would be lost.
 */
static int claim_devices(struct stats_maps *m)
{
	struct accel_stats_control *c = (struct accel_stats_control *)m->control;
	struct accel_stats_dev *records = (struct accel_stats_dev *)m->devices;
	struct accel_source *source = NULL;
	struct accel_snapshot *snap = NULL;
	struct timespec now;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &now);
	err = accel_source_open(&source);
	if (!err)
		err = accel_snapshot_read(source, &snap);
	for (size_t i = 0; !err && i < snap->num_devices; i++) {
		const struct accel_device_info *d = &snap->devices[i];
		struct accel_stats_head *h;

		if (d->index >= m->num_devices)
			continue;
		h = &records[d->index].head;
		h->id = d->id;
		h->dev_id = d->id;
		h->dev = d->index;
		h->begun_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
		records[d->index].id_again = d->id;
		h->state = ACCEL_STATS_LIVE;
		if (c->devices_used <= d->index)
			c->devices_used = d->index + 1;
	}
	accel_snapshot_free(snap);
	accel_source_close(source);
	return err;
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
		err = map_array(map_fd(m, "contexts"), sizeof(struct accel_stats_ctx),
				m->num_contexts, PROT_READ, (const void **)&m->contexts,
				&m->contexts_len);
	if (!err)
		err = map_array(map_fd(m, "devices"), sizeof(struct accel_stats_dev),
				m->num_devices, PROT_READ | PROT_WRITE, (const void **)&m->devices,
				&m->devices_len);
	if (!err)
		err = claim_devices(m);
	if (!err)
		err = protect(m);
	if (err)
		return err;
	bpf_object__for_each_program(prog, m->obj) {
		if (m->num_progs == STATS_PROGS)
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

/* Root's can be mapped; others get what may be read. */
static int open_pin(const char *dir, const char *name, bool *read_only)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = BPF_F_RDONLY);
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = bpf_obj_get(path);
	*read_only = fd < 0 && (errno == EACCES || errno == EPERM);
	if (*read_only)
		fd = bpf_obj_get_opts(path, &opts);
	return fd < 0 ? -errno : fd;
}

/* ------------------------------------------------------------------ copying */

#define AT_ONCE		256

/* The first @used elements of an array of @value bytes each. */
static int copy_array(int fd, const void *to, size_t value, uint32_t used)
{
	size_t stride = (value + 7) / 8 * 8;
	uint32_t keys[AT_ONCE], position = 0;

	for (uint32_t at = 0; at < used; at += AT_ONCE) {
		uint32_t count = used - at < AT_ONCE ? used - at : AT_ONCE;

		if (bpf_map_lookup_batch(fd, at ? &position : NULL, &position, keys,
					 (char *)to + at * stride, &count, NULL) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

int stats_maps_refresh(struct stats_maps *m)
{
	uint32_t used, zero = 0;
	int err;

	if (!m->copied)
		return 0;
	if (bpf_map_lookup_elem(m->fds[0], &zero, (void *)m->control))
		return -errno;
	if (!m->contexts)
		return 0;
	used = m->control->contexts_used < m->num_contexts ? m->control->contexts_used :
							     m->num_contexts;
	err = copy_array(m->fds[1], m->contexts, sizeof(*m->contexts), used);
	used = m->control->devices_used < m->num_devices ? m->control->devices_used :
							   m->num_devices;
	return err ? err : copy_array(m->fds[2], m->devices, sizeof(*m->devices), used);
}

/* Memory for copies, touched only where there is something. */
static int make_array(size_t value, uint32_t entries, const void **at, size_t *len)
{
	void *p;

	*len = array_len(value, entries);
	p = mmap(NULL, *len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	*at = p;
	return 0;
}

static int get_array(struct stats_maps *m, int fd, size_t value, uint32_t entries, const void **at,
		     size_t *len)
{
	return m->copied ? make_array(value, entries, at, len) :
			   map_array(fd, value, entries, PROT_READ, at, len);
}

/* For root alone: what programs cost is asked of themselves, by way of their links. */
static void find_progs(struct stats_maps *m, const char *dir)
{
	libbpf_print_fn_t print;
	struct bpf_program *prog;
	size_t size;
	const void *elf = accel_stats_bpf__elf_bytes(&size);
	struct bpf_object *obj;

	if (m->copied)
		return;
	print = libbpf_set_print(NULL);
	obj = bpf_object__open_mem(elf, size, NULL);
	for (prog = obj ? bpf_object__next_program(obj, NULL) : NULL; prog;
	     prog = bpf_object__next_program(obj, prog)) {
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
	static const char *const names[] = { "control", "contexts", "devices" };
	const struct accel_stats_control *c;
	int fds[3] = { -1, -1, -1 }, err = 0;

	for (int i = 0; i < 3; i++) {
		fds[i] = open_pin(dir, names[i], &m->copied);
		if (fds[i] < 0) {
			err = fds[i];
			goto cleanup;
		}
	}
	if (m->copied)
		memcpy(m->fds, fds, sizeof(fds));
	err = get_array(m, fds[0], sizeof(*c), 1, (const void **)&m->control, &m->control_len);
	if (!err)
		err = stats_maps_refresh(m);
	if (err)
		goto cleanup;
	c = m->control;
	if (!c->version) {	/* it is just going */
		err = -ENOENT;
		goto cleanup;
	}
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
	err = get_array(m, fds[2], sizeof(*m->devices), m->num_devices, (const void **)&m->devices,
			&m->devices_len);
	if (!err)
		err = get_array(m, fds[1], sizeof(*m->contexts), m->num_contexts,
				(const void **)&m->contexts, &m->contexts_len);
	if (!err)
		err = stats_maps_refresh(m);
	if (!err)
		find_progs(m, dir);

cleanup:
	for (int i = 0; i < 3; i++) {
		if (fds[i] >= 0 && (err || !m->copied))
			close(fds[i]);
		if (err)
			m->fds[i] = -1;
	}
	if (err)
		m->copied = false;
	return err;
}

bool stats_maps_pinned(void)
{
	return !access(STATS_PINS "/control", R_OK) || !access(STATS_DOOR "/control", R_OK);
}

int stats_maps_open(struct stats_maps *m, char *why, size_t size)
{
	static const char *const dirs[] = { STATS_PINS, STATS_DOOR };
	int err = -ENOENT, ret;

	why[0] = '\0';
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		*m = (struct stats_maps){ .pinned = true };
		ret = open_in(m, dirs[i], why, size);
		if (!ret || ret == -EPROTO)
			return ret;
		stats_maps_close(m);
		/* Where there is no door, the first one says more. */
		if (ret != -ENOENT)
			err = ret;
	}
	if (err == -EACCES || err == -EPERM)
		snprintf(why, size, "%s: %s: be of its group, or root", STATS_PINS, strerror(-err));
	else if (err == -ENOENT)
		snprintf(why, size, "nothing is pinned: accelctl observe on");
	else
		snprintf(why, size, "%s: %s", STATS_PINS, strerror(-err));
	return err;
}

void stats_maps_close(struct stats_maps *m)
{
	for (int i = 0; i < STATS_PROGS; i++)
		bpf_link__destroy(m->links[i]);
	for (int i = 0; m->pinned && i < m->num_progs; i++)
		close(m->progs[i]);
	if (m->control)
		munmap((void *)m->control, m->control_len);
	if (m->contexts)
		munmap((void *)m->contexts, m->contexts_len);
	if (m->devices)
		munmap((void *)m->devices, m->devices_len);
	for (int i = 0; m->copied && i < 3; i++)
		close(m->fds[i]);
	bpf_object__close(m->obj);
	*m = (struct stats_maps){ 0 };
}
