/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies: those that come with accelctl, their settings and their books.
 *
 * A policy NAME that accelctl has loaded is held by what is pinned in
 * /sys/fs/bpf/accelerator-policies/NAME/: its link, the struct_ops map ("ops") and its
 * own maps. Nothing else remembers it. Not below /sys/fs/bpf/accelerator/: that comes and
 * goes as a whole with accelctl observe.
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
#define POLICY_PINS	"/sys/fs/bpf/accelerator-policies"

struct bpf_object;

/* A policy's maps: of an object that was just loaded, or pinned. */
struct policy_maps {
	struct bpf_object *obj;		/* or NULL: */
	char dir[128];
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
 * @prepare: optional; before the object is loaded, with the settings that were given
 * @begin: optional; it was loaded, with maps of its own: what they begin with
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
	int (*prepare)(struct bpf_object *obj, int num, char **settings);
	void (*begin)(struct policy_maps *maps);
	void (*print)(struct policy_maps *maps, const struct settings *set);
	void (*json)(struct policy_maps *maps, struct json *j);
};

extern const struct policy_kind policy_pin_limit, policy_ioctl_filter, policy_job_rate,
	policy_fair_share, policy_audit;
extern const struct policy_kind *const policy_kinds[];

/* policy_kind_by() - by its name, or by that of its struct_ops map; NULL: not one of ours */
const struct policy_kind *policy_kind_by(const char *name);
const struct policy_kind *policy_kind_by_object(const char *object);

/* policy_loaded() - open the maps of one that accelctl has loaded; its kind may be NULL */
int policy_loaded(const char *name, struct policy_maps *maps, const struct policy_kind **kind);

/* Values that several kinds have; 0, or -1 and why. */
int policy_cgroup(const char *path, uint64_t *id, struct policy_why *why);
int policy_number(const char *text, uint64_t min, uint64_t max, uint64_t *value,
		  struct policy_why *why);
/* policy_settings_data() - the map "settings", to be written in place; NULL, and why */
void *policy_settings_data(struct policy_maps *maps, struct policy_why *why);
/* policy_set_u32() - check a number, and set the member of "settings" at @offset to it */
int policy_set_u32(struct policy_maps *maps, size_t offset, uint64_t min, uint64_t max,
		   const char *value, struct policy_why *why);
/* policy_set_own() - what the cgroup @id has of its own in the map @name; NULL: no more */
int policy_set_own(struct policy_maps *maps, const char *name, uint64_t id, const void *value,
		   struct policy_why *why);
/* policy_path() - of a cgroup, for people; ids of those that are gone as "#123" */
const char *policy_path(uint64_t id, char *text, size_t size);

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
