// SPDX-License-Identifier: GPL-2.0-only
/*
 * accelctl observe: the programs that count, kept by pins, so that readers need no
 * capability but the group's permission to open three files.
 *
 * Everything is pinned into a directory of another name, which then gets its own in one
 * step; and loses it in one step before anything is removed. So what has the name is
 * whole, and what an interrupted start or end leaves behind is known by the other name.
 */
#include "accelctl.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf_util.h"
#include "json.h"
#include "stats_maps.h"

#define GROUP		"accel"
#define NUM_MAPS	3

static const char *const map_names[NUM_MAPS] = { "control", "contexts", "devices" };

static bool exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

/* ----------------------------------------------------------------- removing */

/* Programs whose pins are gone. */
static __u32 ended[32];
static int num_ended;

static void note_program(const char *path)
{
	struct bpf_link_info info = { 0 };
	__u32 len = sizeof(info);
	int fd = bpf_obj_get(path);

	if (fd < 0)
		return;
	if (!bpf_link_get_info_by_fd(fd, &info, &len) &&
	    num_ended < (int)(sizeof(ended) / sizeof(ended[0])))
		ended[num_ended++] = info.prog_id;
	close(fd);
}

/*
 * A worker of the kernel's ends a program some time after its last pin, and only then does
 * it let go of the module, which may be unloaded next. Readers that run as root have the
 * programs, too, and let go when they look next: not for ever, they may be stopped.
 * Returns how many are still there.
 */
static int await_programs(void)
{
	int left = 0, tries = 500;

	for (int i = 0; i < num_ended; i++)
		for (;;) {
			int fd = bpf_prog_get_fd_by_id(ended[i]);

			if (fd < 0)
				break;
			close(fd);
			if (tries-- <= 0) {
				left++;
				break;
			}
			usleep(10000);
		}
	bpf_util_quiesce();
	return left;
}

/* Tells who reads that nothing is counted any more; what they have of it stays readable. */
static void tell_readers(void)
{
	struct accel_stats_control *c;
	int fd = bpf_obj_get(STATS_PARTIAL "/control");
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (fd < 0)
		return;
	c = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (c == MAP_FAILED)
		return;
	__atomic_store_n(&c->version, 0, __ATOMIC_RELEASE);
	munmap(c, page);
}

/* Links first: nothing is counted any more by the time the memory goes. */
static int remove_pins(const char *dir)
{
	struct dirent **list;
	int num, failed = 0;

	if (!exists(dir))
		return 0;
	for (int maps = 0; maps < 2; maps++) {
		num = scandir(dir, &list, NULL, alphasort);
		if (num < 0)
			return -errno;
		for (int i = 0; i < num; i++) {
			const char *name = list[i]->d_name;
			char path[400];
			bool map = false;

			for (int k = 0; k < NUM_MAPS; k++)
				map |= !strcmp(name, map_names[k]);
			snprintf(path, sizeof(path), "%s/%s", dir, name);
			if (*name != '.' && map == maps) {
				if (!map)
					note_program(path);
				if (unlink(path))
					failed = -errno;
			}
			free(list[i]);
		}
		free(list);
	}
	if (!failed && rmdir(dir))
		failed = -errno;
	return failed;
}

static void close_door(void)
{
	while (!umount2(STATS_DOOR, MNT_DETACH))
		;
	rmdir(STATS_DOOR);
}

static int remove_partial(void)
{
	int err = remove_pins(STATS_PARTIAL);

	return err ? fail(EXIT_FAILED, "cannot remove %s: %s; look what is in it and remove that",
			  STATS_PARTIAL, strerror(-err)) : EXIT_OK;
}

/* To be the only one that changes them, and root. */
static int take_pins(void)
{
	return lock_pins() ?: pins_check(STATS_PINS) ?: pins_check(STATS_PARTIAL);
}

int cmd_observe_off(const struct settings *set, const char *dev)
{
	int code = take_pins(), left;
	bool any;

	(void)set;
	(void)dev;
	if (code)
		return code;
	any = exists(STATS_PINS) || exists(STATS_PARTIAL);
	close_door();
	code = remove_partial();
	if (code)
		return code;
	if (exists(STATS_PINS) && rename(STATS_PINS, STATS_PARTIAL))
		return fail(EXIT_FAILED, "cannot rename %s: %s", STATS_PINS, strerror(errno));
	tell_readers();
	code = remove_partial();
	if (code)
		return code;
	left = any ? await_programs() : 0;
	if (left)
		fail(0, "%d programs are held by readers that run as root (accel-top?), and with them the module, until they look again or end",
		     left);
	puts(any ? "observing is off" : "observing was off");
	return EXIT_OK;
}

/* ------------------------------------------------------------------ pinning */

static int find_group(const struct settings *set, gid_t *gid)
{
	struct group *group = getgrnam(set->group ? set->group : GROUP);
	char *end;

	*gid = 0;
	if (group) {
		*gid = group->gr_gid;
		return EXIT_OK;
	}
	if (!set->group) {
		fail(0, "there is no group %s: readers must be root; groupadd %s, or --group GROUP, and observe on again",
		     GROUP, GROUP);
		return EXIT_OK;
	}
	errno = 0;
	*gid = (gid_t)strtoul(set->group, &end, 10);
	if (*end || !*set->group || errno)
		return fail(EXIT_FAILED, "--group: there is no group %s; getent group shows those that are there",
			    set->group);
	return EXIT_OK;
}

/* Its mode first: nobody gets in between who should not. */
static int allow(const char *path, mode_t mode, gid_t gid)
{
	return chmod(path, mode) || chown(path, 0, gid) ? -errno : 0;
}

static int pin_all(const struct stats_maps *m, gid_t gid)
{
	struct bpf_program *prog;
	char path[160];
	int i = 0, err;

	if (mkdir(STATS_PARTIAL, 0700))
		return -errno;
	for (int k = 0; k < NUM_MAPS; k++) {
		snprintf(path, sizeof(path), "%s/%s", STATS_PARTIAL, map_names[k]);
		if (bpf_obj_pin(bpf_object__find_map_fd_by_name(m->obj, map_names[k]), path))
			return -errno;
		err = allow(path, 0640, gid);
		if (err)
			return err;
	}
	bpf_object__for_each_program(prog, m->obj) {
		snprintf(path, sizeof(path), "%s/%s", STATS_PARTIAL, bpf_program__name(prog));
		err = bpf_link__pin(m->links[i++], path);
		if (err)
			return err;
	}
	err = allow(STATS_PARTIAL, 0750, gid);
	if (err)
		return err;
	return rename(STATS_PARTIAL, STATS_PINS) ? -errno : 0;
}

/* Whether anybody but root gets as far as the pins. */
static bool needs_door(void)
{
	struct stat st;

	return stat(BPFFS, &st) || !(st.st_mode & S_IXOTH);
}

static bool door_is_open(void)
{
	struct stat a, b;

	return !stat(STATS_PINS, &a) && !stat(STATS_DOOR, &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static int open_door(void)
{
	if (!needs_door() || door_is_open())
		return EXIT_OK;
	close_door();
	if ((mkdir("/run/accelerator", 0755) && errno != EEXIST) ||
	    (mkdir(STATS_DOOR, 0755) && errno != EEXIST) ||
	    mount(STATS_PINS, STATS_DOOR, NULL, MS_BIND, NULL))
		return fail(EXIT_FAILED,
			    "observing is on, but %s is for root alone and cannot be bound to %s: %s; let its users pass: chmod o+x %s",
			    BPFFS, STATS_DOOR, strerror(errno), BPFFS);
	return EXIT_OK;
}

static int count_links(void)
{
	struct dirent **list;
	int num = scandir(STATS_PINS, &list, NULL, NULL), links = 0;

	for (int i = 0; i < num; i++) {
		links += !strncmp(list[i]->d_name, "stats_", 6);
		free(list[i]);
	}
	if (num >= 0)
		free(list);
	return num < 0 ? num : links;
}

/* Some of what was pinned is not there: what is wrong, and what mends it. */
static bool is_damaged(int err, char *text, size_t size)
{
	int links = count_links();

	if (err == -ENOENT)
		snprintf(text, size, "pins are missing in %s: accelctl observe off && accelctl observe on",
			 STATS_PINS);
	else if (!err && links != STATS_PROGS)
		snprintf(text, size, "%d of %d programs are attached: accelctl observe off && accelctl observe on",
			 links, STATS_PROGS);
	else
		return false;
	return true;
}

/* It is on: is it what was asked for? */
static int already_on(const struct settings *set, gid_t gid)
{
	struct stats_maps m;
	struct stat st;
	char why[256];
	int err = stats_maps_open(&m, why, sizeof(why));

	if (is_damaged(err, why, sizeof(why)) || err) {
		stats_maps_close(&m);
		return fail(EXIT_FAILED, "%s", why);
	}
	if ((set->contexts && set->contexts != m.num_contexts) ||
	    (set->devices && set->devices != m.num_devices)) {
		fail(0, "observing is on, with room for %u contexts and %u devices; to change that: accelctl observe off, then on",
		     m.num_contexts, m.num_devices);
		stats_maps_close(&m);
		return EXIT_FAILED;
	}
	stats_maps_close(&m);
	if (!stat(STATS_PINS, &st) && st.st_gid != gid) {
		char path[160];

		for (int k = 0; k < NUM_MAPS; k++) {
			snprintf(path, sizeof(path), "%s/%s", STATS_PINS, map_names[k]);
			if (allow(path, 0640, gid))
				return fail(EXIT_FAILED, "%s: %s", path, strerror(errno));
		}
		if (allow(STATS_PINS, 0750, gid))
			return fail(EXIT_FAILED, "%s: %s", STATS_PINS, strerror(errno));
	}
	err = open_door();
	if (!err)
		puts("observing was on");
	return err;
}

int cmd_observe_on(const struct settings *set, const char *dev)
{
	struct stats_room room = { set->contexts, set->devices };
	struct stats_maps m = { 0 };
	char why[256];
	gid_t gid;
	int code, err;

	(void)dev;
	code = take_pins();
	if (!code)
		code = find_group(set, &gid);
	if (!code)
		code = remove_partial();
	if (code)
		return code;
	if (exists(STATS_PINS))
		return already_on(set, gid);
	if (!accel_subsystem_present())
		return fail(EXIT_NO_DEVICE, "no accelerator subsystem on this machine: modprobe accelerator");
	err = stats_maps_load(&m, &room, why, sizeof(why));
	if (err) {
		stats_maps_close(&m);
		return fail(EXIT_NO_PERMISSION, "%s", why);
	}
	err = pin_all(&m, gid);
	stats_maps_close(&m);
	if (err) {
		remove_pins(STATS_PARTIAL);
		return fail(EXIT_FAILED, "cannot pin below %s: %s", BPFFS, strerror(-err));
	}
	code = open_door();
	if (!code)
		puts("observing is on");
	return code;
}

/* ------------------------------------------------------------------- status */

struct state {
	const char *word;	/* on, off, interrupted, mismatch, damaged */
	char mend[512];		/* "": nothing is wrong */
	bool closed;		/* on, but its group does not get there */
	struct stats_maps maps;
	struct stat st;
	uint32_t open, kept;
};

static void find_state(struct state *s)
{
	char why[256];
	int err;

	s->word = "off";
	if (exists(STATS_PARTIAL)) {
		s->word = "interrupted";
		snprintf(s->mend, sizeof(s->mend),
			 "%s is left of a start or an end that was interrupted: accelctl observe off, or on, removes it",
			 STATS_PARTIAL);
	}
	/* Where root has another number, in a user namespace, its pins look like another's. */
	if (bpf_util_may_load() && (!pins_trusted(STATS_PINS, s->mend, sizeof(s->mend)) ||
				    !pins_trusted(STATS_PARTIAL, s->mend, sizeof(s->mend)))) {
		s->word = "damaged";
		return;
	}
	err = stats_maps_open(&s->maps, why, sizeof(why));
	if (err == -ENOENT && !exists(STATS_PINS))
		return;
	if (err) {
		s->word = err == -EPROTO ? "mismatch" : err == -EACCES || err == -EPERM ? "hidden" :
			  "damaged";
		if (!is_damaged(err, s->mend, sizeof(s->mend)))
			snprintf(s->mend, sizeof(s->mend), "%s", why);
		return;
	}
	if (stat(STATS_PINS, &s->st) && stat(STATS_DOOR, &s->st))
		return;
	if (!s->mend[0])
		s->word = "on";
	/* Only root sees the links. */
	if (bpf_util_may_load() && is_damaged(0, s->mend, sizeof(s->mend)))
		s->word = "damaged";
	s->closed = bpf_util_may_load() && needs_door() && !door_is_open();
	if (s->closed && !s->mend[0])
		snprintf(s->mend, sizeof(s->mend), "%s is for root alone, its group does not reach the pins: accelctl observe on",
			 BPFFS);
	for (uint32_t i = 0; i < s->maps.num_contexts; i++) {
		s->open += s->maps.contexts[i].head.state == ACCEL_STATS_LIVE;
		s->kept += s->maps.contexts[i].head.state == ACCEL_STATS_ENDED;
	}
}

static const char *group_name(const struct state *s)
{
	struct group *group = getgrgid(s->st.st_gid);

	return group ? group->gr_name : "?";
}

static int show_json(const struct state *s)
{
	const struct accel_stats_control *c = s->maps.control;
	struct json j;
	int err;

	json_begin(&j, stdout, JSON_PRETTY);
	json_object(&j, NULL);
	json_u64(&j, "version", 1);
	json_str(&j, "state", s->word);
	json_str(&j, "mend", s->mend[0] ? s->mend : NULL);
	if (s->maps.contexts) {
		json_str(&j, "pins", STATS_PINS);
		json_str(&j, "door", door_is_open() ? STATS_DOOR : NULL);
		json_str(&j, "group", group_name(s));
		json_str(&j, "attached_by", bpf_util_way_name((int)c->way));
		json_u64(&j, "contexts", s->maps.num_contexts);
		json_u64(&j, "contexts_open", s->open);
		json_u64(&j, "contexts_kept", s->kept);
		json_u64(&j, "contexts_ended", c->ended);
		json_u64(&j, "contexts_no_room", c->no_record);
		json_u64(&j, "devices", s->maps.num_devices);
		json_u64(&j, "lost_no_room", c->unkept + c->no_device);
	}
	json_close(&j);
	err = json_end(&j);
	return err ? fail(EXIT_FAILED, "cannot write the output: %s", strerror(-err)) : EXIT_OK;
}

static void show(const struct state *s)
{
	const struct accel_stats_control *c = s->maps.control;

	printf("%-10s %s\n", "observing", s->word);
	if (s->mend[0])
		printf("%-10s -> %s\n", "", s->mend);
	if (!s->maps.contexts)
		return;
	printf("%-10s %s\n", "pins", STATS_PINS);
	printf("%-10s group %s%s%s\n", "readers", s->st.st_gid ? group_name(s) : "root",
	       door_is_open() ? ", by way of " : "", door_is_open() ? STATS_DOOR : "");
	printf("%-10s attached by %s\n", "programs", bpf_util_way_name((int)c->way));
	printf("%-10s room for %u: %u open, %u ended and kept; %llu found none\n", "contexts",
	       s->maps.num_contexts, s->open, s->kept, c->no_record);
	printf("%-10s room for %u\n", "devices", s->maps.num_devices);
}

int cmd_observe_status(const struct settings *set, const char *dev)
{
	struct state s = { 0 };
	int code = EXIT_OK;

	(void)dev;
	find_state(&s);
	if (set->json)
		code = show_json(&s);
	else
		show(&s);
	if (!code && s.mend[0])
		code = !strcmp(s.word, "hidden") ? EXIT_NO_PERMISSION : EXIT_FAILED;
	stats_maps_close(&s.maps);
	return code;
}
