// SPDX-License-Identifier: GPL-2.0-only
/* accelctl doctor: what a working set-up needs, each with the command that mends it. */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <linux/accelerator_netlink.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <bpf/libbpf.h>

#include "accelctl.h"
#include "genl.h"
#include "json.h"

/* Kernels from this one on have what the core needs. */
#define KERNEL_MAJOR	6
#define KERNEL_MINOR	12
/* Older ones cannot load a module's struct_ops. */
#define LIBBPF_MAJOR	1
#define LIBBPF_MINOR	4

enum verdict {
	OK,
	NOTE,		/* not everything works, but nothing is broken */
	PROBLEM,
};

struct report {
	bool as_json;
	struct json json;
	bool problem;
};

__attribute__((format(printf, 5, 6)))
static void say(struct report *r, enum verdict verdict, const char *what, const char *mend,
		const char *format, ...)
{
	static const char *const words[] = { "ok", "note", "problem" };
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (verdict == PROBLEM)
		r->problem = true;
	if (verdict == OK)
		mend = NULL;
	if (r->as_json) {
		json_object(&r->json, NULL);
		json_str(&r->json, "check", what);
		json_str(&r->json, "verdict", words[verdict]);
		json_str(&r->json, "found", text);
		json_str(&r->json, "mend", mend);
		json_close(&r->json);
		return;
	}
	printf("%-8s %-12s %s\n", words[verdict], what, text);
	if (mend)
		printf("%-8s %-12s -> %s\n", "", "", mend);
}

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

/* ----------------------------------------------------------------- kernel */

static void check_kernel(struct report *r, const struct utsname *u)
{
	int major = 0, minor = 0;
	bool ok;

	sscanf(u->release, "%d.%d", &major, &minor);
	ok = major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR);
	say(r, ok ? OK : PROBLEM, "kernel", "boot a kernel of version 6.12 or newer", "%s",
	    u->release);
}

static void check_module(struct report *r)
{
	bool loaded = exists("/sys/module/accelerator");

	say(r, loaded ? OK : PROBLEM, "module", "modprobe accelerator",
	    "accelerator is %s", loaded ? "loaded" : "not loaded");
	if (!loaded)
		return;
	if (exists("/sys/kernel/btf/accelerator"))
		say(r, OK, "module BTF", NULL, "/sys/kernel/btf/accelerator");
	else if (!exists("/sys/kernel/btf/vmlinux"))
		say(r, PROBLEM, "module BTF", "boot a kernel with CONFIG_DEBUG_INFO_BTF=y",
		    "this kernel has no BTF: no BPF tool will work");
	else
		say(r, PROBLEM, "module BTF", "install pahole (package dwarves), then rebuild: "
		    "make clean && make, and reload the module",
		    "the module was built without BTF: no BPF tool will work");
}

static void check_netlink(struct report *r)
{
	struct genl g;
	int ret = genl_open(&g, ACCELERATOR_FAMILY_NAME);

	if (!ret) {
		say(r, OK, "netlink", NULL, "family %s, %zu groups", ACCELERATOR_FAMILY_NAME,
		    g.num_groups);
		genl_close(&g);
	} else if (ret == -ENOENT) {
		say(r, PROBLEM, "netlink", "modprobe accelerator", "there is no family %s",
		    ACCELERATOR_FAMILY_NAME);
	} else {
		say(r, PROBLEM, "netlink", "let this process use AF_NETLINK sockets", "%s",
		    strerror(-ret));
	}
}

/* ------------------------------------------------------------------ nodes */

static void check_node(struct report *r, const char *name)
{
	char path[300];
	struct group *group;
	char mode[512];
	struct stat st;

	snprintf(path, sizeof(path), "/dev/accelerator/%s", name);
	if (stat(path, &st)) {
		say(r, PROBLEM, "node", "udevadm trigger --subsystem-match=accelerator "
		    "(or mount devtmpfs on /dev)", "%s: %s", path, strerror(errno));
		return;
	}
	group = getgrgid(st.st_gid);
	snprintf(mode, sizeof(mode), "%s: mode %04o, group %s", path, st.st_mode & 07777,
		 group ? group->gr_name : "unknown");
	/* only looked at: opening may be exclusive, or count as use */
	if (!access(path, R_OK | W_OK))
		say(r, OK, "node", NULL, "%s", mode);
	else if (!(st.st_mode & 0060))
		say(r, OK, "node", NULL, "%s; for root only, as its driver wants it", mode);
	else if (st.st_gid)
		say(r, NOTE, "node", "add the user to that group: usermod -aG GROUP USER",
		    "%s; you cannot open it", mode);
	else
		say(r, NOTE, "node", "give the nodes a group: a udev rule with "
		    "SUBSYSTEM==\"accelerator\", GROUP=\"accel\"",
		    "%s; only root can open it", mode);
}

static void check_nodes(struct report *r)
{
	struct dirent **list;
	int i, num, found = 0;

	num = scandir("/sys/class/accelerator", &list, NULL, versionsort);
	for (i = 0; i < num; i++) {
		if (list[i]->d_name[0] != '.') {
			check_node(r, list[i]->d_name);
			found++;
		}
		free(list[i]);
	}
	if (num >= 0)
		free(list);
	if (num >= 0 && !found)
		say(r, NOTE, "devices", "modprobe accel_soft (a device in software), or your "
		    "hardware's driver", "no driver has registered one");
}

/* -------------------------------------------------------------------- BPF */

static bool has_cap(int cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return false;
	return data[cap / 32].effective & (1u << (cap % 32));
}

static void check_bpf(struct report *r)
{
	unsigned int major = libbpf_major_version(), minor = libbpf_minor_version();
	bool ok = major > LIBBPF_MAJOR || (major == LIBBPF_MAJOR && minor >= LIBBPF_MINOR);

	say(r, ok ? OK : PROBLEM, "libbpf", "install libbpf 1.4 or newer (bookworm-backports has it)",
	    "%u.%u", major, minor);
	/* the ids of a module's BTF are given to CAP_SYS_ADMIN only, up to 6.12 at least */
	if (has_cap(CAP_SYS_ADMIN))
		say(r, OK, "privilege", NULL, "may load BPF programs, sees all contexts");
	else
		say(r, NOTE, "privilege", "run it as root",
		    "without CAP_SYS_ADMIN: no BPF programs (latencies, traces), own contexts only");
}

/* --------------------------------------------------------------- building */

/* In PATH, or where root's tools are. */
static bool in_path(const char *program)
{
	const char *env = getenv("PATH");
	char *dirs, *dir, *save = NULL, path[1024];
	bool found = false;

	if (asprintf(&dirs, "%s:/usr/sbin:/sbin", env ? env : "/usr/bin:/bin") < 0)
		return false;
	for (dir = strtok_r(dirs, ":", &save); dir && !found; dir = strtok_r(NULL, ":", &save)) {
		snprintf(path, sizeof(path), "%s/%s", dir, program);
		found = !access(path, X_OK);
	}
	free(dirs);
	return found;
}

static void check_building(struct report *r, const struct utsname *u)
{
	char path[200];

	snprintf(path, sizeof(path), "/lib/modules/%s/build/Makefile", u->release);
	if (exists(path))
		say(r, OK, "headers", NULL, "%.*s", (int)strlen(path) - 9, path);
	else
		say(r, NOTE, "headers", "install this kernel's headers (package linux-headers-$(uname -r))",
		    "no %.*s: modules cannot be built for the running kernel here",
		    (int)strlen(path) - 9, path);
	if (in_path("pahole"))
		say(r, OK, "pahole", NULL, "found");
	else
		say(r, NOTE, "pahole", "install pahole (package dwarves)",
		    "not found: modules cannot be built here");
}

int cmd_doctor(const struct settings *set, const char *dev)
{
	struct report r = { .as_json = set->json };
	struct utsname u;
	int ret;

	(void)dev;
	if (uname(&u))
		return fail(EXIT_FAILED, "uname: %s", strerror(errno));
	if (r.as_json) {
		json_begin(&r.json, stdout, JSON_PRETTY);
		json_object(&r.json, NULL);
		json_u64(&r.json, "version", 1);
		json_array(&r.json, "checks");
	}
	check_kernel(&r, &u);
	check_module(&r);
	check_netlink(&r);
	check_nodes(&r);
	check_bpf(&r);
	check_building(&r, &u);
	if (r.as_json) {
		json_close(&r.json);
		json_bool(&r.json, "ok", !r.problem);
		json_close(&r.json);
		ret = json_end(&r.json);
		if (ret)
			return fail(EXIT_FAILED, "cannot write the output: %s", strerror(-ret));
	}
	return r.problem ? EXIT_FAILED : EXIT_OK;
}
