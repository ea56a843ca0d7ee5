// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is set for a cgroup. Programs go by its id, which ends with it: the path that was given is
 * remembered (map "paths"), so that it can be said what is gone, and found again.
 */
#include "policy.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policies/paths.h"
#include "proc.h"

int policy_cgroup(const char *path, uint64_t *id, struct policy_why *why)
{
	if (!proc_cgroup_root())
		return policy_bad(why, "no cgroup2 is mounted: mount -t cgroup2 none /sys/fs/cgroup");
	*id = proc_cgroup_id(path);
	if (!*id)
		return policy_bad(why, "there is no cgroup %s; they are the directories of %s", path,
				  proc_cgroup_root());
	return 0;
}

/* The next one that is remembered. @begun: false before the first. */
static bool next_path(int fd, bool *begun, uint64_t *id, struct policy_cgroup_path *path)
{
	while (fd >= 0 && !bpf_map_get_next_key(fd, *begun ? id : NULL, id)) {
		*begun = true;
		if (!bpf_map_lookup_elem(fd, id, path))
			return true;
	}
	return false;
}

int policy_cgroup_was(struct policy_maps *maps, const char *path, uint64_t *id,
		      struct policy_why *why)
{
	struct policy_cgroup_path was;
	bool begun = false;

	/* it is yet to be seen whether it is remembered */
	if (!policy_cgroup(path, id, why) || !maps)
		return 0;
	while (next_path(policy_map(maps, "paths"), &begun, id, &was))
		if (!strcmp(was.text, path))
			return 0;
	return -1;
}

void policy_remember(struct policy_maps *maps, uint64_t id)
{
	const char *path = proc_cgroup_path(id);
	struct policy_cgroup_path now = { "" };
	int fd = policy_map(maps, "paths");

	if (fd < 0 || !path || strlen(path) >= sizeof(now.text))
		return;
	strcpy(now.text, path);
	bpf_map_update_elem(fd, &id, &now, BPF_ANY);
}

void policy_forget(struct policy_maps *maps, uint64_t id)
{
	int fd = policy_map(maps, "paths");

	if (fd >= 0)
		bpf_map_delete_elem(fd, &id);
}

uint64_t policy_cgroup_again(struct policy_maps *maps, uint64_t id)
{
	int fd = policy_map(maps, "paths");
	struct policy_cgroup_path was;
	uint64_t now;

	if (fd < 0 || proc_cgroup_path(id) || bpf_map_lookup_elem(fd, &id, &was))
		return 0;
	now = proc_cgroup_id(was.text);
	return now == id ? 0 : now;
}

int policy_set_own(struct policy_maps *maps, const char *name, uint64_t id, const void *value,
		   struct policy_why *why)
{
	int fd = policy_map(maps, name), ret;

	if (fd < 0)
		return policy_bad(why, "its %s cannot be read", name);
	ret = value ? bpf_map_update_elem(fd, &id, value, BPF_ANY) : bpf_map_delete_elem(fd, &id);
	if (ret && !(!value && ret == -ENOENT))
		return policy_bad(why, "its %s cannot be changed: %s", name, strerror(-ret));
	if (value)
		policy_remember(maps, id);
	else
		policy_forget(maps, id);
	return 0;
}

int policy_refresh_own(struct policy_maps *maps, const char *name)
{
	int fd = policy_map(maps, name), again = 0;
	uint64_t id, next, now;
	bool more;
	char value[64];

	if (fd < 0)
		return 0;
	for (more = !bpf_map_get_next_key(fd, NULL, &id); more; id = next) {
		more = !bpf_map_get_next_key(fd, &id, &next);
		now = policy_cgroup_again(maps, id);
		if (!now || bpf_map_lookup_elem(fd, &id, value))
			continue;
		/* what was set for it since it has come back stays */
		bpf_map_update_elem(fd, &now, value, BPF_NOEXIST);
		bpf_map_delete_elem(fd, &id);
		policy_forget(maps, id);
		policy_remember(maps, now);
		again++;
	}
	return again;
}

bool policy_path(struct policy_maps *maps, uint64_t id, char *text, size_t size)
{
	const char *path = proc_cgroup_path(id);
	struct policy_cgroup_path was;
	int fd;

	if (path) {
		snprintf(text, size, "%s", path);
		return true;
	}
	fd = maps ? policy_map(maps, "paths") : -1;
	if (fd >= 0 && !bpf_map_lookup_elem(fd, &id, &was))
		snprintf(text, size, "%s", was.text);
	else
		snprintf(text, size, "#%llu", (unsigned long long)id);
	return false;
}

const char *policy_path_text(struct policy_maps *maps, uint64_t id, char *text, size_t size)
{
	size_t n;

	if (policy_path(maps, id, text, size) || *text == '#')
		return text;
	n = strlen(text);
	snprintf(text + n, size - n, " (gone)");
	return text;
}

void policy_path_json(struct policy_maps *maps, uint64_t id, struct json *j)
{
	char text[256];
	bool there = policy_path(maps, id, text, sizeof(text));

	json_str(j, "cgroup", text);
	json_u64(j, "cgroup_id", id);
	json_bool(j, "gone", !there);
}
