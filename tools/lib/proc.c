// SPDX-License-Identifier: GPL-2.0-only
#include "proc.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What file handles of cgroups are, linux/exportfs.h. */
#define FILEID_KERNFS	0xfe

/* ------------------------------------------------------------------- caches */

struct entry {
	struct entry *next;
	uint64_t key;
	char *text;		/* NULL: not found */
	time_t asked;
};

#define BUCKETS		256

static struct entry *cgroups[BUCKETS], *labels[BUCKETS], *users[BUCKETS];

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static struct entry *cache_find(struct entry **cache, uint64_t key)
{
	struct entry *e = cache[key % BUCKETS];

	while (e && e->key != key)
		e = e->next;
	return e;
}

static const char *cache_put(struct entry **cache, uint64_t key, char *text)
{
	struct entry *e = cache_find(cache, key);

	if (!e) {
		e = calloc(1, sizeof(*e));
		if (!e) {
			free(text);
			return NULL;
		}
		e->key = key;
		e->next = cache[key % BUCKETS];
		cache[key % BUCKETS] = e;
	}
	/* An entry with a text is final: somebody may hold it. */
	if (!e->text)
		e->text = text;
	else
		free(text);
	e->asked = now();
	return e->text;
}

static void cache_drop(struct entry **cache)
{
	for (int i = 0; i < BUCKETS; i++) {
		while (cache[i]) {
			struct entry *e = cache[i];

			cache[i] = e->next;
			free(e->text);
			free(e);
		}
	}
}

/* The inode of the first pid namespace, fixed in the kernel (PROC_PID_INIT_INO). */
#define PID_NS_INIT	0xEFFFFFFCU

bool proc_own_pids(void)
{
	struct stat st;

	return !stat("/proc/self/ns/pid", &st) && st.st_ino == PID_NS_INIT;
}

bool proc_started_after(pid_t pid, uint64_t ago_ns)
{
	uint64_t ticks, now, tick = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
	char path[32], line[1024];
	struct timespec ts;
	const char *p;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return true;
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = '\0';
	/* The 22nd field; the second one is a name, which may have blanks and parentheses. */
	p = strrchr(line, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (!p || sscanf(p, "%" SCNu64, &ticks) != 1)
		return true;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	/* A start is told in ticks, rounded down. */
	return ago_ns < now && ticks * tick > now - ago_ns;
}

void proc_forget(void)
{
	cache_drop(cgroups);
	cache_drop(labels);
	cache_drop(users);
}

/* ------------------------------------------------------------------ cgroups */

const char *proc_cgroup_root(void)
{
	static char root[256];
	char line[1024], dir[256], type[32];
	FILE *f;

	if (*root)
		return root;
	f = fopen("/proc/self/mounts", "re");
	if (!f)
		return NULL;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %255s %31s", dir, type) == 2 && !strcmp(type, "cgroup2")) {
			strcpy(root, dir);
			break;
		}
	}
	fclose(f);
	return *root ? root : NULL;
}

/* A directory below the mount point, as a path from there. */
static char *below_root(const char *root, const char *dir)
{
	size_t len = strlen(root);

	if (strncmp(dir, root, len) || (dir[len] && dir[len] != '/'))
		return NULL;
	return strdup(dir[len] ? dir + len : "/");
}

static char *path_by_handle(const char *root, uint64_t id)
{
	struct {
		struct file_handle head;
		uint64_t id;
	} handle = { .head = { .handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS } };
	char link[64], dir[4096];
	char *path = NULL;
	ssize_t len;
	int mount, fd;

	memcpy(handle.head.f_handle, &id, sizeof(id));
	mount = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mount < 0)
		return NULL;
	fd = open_by_handle_at(mount, &handle.head, O_PATH | O_CLOEXEC);
	if (fd >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		len = readlink(link, dir, sizeof(dir) - 1);
		if (len > 0) {
			dir[len] = 0;
			path = below_root(root, dir);
		}
		close(fd);
	}
	close(mount);
	return path;
}

/* nftw() has no argument of its own. */
static uint64_t walk_id;
static char *walk_found;
static int (*walk_fn)(uint64_t id, void *arg);
static void *walk_arg;

static int walk_find(const char *dir, const struct stat *st, int type, struct FTW *ftw)
{
	(void)ftw;
	if (type != FTW_D || st->st_ino != walk_id)
		return 0;
	walk_found = below_root(proc_cgroup_root(), dir);
	return 1;
}

static int walk_call(const char *dir, const struct stat *st, int type, struct FTW *ftw)
{
	(void)dir;
	(void)ftw;
	return type == FTW_D ? walk_fn(st->st_ino, walk_arg) : 0;
}

const char *proc_cgroup_path(uint64_t id)
{
	struct entry *e = cache_find(cgroups, id);
	const char *root;
	char *path;

	if (e && (e->text || e->asked == now()))
		return e->text;
	root = proc_cgroup_root();
	if (!root || !id)
		return NULL;
	path = path_by_handle(root, id);
	if (!path) {
		walk_id = id;
		walk_found = NULL;
		nftw(root, walk_find, 16, FTW_PHYS | FTW_MOUNT);
		path = walk_found;
	}
	return cache_put(cgroups, id, path);
}

static int full_path(const char *path, char *full, size_t size)
{
	const char *root = proc_cgroup_root();
	size_t len;

	if (!root)
		return -ENOENT;
	len = strlen(root);
	if (strncmp(path, root, len) || (path[len] && path[len] != '/'))
		len = snprintf(full, size, "%s/%s", root, path);
	else
		len = snprintf(full, size, "%s", path);
	return len < size ? 0 : -ENAMETOOLONG;
}

uint64_t proc_cgroup_id(const char *path)
{
	char full[4096];
	struct stat st;
	int err = full_path(path, full, sizeof(full));

	if (err) {
		errno = -err;
		return 0;
	}
	if (stat(full, &st))
		return 0;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return 0;
	}
	return st.st_ino;
}

int proc_cgroup_walk(const char *path, int (*fn)(uint64_t id, void *arg), void *arg)
{
	char full[4096];
	int err = full_path(path, full, sizeof(full));

	if (err)
		return err;
	walk_fn = fn;
	walk_arg = arg;
	err = nftw(full, walk_call, 16, FTW_PHYS | FTW_MOUNT);
	return err == -1 ? -errno : err;
}

/* --------------------------------------------------------------- containers */

static size_t hex_len(const char *s)
{
	size_t n = 0;

	while (isxdigit((unsigned char)s[n]))
		n++;
	return n;
}

/* A component of the path that is a container of its own; false if it is none. */
static bool container_component(const char *name, size_t len, struct proc_container *c)
{
	static const struct {
		const char *prefix;
		const char *runtime;
		bool hex;		/* what follows is the id, else a name */
	} known[] = {
		{ "docker-", "docker", true },
		{ "cri-containerd-", "containerd", true },
		{ "crio-conmon-", NULL, true },
		{ "crio-", "crio", true },
		{ "libpod-conmon-", NULL, true },
		{ "libpod-", "podman", true },
		{ "lxc.payload.", "lxc", false },
		{ "machine-qemu", NULL, false },	/* a virtual machine */
		{ "machine-", "nspawn", false },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		size_t skip = strlen(known[i].prefix);

		if (len <= skip || strncmp(name, known[i].prefix, skip))
			continue;
		if (known[i].hex && hex_len(name + skip) < 12)
			continue;
		if (!known[i].runtime)	/* the monitor beside a container */
			return false;
		snprintf(c->runtime, sizeof(c->runtime), "%s", known[i].runtime);
		len -= skip;
		name += skip;
		if (len > 6 && !strncmp(name + len - 6, ".scope", 6))
			len -= 6;
		if (len > 8 && !strncmp(name + len - 8, ".service", 8))
			len -= 8;
		if (known[i].hex)
			len = 12;
		snprintf(c->id, sizeof(c->id), "%.*s", (int)len, name);
		return true;
	}
	return false;
}

/*
 * "kubepods-burstable-pod1a2b_….slice" (systemd driver) or "pod1a2b-…" below
 * "kubepods" (cgroupfs driver).
 */
static void pod_component(const char *name, size_t len, struct proc_container *c)
{
	const char *pod = NULL;

	for (size_t i = 0; i + 3 < len; i++)
		if (!strncmp(name + i, "pod", 3) && isxdigit((unsigned char)name[i + 3]) &&
		    (i == 0 || name[i - 1] == '-'))
			pod = name + i + 3;
	if (!pod)
		return;
	len -= pod - name;
	if (len > 6 && !strncmp(pod + len - 6, ".slice", 6))
		len -= 6;
	if (len < 32 || len >= sizeof(c->pod))
		return;
	snprintf(c->pod, sizeof(c->pod), "%.*s", (int)len, pod);
	for (char *s = c->pod; *s; s++)
		if (*s == '_')
			*s = '-';
}

bool proc_container(const char *path, struct proc_container *c)
{
	bool kube = false, found = false;
	char previous[32] = "";

	memset(c, 0, sizeof(*c));
	while (path && *path) {
		size_t len = strcspn(path, "/");

		if (len) {
			if (!strncmp(path, "kubepods", 8))
				kube = true;
			if (kube && !*c->pod)
				pod_component(path, len, c);
			/* The innermost wins: docker in a pod is the docker container. */
			if (container_component(path, len, c)) {
				found = true;
			} else if (hex_len(path) == len && len == 64 &&
				   (kube || !strcmp(previous, "docker") ||
				    !strcmp(previous, "libpod_parent"))) {
				snprintf(c->runtime, sizeof(c->runtime), "%s",
					 kube ? "containerd" :
					 !strcmp(previous, "docker") ? "docker" : "podman");
				snprintf(c->id, sizeof(c->id), "%.12s", path);
				found = true;
			} else if (!strcmp(previous, "lxc")) {
				strcpy(c->runtime, "lxc");
				snprintf(c->id, sizeof(c->id), "%.*s", (int)len, path);
				found = true;
			}
			snprintf(previous, sizeof(previous), "%.*s", (int)len, path);
		}
		path += len;
		path += strspn(path, "/");
	}
	return found || *c->pod;
}

const char *proc_cgroup_label(uint64_t id)
{
	struct entry *e = cache_find(labels, id);
	struct proc_container c;
	const char *path;
	char *label = NULL;
	int err;

	if (e && e->text)
		return e->text;
	path = proc_cgroup_path(id);
	if (!path)
		return "-";
	if (proc_container(path, &c)) {
		if (*c.pod)
			err = asprintf(&label, "pod %.8s:%s", c.pod, *c.id ? c.id : "-");
		else
			err = asprintf(&label, "%s:%s", c.runtime, c.id);
	} else {
		const char *last = strrchr(path, '/');

		/* A unit's name says more than the slices above it. */
		if (strstr(last, ".service") || strstr(last, ".scope"))
			path = last + 1;
		err = asprintf(&label, "%s", path);
	}
	path = err < 0 ? NULL : cache_put(labels, id, label);
	return path ? path : "-";
}

/* ---------------------------------------------------------- users, processes */

const char *proc_user(uid_t uid)
{
	struct entry *e = cache_find(users, uid);
	struct passwd *pw;
	const char *name;
	char *text;

	if (e)
		return e->text;
	pw = getpwuid(uid);
	if (pw)
		text = strdup(pw->pw_name);
	else if (asprintf(&text, "%u", uid) < 0)
		text = NULL;
	name = text ? cache_put(users, uid, text) : NULL;
	return name ? name : "?";
}

bool proc_comm(pid_t pid, char *comm, size_t size)
{
	char file[48];
	FILE *f;
	bool ok;

	snprintf(file, sizeof(file), "/proc/%d/comm", pid);
	f = fopen(file, "re");
	if (!f)
		return false;
	ok = fgets(comm, size, f);
	fclose(f);
	if (ok)
		comm[strcspn(comm, "\n")] = 0;
	return ok;
}
