// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is pinned of a policy: in POLICY_PINS/NAME/ its maps, its struct_ops map ("ops") and its
 * link.
 *
 * What replaces it is pinned beside it, in NAME~/, with the same link, and trades places with
 * it in one step when the link has been pointed at its struct_ops map. Whenever accelctl is
 * killed, one of the two is right, and the link tells which: the one whose "ops" it has. The
 * next accelctl that changes the policy ends what was begun.
 */
#include "policy.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void policy_pins_dir(const char *name, bool next, char *dir)
{
	snprintf(dir, POLICY_DIR, POLICY_PINS "/%.*s%s", POLICY_NAME - 1, name, next ? "~" : "");
}

uint32_t policy_link_ops(int link_fd)
{
	/* struct bpf_link_info, of which older headers do not have this */
	struct {
		uint32_t type, id, prog_id, unused, map_id;
	} info = { 0 };
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(link_fd, &info, &len) ? 0 : info.map_id;
}

/* Is it what decides? */
static bool is_current(const char *dir)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	char path[POLICY_DIR + 8];
	bool current = false;
	int link, ops;

	snprintf(path, sizeof(path), "%s/link", dir);
	link = bpf_obj_get(path);
	snprintf(path, sizeof(path), "%s/ops", dir);
	ops = bpf_obj_get(path);
	if (link >= 0 && ops >= 0 && !bpf_obj_get_info_by_fd(ops, &info, &len))
		current = info.id == policy_link_ops(link);
	if (link >= 0)
		close(link);
	if (ops >= 0)
		close(ops);
	return current;
}

bool policy_pins_now(const char *name, char *dir)
{
	policy_pins_dir(name, true, dir);
	if (is_current(dir))
		return true;
	policy_pins_dir(name, false, dir);
	return is_current(dir);
}

int policy_pins_make(const char *dir)
{
	if (mkdir(POLICY_PINS, 0755)) {
		/* One of another user's, who was faster, or a policy's before this one. */
		int err = errno, code = pins_check(POLICY_PINS);

		if (code)
			return code;
		if (err != EEXIST)
			return fail(EXIT_FAILED, "cannot make %s: %s", POLICY_PINS, strerror(err));
	}
	if (mkdir(dir, 0755))
		return fail(EXIT_FAILED, "cannot make %s: %s", dir, strerror(errno));
	return EXIT_OK;
}

void policy_pins_remove(const char *dir)
{
	DIR *d = opendir(dir);
	char path[PATH_MAX];
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
			unlink(path);
		}
	if (d)
		closedir(d);
	rmdir(dir);
	/* the last one takes their common directory along */
	rmdir(POLICY_PINS);
}

int policy_pins_commit(const char *name)
{
	char dir[POLICY_DIR], next[POLICY_DIR];

	policy_pins_dir(name, false, dir);
	policy_pins_dir(name, true, next);
	if (renameat2(AT_FDCWD, next, AT_FDCWD, dir, RENAME_EXCHANGE))
		return fail(EXIT_FAILED, "cannot let %s and %s trade places: %s", next, dir,
			    strerror(errno));
	policy_pins_remove(next);
	return EXIT_OK;
}

int policy_pins_recover(const char *name)
{
	char next[POLICY_DIR];

	policy_pins_dir(name, true, next);
	if (is_current(next))
		return policy_pins_commit(name);
	if (!access(next, F_OK))
		policy_pins_remove(next);
	return EXIT_OK;
}
