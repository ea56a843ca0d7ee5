/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies: those that come with accelctl, their settings and their books.
 *
 * A policy NAME that accelctl has loaded is held by what is pinned in
 * /sys/fs/bpf/accelerator-policies/NAME/: its link, the struct_ops map ("ops") and its
 * own maps (policy_pins.c). Nothing else remembers it. Not below /sys/fs/bpf/accelerator/: that
 * comes and goes as a whole with accelctl observe.
 */
#ifndef ACCELCTL_POLICY_H
#define ACCELCTL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accelctl.h"
#include "json.h"

#define POLICY_NAME	16	/* with the NUL, as in the kernel */
#define POLICY_DEVICE	32
#define POLICY_PINS	BPFFS "/accelerator-policies"
#define POLICY_DIR	(sizeof(POLICY_PINS) + POLICY_NAME + 2)

struct bpf_object;

/* A policy's maps: of an object that was just loaded, or pinned. */
struct policy_maps {
	struct bpf_object *obj;		/* or NULL: */
	char dir[POLICY_DIR];
	int num;
	struct {
		char name[32];
		int fd;
		void *data;
		size_t size;
	} maps[16];
};

/* policy_map() - a descriptor of the map, or -errno; policy_maps_close() closes it */
int policy_map(struct policy_maps *maps, const char *name);
/* policy_data() - a map of one element in memory, to be read and written in place; or NULL */
void *policy_data(struct policy_maps *maps, const char *name);
void policy_maps_close(struct policy_maps *maps);

/* What is wrong with a value, in words. */
struct policy_why {
	char text[256];
};

int policy_bad(struct policy_why *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * struct policy_key - one setting
 * @name: as it is typed; "/": any path of a cgroup
 * @form: what its value looks like
 * @help: what it is for
 * @fixed: only when the policy is loaded: it decides how its books are kept
 * @set: check the value, and set it unless @maps is NULL. @key is what was typed. -1: why
 *	was said
 */
struct policy_key {
	const char *name;
	const char *form;
	const char *help;
	bool fixed;
	int (*set)(struct policy_maps *maps, const char *key, const char *value,
		   struct policy_why *why);
};

/**
 * struct policy_kind - a policy that comes with accelctl
 * @name: as users see it
 * @object: name of its struct_ops map
 * @elf: its object file
 * @elf_end: where that ends
 * @summary: one line
 * @keys: ends with a NULL name
 * @sized: optional; the map whose length @prepare sets
 * @prepare: optional; before the object is loaded, with the settings that were given
 * @begin: optional; it was loaded, with maps of its own: what they begin with
 * @refresh: optional; what was set for cgroups that are gone, and there again, is set for these;
 *	how many
 * @print: its settings and books, for people
 * @json: the same as members of an object
 */
struct policy_kind {
	const char *name;
	const char *object;
	const char *elf;
	const char *elf_end;
	const char *summary;
	const struct policy_key *keys;
	const char *sized;
	int (*prepare)(struct bpf_object *obj, int num, char **settings);
	void (*begin)(struct policy_maps *maps);
	int (*refresh)(struct policy_maps *maps);
	void (*print)(struct policy_maps *maps, const struct settings *set);
	void (*json)(struct policy_maps *maps, struct json *j);
};

/* policy_name_check() - may a policy be called so? EXIT_OK, or @code and why. @as: "name=" */
int policy_name_check(const char *as, const char *name, int code);

extern const struct policy_kind policy_pin_limit, policy_ioctl_filter, policy_job_rate,
	policy_fair_share, policy_audit;
extern const struct policy_kind *const policy_kinds[];

/* policy_kind_by() - by its name, or by that of its struct_ops map; NULL: not one of ours */
const struct policy_kind *policy_kind_by(const char *name);
const struct policy_kind *policy_kind_by_object(const char *object);

/* policy_pins_dir() - where one is pinned, or what is to replace it: POLICY_DIR bytes */
void policy_pins_dir(const char *name, bool next, char *dir);
/* policy_pins_now() - the one of the two that decides; false: neither does */
bool policy_pins_now(const char *name, char *dir);
/* policy_link_ops() - the id of the struct_ops map that a link has; 0: it was cut */
uint32_t policy_link_ops(int link_fd);
/* policy_pins_make() - a new directory; policy_pins_remove() - one with all that is in it */
int policy_pins_make(const char *dir);
void policy_pins_remove(const char *dir);
/* policy_pins_commit() - the next one takes the place of the one that it replaces */
int policy_pins_commit(const char *name);
/* policy_pins_recover() - end or undo a replacement that was cut short; the lock is held */
int policy_pins_recover(const char *name);

/* policy_loaded() - open the maps of one that accelctl has loaded; its kind may be NULL */
int policy_loaded(const char *name, struct policy_maps *maps, const struct policy_kind **kind);

/* Values that several kinds have; 0, or -1 and why. */
int policy_cgroup(const char *path, uint64_t *id, struct policy_why *why);
/* policy_number() - decimal, or hexadecimal after 0x; none begins with another 0 */
int policy_number(const char *text, uint64_t min, uint64_t max, uint64_t *value,
		  struct policy_why *why);
/* policy_settings_data() - the map "settings", to be written in place; NULL, and why */
void *policy_settings_data(struct policy_maps *maps, struct policy_why *why);
/* policy_set_u32() - check a number, and set the member of "settings" at @offset to it */
int policy_set_u32(struct policy_maps *maps, size_t offset, uint64_t min, uint64_t max,
		   const char *value, struct policy_why *why);

/* policy_cgroup_was() - also of one that is gone, if its path is remembered; 0 without @maps */
int policy_cgroup_was(struct policy_maps *maps, const char *path, uint64_t *id,
		      struct policy_why *why);
/* policy_remember() - the path of a cgroup that something was set for; and of which no more is */
void policy_remember(struct policy_maps *maps, uint64_t id);
void policy_forget(struct policy_maps *maps, uint64_t id);
/* policy_cgroup_again() - what id the path of one that is gone has now; 0: none, or it is there */
uint64_t policy_cgroup_again(struct policy_maps *maps, uint64_t id);
/* policy_set_own() - what the cgroup @id has of its own in the map @name; NULL: no more */
int policy_set_own(struct policy_maps *maps, const char *name, uint64_t id, const void *value,
		   struct policy_why *why);
/* policy_refresh_own() - move what is in the map @name to those that are there again; how many */
int policy_refresh_own(struct policy_maps *maps, const char *name);
/*
 * policy_path() - of a cgroup; false: it is gone, what it was called, or else "#123"
 *
 * For people, with "(gone)"; and in JSON, as "cgroup", "cgroup_id" and "gone".
 */
bool policy_path(struct policy_maps *maps, uint64_t id, char *text, size_t size);
const char *policy_path_text(struct policy_maps *maps, uint64_t id, char *text, size_t size);
void policy_path_json(struct policy_maps *maps, uint64_t id, struct json *j);

/* A policy that is attached, as the kernel tells it. */
struct policy_info {
	uint64_t id;
	char name[POLICY_NAME];
	char device[POLICY_DEVICE];
	int32_t priority;
	uint32_t link_id;
	uint64_t bad_returns, overruled;
	int num_hooks;
	struct {
		char name[16];
		uint64_t calls, refused;
	} hooks[16];
};

/* policy_attached() - all of them, in the order in which they are asked; a count or a code */
int policy_attached(struct policy_info **all, size_t *num);

/* Check settings, or with @maps set them; a code to exit with. */
int policy_settings(const struct policy_kind *kind, struct policy_maps *maps, int num,
		    char **settings, bool loading);

/* Whose headers do not go together with this one: policy_bpf.c */
int policy_may_load(void);
int policy_libbpf_said(const char *what, int err);

int policy_load(const char *what, int num, char **settings);
int policy_unload(const char *name);

#endif /* ACCELCTL_POLICY_H */
