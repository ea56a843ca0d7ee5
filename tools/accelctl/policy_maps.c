// SPDX-License-Identifier: GPL-2.0-only
/* A policy's maps, and values that are in several of them. */
#include "policy.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "opts.h"

int policy_bad(struct policy_why *why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why->text, sizeof(why->text), format, ap);
	va_end(ap);
	return -1;
}

/* Maps of variables have a section's name in an object (".bss.settings"). */
static struct bpf_map *find_in(struct bpf_object *obj, const char *name)
{
	static const char *const sections[] = { "", ".bss.", ".data." };
	struct bpf_map *map = NULL;
	char full[64];

	for (size_t i = 0; i < 3 && !map; i++) {
		snprintf(full, sizeof(full), "%s%s", sections[i], name);
		map = bpf_object__find_map_by_name(obj, full);
	}
	return map;
}

static int index_of(struct policy_maps *maps, const char *name)
{
	char path[192];
	int fd;

	for (int i = 0; i < maps->num; i++)
		if (!strcmp(maps->maps[i].name, name))
			return i;
	if (maps->num == (int)(sizeof(maps->maps) / sizeof(maps->maps[0])))
		return -ENFILE;
	if (maps->obj) {
		struct bpf_map *map = find_in(maps->obj, name);

		fd = map ? dup(bpf_map__fd(map)) : -1;
		if (fd < 0)
			return -ENOENT;
	} else {
		snprintf(path, sizeof(path), "%s/%.31s", maps->dir, name);
		fd = bpf_obj_get(path);
		if (fd < 0)
			return -errno;
	}
	snprintf(maps->maps[maps->num].name, sizeof(maps->maps[0].name), "%s", name);
	maps->maps[maps->num].fd = fd;
	maps->maps[maps->num].data = NULL;
	return maps->num++;
}

int policy_map(struct policy_maps *maps, const char *name)
{
	int i = index_of(maps, name);

	return i < 0 ? i : maps->maps[i].fd;
}

void *policy_data(struct policy_maps *maps, const char *name)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	int i = index_of(maps, name);
	void *data;

	if (i < 0)
		return NULL;
	if (maps->maps[i].data)
		return maps->maps[i].data;
	if (bpf_obj_get_info_by_fd(maps->maps[i].fd, &info, &len))
		return NULL;
	data = mmap(NULL, info.value_size, PROT_READ | PROT_WRITE, MAP_SHARED, maps->maps[i].fd, 0);
	if (data == MAP_FAILED)
		return NULL;
	maps->maps[i].data = data;
	maps->maps[i].size = info.value_size;
	return data;
}

void policy_maps_close(struct policy_maps *maps)
{
	for (int i = 0; i < maps->num; i++) {
		if (maps->maps[i].data)
			munmap(maps->maps[i].data, maps->maps[i].size);
		close(maps->maps[i].fd);
	}
	maps->num = 0;
}

int policy_loaded(const char *name, struct policy_maps *maps, const struct policy_kind **kind)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	int fd;

	memset(maps, 0, sizeof(*maps));
	/* what is left of one that was cut is nobody's */
	if (!policy_pins_now(name, maps->dir))
		return -ENOENT;
	fd = policy_map(maps, "ops");
	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	*kind = policy_kind_by_object(info.name);
	return 0;
}

int policy_number(const char *text, uint64_t min, uint64_t max, uint64_t *value,
		  struct policy_why *why)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	char *end;

	if (text[0] == '0' && isdigit((unsigned char)text[1]))
		return policy_bad(why, "\"%s\" begins with 0: no octal numbers; say %llu, or 0x for hex",
				  text, strtoull(text, NULL, 10));
	errno = 0;
	*value = strtoull(text, &end, hex ? 16 : 10);
	if (errno || !isdigit((unsigned char)*text) || *end || *value < min || *value > max)
		return policy_bad(why, "\"%s\" is no number from %llu to %llu", text,
				  (unsigned long long)min, (unsigned long long)max);
	return 0;
}

void *policy_settings_data(struct policy_maps *maps, struct policy_why *why)
{
	void *settings = policy_data(maps, "settings");

	if (!settings)
		policy_bad(why, "its settings cannot be read");
	return settings;
}

int policy_set_u32(struct policy_maps *maps, size_t offset, uint64_t min, uint64_t max,
		   const char *value, struct policy_why *why)
{
	uint64_t number;
	char *settings;

	if (policy_number(value, min, max, &number, why))
		return -1;
	if (!maps)
		return 0;
	settings = policy_settings_data(maps, why);
	if (!settings)
		return -1;
	__atomic_store_n((uint32_t *)(void *)(settings + offset), number, __ATOMIC_SEQ_CST);
	return 0;
}
