/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Policies as the tests attach them, and what the machine says of them. */
#ifndef SELFTESTS_POLICY_H
#define SELFTESTS_POLICY_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "json_read.h"
#include "probe.h"
#include "tap.h"
#include "unpinned.h"

#define AREA	"/usr/lib/accelerator/selftests/policy"
#ifndef PAGE
#define PAGE	4096UL
#endif
#define RW	(ACCEL_MEM_READ | ACCEL_MEM_WRITE)
#define CGROUPS	"/sys/fs/cgroup"

/* As bpf/accel_policy.h has it. */
struct policy_ops {
	void *hooks[PROBE_HOOKS];
	char name[16];
	char device[32];
	int priority;
};

/* One that is loaded, and attached by @link. */
struct policy {
	struct bpf_object *obj;
	struct bpf_map *ops;
	struct bpf_link *link;
	struct probe *probe;	/* of probe.bpf.o: in memory, both ways */
	struct unpinned *books;	/* of unpinned.bpf.o, likewise */
};

/* What libbpf and the verifier said last. */
static char policy_log[1 << 16];

__attribute__((unused))
static int policy_print(enum libbpf_print_level level, const char *format, va_list args)
{
	size_t len = strlen(policy_log);

	if (level == LIBBPF_DEBUG)
		return 0;
	if (len > sizeof(policy_log) / 2) {
		memmove(policy_log, policy_log + len / 2, len - len / 2 + 1);
		len -= len / 2;
	}
	return vsnprintf(policy_log + len, sizeof(policy_log) - len, format, args);
}

__attribute__((unused))
static void policy_begin(void)
{
	libbpf_set_print(policy_print);
	mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL);
	mount("none", CGROUPS, "cgroup2", 0, NULL);
}

__attribute__((unused))
static void policy_set(struct policy *p, const char *name, const char *device, int priority)
{
	size_t size;
	struct policy_ops *ops = bpf_map__initial_value(p->ops, &size);

	if (name)
		snprintf(ops->name, sizeof(ops->name), "%s", name);
	if (device)
		snprintf(ops->device, sizeof(ops->device), "%s", device);
	ops->priority = priority;
}

/* Read and not yet loaded, so that it can be changed. */
__attribute__((unused))
static void policy_open(struct policy *p, const char *file)
{
	struct bpf_map *map;
	char path[160];

	memset(p, 0, sizeof(*p));
	snprintf(path, sizeof(path), "%s%s", strchr(file, '/') ? "" : AREA "/", file);
	p->obj = bpf_object__open_file(path, NULL);
	if (!p->obj)
		tap_bail("cannot open %s", path);
	bpf_object__for_each_map(map, p->obj)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			p->ops = map;
	if (!p->ops)
		tap_bail("%s has no policy", path);
}

/* A map of the object in memory, both ways; NULL: it has none of that name. */
static void *policy_memory(struct policy *p, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(p->obj, name);
	void *data;

	if (!map)
		return NULL;
	data = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (data == MAP_FAILED)
		tap_bail("%s cannot be mapped: %s", name, strerror(errno));
	return data;
}

__attribute__((unused))
static int policy_load(struct policy *p)
{
	int err = bpf_object__load(p->obj);

	if (err)
		return err;
	p->probe = policy_memory(p, ".bss.probe");
	p->books = policy_memory(p, ".bss.books");
	return 0;
}

__attribute__((unused))
static int policy_attach(struct policy *p)
{
	p->link = bpf_map__attach_struct_ops(p->ops);
	return p->link ? 0 : -errno;
}

/* Open, load and attach the policy of an object file. */
__attribute__((unused))
static void policy_start(struct policy *p, const char *file, const char *name,
			 const char *device, int priority)
{
	int err;

	policy_open(p, file);
	policy_set(p, name, device, priority);
	err = policy_load(p);
	if (!err)
		err = policy_attach(p);
	if (err)
		tap_bail("policy %s: %s\n%s", name, strerror(-err), policy_log);
}

__attribute__((unused))
static void probe_attach(struct policy *p, const char *name, const char *device, int priority)
{
	policy_start(p, "probe.bpf.o", name, device, priority);
}

/* The link is cut: from here on no hook runs. */
__attribute__((unused))
static void policy_detach(struct policy *p)
{
	if (p->link) {
		bpf_link__detach(p->link);
		bpf_link__destroy(p->link);
	}
	p->link = NULL;
}

__attribute__((unused))
static void policy_close(struct policy *p)
{
	policy_detach(p);
	/* a mapping keeps the map, and the map its BTF's module */
	if (p->probe)
		munmap(p->probe, PAGE);
	if (p->books)
		munmap(p->books, PAGE);
	p->probe = NULL;
	p->books = NULL;
	bpf_object__close(p->obj);
	p->obj = NULL;
}

/* @all, or @few on the kernel that checks each access and is ten times slower. */
__attribute__((unused))
static int times(int all, int few)
{
	return access("/sys/kernel/debug/kmemleak", F_OK) ? all : few;
}

/* Run a command; its exit code, what it printed in @out. */
__attribute__((unused, format(printf, 3, 4)))
static int run(char *out, size_t size, const char *format, ...)
{
	char command[1024];
	size_t len = 0, n;
	va_list args;
	int status;
	FILE *f;

	va_start(args, format);
	vsnprintf(command, sizeof(command) - 8, format, args);
	va_end(args);
	strcat(command, " 2>&1");
	fflush(stdout);
	f = popen(command, "r");
	while (f && (n = fread(out + len, 1, size - 1 - len, f)) > 0)
		len += n;
	out[len] = '\0';
	if (len && out[len - 1] == '\n')
		out[len - 1] = '\0';
	status = f ? pclose(f) : -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What accelctl -j says of the policy @name: all of it, to be freed; NULL: there is none. */
__attribute__((unused))
static struct json_node *policy_json(const char *name)
{
	static char out[1 << 20];
	int code = run(out, sizeof(out), "accelctl -j policy show %s", name);

	return code ? NULL : json_parse(out);
}

/* A number of it: "calls", "hooks.open.refused", "own.cgroups.0.pinned_bytes" */
__attribute__((unused))
static uint64_t policy_figure(const char *name, const char *path)
{
	struct json_node *all = policy_json(name);
	char full[256];
	uint64_t value;

	snprintf(full, sizeof(full), "policies.0.%s", path);
	value = all ? json_u64_at(all, full) : UINT64_MAX;
	json_free(all);
	return value;
}

/* A figure that a policy has for a cgroup; of a list "cgroups", "tenants", … of its own. */
__attribute__((unused))
static uint64_t cgroup_figure(const char *name, const char *list, const char *cgroup,
			      const char *figure)
{
	struct json_node *all = policy_json(name);
	const struct json_node *rows, *row;
	char path[64];
	uint64_t value;

	snprintf(path, sizeof(path), "policies.0.own.%s", list);
	rows = all ? json_at(all, path) : NULL;
	row = rows ? json_find(rows, "cgroup", cgroup) : NULL;
	value = row ? json_u64_at(row, figure) : UINT64_MAX;
	json_free(all);
	return value;
}

/* In this process: into a cgroup, which is made. */
__attribute__((unused))
static void enter_cgroup(const char *path)
{
	char file[256], pid[16];

	snprintf(file, sizeof(file), CGROUPS "%s/", path);
	for (char *p = file + strlen(CGROUPS) + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		mkdir(file, 0755);
	}
	snprintf(file, sizeof(file), CGROUPS "%s/cgroup.procs", path);
	snprintf(pid, sizeof(pid), "%d", getpid());
	if (dev_write(file, pid))
		tap_bail("cannot enter cgroup %s: %s", path, strerror(errno));
}

__attribute__((unused))
static int nop_submit(int fd, uint32_t engine, uint64_t *job)
{
	struct accel_soft_submit submit = { .op = ACCEL_SOFT_OP_NOP, .engine = engine };
	int ret = dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &submit);

	if (job)
		*job = submit.job_id;
	return ret;
}

__attribute__((unused))
static void *pages(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		tap_bail("mmap of %zu bytes", bytes);
	return p;
}

#endif
