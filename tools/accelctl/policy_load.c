// SPDX-License-Identifier: GPL-2.0-only
/*
 * accelctl policy load, unload.
 *
 * All of a policy's maps, its struct_ops map ("ops") and its link are pinned. Loading one
 * that is there replaces it: the new programs get the old maps, and the link is pointed at the
 * new struct_ops map, so that there is no moment without a policy. All the time lock_pins() is
 * held.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy.h"
#include "opts.h"

/* What was asked for, besides the policy's own settings. */
struct request {
	const char *what;
	const struct policy_kind *kind;	/* NULL: a file */
	char name[POLICY_NAME];
	char device[POLICY_DEVICE];
	bool has_device, has_priority;
	bool anew;			/* no maps are taken over */
	int32_t priority;
	int num;
	char **settings;
};

struct load {
	struct request req;
	struct bpf_object *obj;
	struct bpf_map *ops;
	char dir[POLICY_DIR];	/* to pin it in */
	char old[POLICY_DIR];	/* of the one to be replaced: */
	int link_fd;		/* or -1: it is new */
	bool kept_maps;
};

/* ------------------------------------------------------------ understanding */

static const struct policy_key *find_key(const struct policy_kind *kind, const char *setting,
					 char *key, size_t size, const char **value)
{
	/* the path of a cgroup may have a '=' */
	const char *is = setting[0] == '/' ? strrchr(setting, '=') : strchr(setting, '=');
	const struct policy_key *k;

	if (!is || (size_t)(is - setting) >= size)
		return NULL;
	snprintf(key, size, "%.*s", (int)(is - setting), setting);
	*value = is + 1;
	for (k = kind ? kind->keys : NULL; k && k->name; k++)
		if (!strcmp(k->name, key) || (!strcmp(k->name, "/") && key[0] == '/'))
			return k;
	return NULL;
}

static int usage_of(const struct policy_kind *kind, const char *setting, bool loading)
{
	char text[1024] = "";
	size_t n = 0;

	for (const struct policy_key *k = kind ? kind->keys : NULL; k && k->name; k++)
		if (loading || !k->fixed)
			n += snprintf(text + n, sizeof(text) - n, "%s%s=", n ? ", " : "",
				      strcmp(k->name, "/") ? k->name : "/CGROUP");
	if (loading)
		snprintf(text + n, sizeof(text) - n, "%sname=, device=, priority=, books=new", n ? ", " : "");
	return fail(EXIT_USAGE, "%s: no setting \"%s\"; there are: %s",
		    kind ? kind->name : "this policy", setting, text);
}

int policy_settings(const struct policy_kind *kind, struct policy_maps *maps, int num,
		    char **settings, bool loading)
{
	const struct policy_key *k;
	struct policy_why why = { "" };
	const char *value;
	char key[PATH_MAX];

	for (int i = 0; i < num; i++) {
		k = find_key(kind, settings[i], key, sizeof(key), &value);
		if (!k)
			return usage_of(kind, settings[i], loading);
		if (k->fixed && !loading)
			return fail(EXIT_USAGE, "%s: %s= is for loading only: it decides how the "
				    "books are kept; accelctl policy unload, then load", kind->name,
				    k->name);
		if (k->set(maps, key, value, &why))
			return fail(maps ? EXIT_FAILED : EXIT_USAGE, "%s: %s=%s: %s", kind->name, key,
				    value, why.text);
	}
	return EXIT_OK;
}

/* It is pinned in a directory of that name, and the BPF file system has no dots in its names. */
static int set_name(struct request *req, const char *as, const char *name, int code)
{
	int ret = policy_name_check(as, name, code);

	if (!ret && strchr(name, '.'))
		ret = fail(code, "%s%s: the BPF file system, where it is pinned, has no names with a "
			   "'.'; give it another one: name=NAME", as, name);
	if (!ret)
		snprintf(req->name, sizeof(req->name), "%s", name);
	return ret;
}

/* Takes name=, device=, priority= and books= out of the settings. */
static int set_common(struct request *req)
{
	int left = 0, ret;
	long priority;
	char *end;

	for (int i = 0; i < req->num; i++) {
		char *setting = req->settings[i];

		if (!strncmp(setting, "name=", 5)) {
			ret = set_name(req, "name=", setting + 5, EXIT_USAGE);
			if (ret)
				return ret;
		} else if (!strncmp(setting, "device=", 7)) {
			if (strlen(setting + 7) >= POLICY_DEVICE)
				return fail(EXIT_USAGE, "%s: a pattern has at most %d characters",
					    setting, POLICY_DEVICE - 1);
			if (strchr(setting + 7, '^'))
				return fail(EXIT_USAGE, "%s: all but some are [!...], as in acc[!0]", setting);
			snprintf(req->device, sizeof(req->device), "%s", setting + 7);
			req->has_device = true;
		} else if (!strncmp(setting, "priority=", 9)) {
			errno = 0;
			priority = strtol(setting + 9, &end, 10);
			if (errno || end == setting + 9 || *end || priority < INT32_MIN ||
			    priority > INT32_MAX)
				return fail(EXIT_USAGE, "%s: not a number; policies are asked in "
					    "ascending order, 0 is usual", setting);
			req->priority = priority;
			req->has_priority = true;
		} else if (!strncmp(setting, "books=", 6)) {
			if (strcmp(setting + 6, "new"))
				return fail(EXIT_USAGE, "%s: there is books=new only: to begin with nothing "
					    "of the policy that is replaced", setting);
			req->anew = true;
		} else {
			req->settings[left++] = setting;
		}
	}
	req->num = left;
	return EXIT_OK;
}

static int unknown(const char *what)
{
	const char *names[16];
	const char *close;
	char text[256] = "";
	size_t n = 0;
	int i;

	for (i = 0; policy_kinds[i]; i++) {
		names[i] = policy_kinds[i]->name;
		n += snprintf(text + n, sizeof(text) - n, "%s%s", i ? ", " : "", names[i]);
	}
	names[i] = NULL;
	close = opts_closest(what, names);
	if (close)
		return fail(EXIT_USAGE, "no policy \"%s\"; did you mean %s?", what, close);
	return fail(EXIT_USAGE, "no policy \"%s\"; there are: %s, or the path of an object file "
		    "(./mine.bpf.o)", what, text);
}

/* ----------------------------------------------------------------- preparing */

/* "/dir/settings" for ".bss.settings" */
static void pin_path(const struct load *load, const char *dir, const struct bpf_map *map, char *path,
		     size_t size)
{
	const char *name = bpf_map__name(map), *dot = strrchr(name, '.');

	snprintf(path, size, "%s/%s", dir, map == load->ops ? "ops" : dot ? dot + 1 : name);
}

/* What a setting has decided at the first load, the length of a map, is no matter of form. */
static bool same_form(const struct load *load, const struct bpf_map *map, int fd)
{
	const struct policy_kind *kind = load->req.kind;
	bool sized = kind && kind->sized && !strcmp(kind->sized, bpf_map__name(map));
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == bpf_map__type(map) &&
	       info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) &&
	       (sized || info.max_entries == bpf_map__max_entries(map));
}

static bool is_rodata(const struct bpf_map *map)
{
	return strstr(bpf_map__name(map), ".rodata") != NULL;
}

/* How many maps are pinned, besides "ops". */
static int count_maps(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int num = 0;

	while (d && (e = readdir(d)))
		num += e->d_name[0] != '.' && strcmp(e->d_name, "ops") && strcmp(e->d_name, "link");
	if (d)
		closedir(d);
	return num;
}

static int cannot_keep(const struct load *load, const char *path)
{
	return fail(EXIT_FAILED, "%s has no place in this %s: settings and books of the one that is "
		    "loaded would be lost. To begin anew, say books=new, and all settings", path,
		    load->req.name);
}

/* The pinned maps of the one that is replaced: all of them, or, where that is asked for, none. */
static int keep_maps(struct load *load)
{
	int fd, num = count_maps(load->old);
	struct bpf_map *map;
	char path[PATH_MAX];

	if (load->req.anew)
		return EXIT_OK;
	bpf_object__for_each_map(map, load->obj) {
		bool kept;

		if (map == load->ops || is_rodata(map))
			continue;
		pin_path(load, load->old, map, path, sizeof(path));
		fd = bpf_obj_get(path);
		kept = fd >= 0 && same_form(load, map, fd) && !bpf_map__reuse_fd(map, fd);
		if (fd >= 0)
			close(fd);
		if (!kept)
			return cannot_keep(load, path);
		num--;
	}
	if (num)
		return cannot_keep(load, load->old);
	load->kept_maps = true;
	return EXIT_OK;
}

/* Write into the struct_ops map, in the form that the object has it. */
static int set_member(struct load *load, const char *member, const void *value, size_t size)
{
	const struct btf *btf = bpf_object__btf(load->obj);
	int id = btf__find_by_name_kind(btf, "accel_policy_ops", BTF_KIND_STRUCT);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;
	size_t room;
	char *data = bpf_map__initial_value(load->ops, &room);

	for (int i = 0; t && data && i < btf_vlen(t); i++) {
		const struct btf_member *m = btf_members(t) + i;
		size_t offset = btf_member_bit_offset(t, i) / 8;

		if (strcmp(btf__name_by_offset(btf, m->name_off), member) || offset + size > t->size)
			continue;
		memcpy(data + offset, value, size);
		return 0;
	}
	return -1;
}

static int get_name(struct load *load)
{
	const struct btf *btf = bpf_object__btf(load->obj);
	int id = btf__find_by_name_kind(btf, "accel_policy_ops", BTF_KIND_STRUCT);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;
	size_t room;
	char *data = bpf_map__initial_value(load->ops, &room), name[POLICY_NAME + 1] = "";

	for (int i = 0; t && data && i < btf_vlen(t); i++) {
		size_t offset = btf_member_bit_offset(t, i) / 8;

		/* one that is not ended has a letter too many */
		if (!strcmp(btf__name_by_offset(btf, btf_members(t)[i].name_off), "name") &&
		    offset + POLICY_NAME <= room)
			memcpy(name, data + offset, POLICY_NAME);
	}
	if (!*name)
		return fail(EXIT_FAILED, "%s: its policy has no name; give it one: name=NAME",
			    load->req.what);
	return set_name(&load->req, "the policy's own name, ", name, EXIT_FAILED);
}

static int open_object(struct load *load)
{
	const struct policy_kind *kind = load->req.kind;
	struct bpf_map *map;

	load->obj = kind ? bpf_object__open_mem(kind->elf, kind->elf_end - kind->elf, NULL) :
			   bpf_object__open_file(load->req.what, NULL);
	if (!load->obj)
		return fail(EXIT_FAILED, "cannot read the object file %s: %s", load->req.what,
			    strerror(errno));
	bpf_object__for_each_map(map, load->obj) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		if (load->ops)
			return fail(EXIT_FAILED, "%s has more than one policy: put each into a file of "
				    "its own", load->req.what);
		load->ops = map;
	}
	if (!load->ops)
		return fail(EXIT_FAILED, "%s has no policy: a variable of struct accel_policy_ops in "
			    "SEC(\".struct_ops.link\")", load->req.what);
	if (!*load->req.name)
		return get_name(load);
	return EXIT_OK;
}

static int prepare(struct load *load)
{
	struct request *req = &load->req;

	if (set_member(load, "name", req->name, sizeof(req->name)) ||
	    (req->has_device && set_member(load, "device", req->device, sizeof(req->device))) ||
	    (req->has_priority && set_member(load, "priority", &req->priority, sizeof(req->priority))))
		return fail(EXIT_FAILED, "%s: its struct accel_policy_ops has no such member: build it "
			    "with bpf/accel_policy.h", req->what);
	if (req->kind && req->kind->prepare && req->kind->prepare(load->obj, req->num, req->settings))
		return fail(EXIT_FAILED, "%s: cannot be made so large", req->what);
	return EXIT_OK;
}

/* ----------------------------------------------------------------- attaching */

static int cannot_attach(struct load *load, int err)
{
	const char *name = load->req.name;

	if (err == -EEXIST)
		return fail(EXIT_FAILED, "a policy \"%s\" is attached already, and not by accelctl policy "
			    "load; accelctl policy unload %s, or give this one another name=", name,
			    name);
	if (err == -EINVAL && load->req.has_device)
		return fail(EXIT_USAGE, "device=%s: no pattern of names such as acc0 or acc[0-3]; the "
			    "kernel's log says what it does not like", load->req.device);
	if (err == -EINVAL)
		return fail(EXIT_FAILED, "the kernel does not take policy \"%s\"; its log says why: "
			    "dmesg | tail", name);
	return policy_libbpf_said("attach the policy", err);
}

static int pin_link(struct load *load, int link_fd)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/link", load->dir);
	if (bpf_obj_pin(link_fd, path))
		return fail(EXIT_FAILED, "cannot pin %s: %s", path, strerror(errno));
	return EXIT_OK;
}

static int attach_new(struct load *load)
{
	struct bpf_link *link = bpf_map__attach_struct_ops(load->ops);
	int code;

	if (!link)
		return cannot_attach(load, -errno);
	code = pin_link(load, bpf_link__fd(link));
	bpf_link__destroy(link);
	return code;
}

/*
 * libbpf's bpf_link__update_map() takes no link that was opened from a pin. What it does
 * besides the system call is to fill in the map, and so does an attempt to attach, which
 * fails: a policy of that name is there.
 */
static int attach_instead(struct load *load)
{
	struct bpf_link *link = bpf_map__attach_struct_ops(load->ops);
	int err;

	if (link) {
		/* the old one has just gone by itself */
		bpf_link__disconnect(link);
		bpf_link__destroy(link);
		return fail(EXIT_FAILED, "\"%s\" was unloaded meanwhile; load it again", load->req.name);
	}
	if (errno != EEXIST)
		return cannot_attach(load, -errno);
	err = bpf_link_update(load->link_fd, bpf_map__fd(load->ops), NULL);
	return err ? cannot_attach(load, err) : EXIT_OK;
}

static int pin_maps(struct load *load)
{
	struct bpf_map *map;
	char path[PATH_MAX];
	int err;

	bpf_object__for_each_map(map, load->obj) {
		if (is_rodata(map))
			continue;
		pin_path(load, load->dir, map, path, sizeof(path));
		err = bpf_obj_pin(bpf_map__fd(map), path);
		if (err)
			return fail(EXIT_FAILED, "cannot pin %s: %s", path, strerror(-err));
	}
	return EXIT_OK;
}

static int set_all(struct load *load, bool begin)
{
	struct policy_maps maps = { .obj = load->obj };
	const struct policy_kind *kind = load->req.kind;
	int code;

	if (kind && kind->begin && begin)
		kind->begin(&maps);
	if (kind && kind->refresh && !begin)
		kind->refresh(&maps);
	code = policy_settings(kind, &maps, load->req.num, load->req.settings, true);
	policy_maps_close(&maps);
	return code;
}

/* Maps of its own are as they shall be before it decides. */
static int load_object(struct load *load)
{
	int err = bpf_object__load(load->obj);

	if (err)
		return policy_libbpf_said("load the policy", err);
	return load->kept_maps ? EXIT_OK : set_all(load, true);
}

/* Maps of the one that was replaced are its own until it is. */
static int set_kept(struct load *load)
{
	int code = set_all(load, false);

	if (code)
		fail(0, "%s was replaced all the same; mend the rest with accelctl policy set %s",
		     load->req.name, load->req.name);
	return code;
}

/* Its books are kept in a way that this setting would change. */
static int refuse_fixed(struct load *load)
{
	const struct policy_key *k;
	const char *value;
	char key[PATH_MAX];

	for (int i = 0; i < load->req.num && !load->req.anew; i++) {
		k = find_key(load->req.kind, load->req.settings[i], key, sizeof(key), &value);
		if (k && k->fixed)
			return fail(EXIT_USAGE, "%s is loaded, and %s= decides how its books are kept; "
				    "accelctl policy unload %s first, or books=new", load->req.name, k->name,
				    load->req.name);
	}
	return EXIT_OK;
}

/* What takes the place of another is pinned with its link before, and has its name after that. */
static int take_its_place(struct load *load)
{
	int code = pin_link(load, load->link_fd) ?: attach_instead(load);

	return code ?: policy_pins_commit(load->req.name);
}

/* Of ours, what is not given is as it was; a file has its own device and priority. */
static int keep_common(struct load *load)
{
	struct request *req = &load->req;
	struct policy_info *all;
	int code;
	size_t num;

	if (req->anew || !req->kind)
		return EXIT_OK;
	code = policy_attached(&all, &num);
	if (code)
		return code;
	for (size_t i = 0; i < num; i++) {
		if (strcmp(all[i].name, req->name))
			continue;
		if (!req->has_device)
			memcpy(req->device, all[i].device, sizeof(req->device));
		if (!req->has_priority)
			req->priority = all[i].priority;
		req->has_device = req->has_priority = true;
	}
	free(all);
	return EXIT_OK;
}

static int run(struct load *load)
{
	char path[PATH_MAX];
	bool is_new;
	int code;

	code = open_object(load) ?: policy_pins_recover(load->req.name);
	if (code)
		return code;
	policy_pins_dir(load->req.name, false, load->old);
	snprintf(path, sizeof(path), "%s/link", load->old);
	load->link_fd = bpf_obj_get(path);
	/* one that was cut holds nothing any more, and cannot be pointed at anything */
	is_new = load->link_fd < 0 || !policy_link_ops(load->link_fd);
	policy_pins_dir(load->req.name, !is_new, load->dir);
	if (is_new)
		policy_pins_remove(load->dir);	/* of a load, or an unload, that was cut short */
	else
		code = refuse_fixed(load) ?: keep_common(load);
	code = code ?: prepare(load);
	if (!code && !is_new)
		code = keep_maps(load);
	code = code ?: load_object(load);
	if (code)
		return code;
	code = policy_pins_make(load->dir) ?: pin_maps(load);
	/* the link last: where it is, everything is */
	code = code ?: is_new ? attach_new(load) : take_its_place(load);
	if (code && is_new)
		policy_pins_remove(load->dir);
	else if (code)
		policy_pins_recover(load->req.name);
	if (!code && load->kept_maps)
		code = set_kept(load);
	return code;
}

int policy_load(const char *what, int num, char **settings)
{
	struct load load = {
		.req = { .what = what, .num = num, .settings = settings }, .link_fd = -1,
	};
	int code;

	load.req.kind = policy_kind_by(what);
	if (!load.req.kind && !strchr(what, '/') && access(what, R_OK))
		return unknown(what);
	if (load.req.kind)
		snprintf(load.req.name, sizeof(load.req.name), "%s", load.req.kind->name);
	code = set_common(&load.req);
	code = code ?: policy_settings(load.req.kind, NULL, load.req.num, settings, true);
	code = code ?: run(&load);
	bpf_object__close(load.obj);
	if (load.link_fd >= 0)
		close(load.link_fd);
	return code;
}

/* Whoever holds it: the link is cut, which is when the policy is asked no more. */
int policy_unload(const char *name)
{
	struct policy_info *all = NULL;
	char dir[POLICY_DIR];
	int code, fd, err;
	size_t num, i;

	code = policy_pins_recover(name) ?: policy_attached(&all, &num);
	if (code)
		return code;
	for (i = 0; i < num && strcmp(all[i].name, name); i++)
		;
	policy_pins_dir(name, false, dir);
	if (i == num) {
		bool left = !access(dir, F_OK);

		policy_pins_remove(dir);
		free(all);
		return left ? EXIT_OK : fail(EXIT_FAILED, "no policy \"%s\" is attached; accelctl policy "
					     "lists those that are", name);
	}
	if (!all[i].link_id) {
		free(all);
		return fail(EXIT_FAILED, "\"%s\" has no link: remove its struct_ops map (bpftool "
			    "struct_ops unregister)", name);
	}
	fd = bpf_link_get_fd_by_id(all[i].link_id);
	err = fd < 0 ? fd : bpf_link_detach(fd);
	if (fd >= 0)
		close(fd);
	free(all);
	if (err)
		return policy_libbpf_said("detach the policy", err);
	policy_pins_remove(dir);
	return EXIT_OK;
}
