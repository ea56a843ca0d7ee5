// SPDX-License-Identifier: GPL-2.0-only
/* The policies that are attached, as the kernel tells them, and what they say of themselves. */
#include "policy.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/accelerator_netlink.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "genl.h"
#include "policy_list.h"
#include "table.h"

struct found {
	struct policy_info *all;
	size_t num;
};

static void parse_hook(const struct nlattr *nest, struct policy_info *info)
{
	const struct nlattr *a[ACCEL_NL_A_HOOK_MAX + 1];
	int n = info->num_hooks;

	if (n == (int)(sizeof(info->hooks) / sizeof(info->hooks[0])))
		return;		/* a newer kernel's */
	genl_attrs(NULL, nest, a, ACCEL_NL_A_HOOK_MAX);
	snprintf(info->hooks[n].name, sizeof(info->hooks[n].name), "%s",
		 genl_text(a[ACCEL_NL_A_HOOK_NAME]));
	info->hooks[n].calls = genl_uint(a[ACCEL_NL_A_HOOK_CALLS]);
	info->hooks[n].refused = genl_uint(a[ACCEL_NL_A_HOOK_REFUSED]);
	info->num_hooks++;
}

static int parse(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *a[ACCEL_NL_A_POLICY_MAX + 1], *attr;
	struct found *found = arg;
	struct policy_info *info;

	(void)cmd;
	info = realloc(found->all, (found->num + 1) * sizeof(*info));
	if (!info)
		return -ENOMEM;
	found->all = info;
	info += found->num++;
	memset(info, 0, sizeof(*info));
	genl_attrs(nlh, NULL, a, ACCEL_NL_A_POLICY_MAX);
	info->id = genl_uint(a[ACCEL_NL_A_POLICY_ID]);
	snprintf(info->name, sizeof(info->name), "%s", genl_text(a[ACCEL_NL_A_POLICY_NAME]));
	snprintf(info->device, sizeof(info->device), "%s", genl_text(a[ACCEL_NL_A_POLICY_DEVICE]));
	info->priority = genl_s32(a[ACCEL_NL_A_POLICY_PRIORITY]);
	info->link_id = genl_uint(a[ACCEL_NL_A_POLICY_LINK_ID]);
	info->bad_returns = genl_uint(a[ACCEL_NL_A_POLICY_BAD_RETURNS]);
	info->overruled = genl_uint(a[ACCEL_NL_A_POLICY_OVERRULED]);
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == ACCEL_NL_A_POLICY_HOOK)
			parse_hook(attr, info);
	return 0;
}

int policy_attached(struct policy_info **all, size_t *num)
{
	struct found found = { 0 };
	struct genl genl;
	int ret, tries = 20;

	*all = NULL;
	*num = 0;
	ret = genl_open(&genl, ACCELERATOR_FAMILY_NAME);
	if (ret)
		return fail_source(NULL, ret == -ENOENT ? -ENODEV : ret);
	do {
		found.num = 0;
		ret = genl_request(&genl, ACCEL_NL_CMD_POLICY_GET, NLM_F_DUMP, NULL, parse, &found);
		/* they changed meanwhile */
	} while (ret == -EINTR && --tries);
	if (ret) {
		ret = fail(ret == -EPERM ? EXIT_NO_PERMISSION : EXIT_FAILED, "cannot list policies: %s",
			   *genl.error ? genl.error : ret == -EINTR ?
			   "they change all the time; try again" : strerror(-ret));
		free(found.all);
	} else {
		*all = found.all;
		*num = found.num;
	}
	genl_close(&genl);
	return ret;
}

static void totals(const struct policy_info *info, uint64_t *calls, uint64_t *refused)
{
	*calls = 0;
	*refused = 0;
	for (int i = 0; i < info->num_hooks; i++) {
		*calls += info->hooks[i].calls;
		*refused += info->hooks[i].refused;
	}
}

static int list_table(const struct policy_info *all, size_t num)
{
	static const struct table_column columns[] = {
		{ "POLICY", 0 }, { "DEVICE", 0 }, { "PRIORITY", TABLE_RIGHT }, { "CALLS", TABLE_RIGHT },
		{ "REFUSED", TABLE_RIGHT }, { "BAD", TABLE_RIGHT }, { "OVERRULED", TABLE_RIGHT },
		{ "LINK", TABLE_RIGHT }, { "HOOKS", TABLE_TRUNC }, { NULL, 0 }
	};
	struct table t;
	int ret;

	if (!num) {
		puts("no policies: every call is allowed");
		return EXIT_OK;
	}
	if (table_begin(&t, columns))
		return fail(EXIT_FAILED, "no memory");
	for (size_t i = 0; i < num; i++) {
		const struct policy_info *info = &all[i];
		uint64_t calls, refused;
		char hooks[256] = "";
		size_t n = 0;

		totals(info, &calls, &refused);
		for (int h = 0; h < info->num_hooks; h++)
			n += snprintf(hooks + n, sizeof(hooks) - n, "%s%s", h ? "," : "",
				      info->hooks[h].name);
		table_row(&t);
		table_cell(&t, info->name);
		table_cell(&t, *info->device ? info->device : "*");
		table_cellf(&t, "%d", info->priority);
		table_cellf(&t, "%" PRIu64, calls);
		table_cellf(&t, "%" PRIu64, refused);
		table_cellf(&t, "%" PRIu64, info->bad_returns);
		table_cellf(&t, "%" PRIu64, info->overruled);
		if (info->link_id)
			table_cellf(&t, "%u", info->link_id);
		else
			table_cell(&t, NULL);
		table_cell(&t, hooks);
	}
	ret = table_end(&t, stdout);
	return ret ? fail(EXIT_FAILED, "cannot write the output: %s", strerror(-ret)) : EXIT_OK;
}

/* What a policy that accelctl has loaded keeps in its own maps. */
static void own(const struct policy_info *info, const struct settings *set, struct json *j)
{
	const struct policy_kind *kind = NULL;
	struct policy_maps maps;

	if (!policy_loaded(info->name, &maps, &kind) && kind) {
		if (j) {
			json_str(j, "policy", kind->name);
			json_object(j, "own");
			kind->json(&maps, j);
			json_close(j);
		} else {
			putchar('\n');
			kind->print(&maps, set);
		}
	} else if (j) {
		json_null(j, "policy");
		json_null(j, "own");
	}
	policy_maps_close(&maps);
}

static void info_json(const struct policy_info *info, const struct settings *set, struct json *j)
{
	uint64_t calls, refused;

	totals(info, &calls, &refused);
	json_object(j, NULL);
	json_str(j, "name", info->name);
	json_u64(j, "id", info->id);
	json_str(j, "device", *info->device ? info->device : "*");
	json_i64(j, "priority", info->priority);
	if (info->link_id)
		json_u64(j, "link_id", info->link_id);
	else
		json_null(j, "link_id");
	json_u64(j, "calls", calls);
	json_u64(j, "refused", refused);
	json_u64(j, "bad_returns", info->bad_returns);
	json_u64(j, "overruled", info->overruled);
	json_object(j, "hooks");
	for (int i = 0; i < info->num_hooks; i++) {
		json_object(j, info->hooks[i].name);
		json_u64(j, "calls", info->hooks[i].calls);
		json_u64(j, "refused", info->hooks[i].refused);
		json_close(j);
	}
	json_close(j);
	own(info, set, j);
	json_close(j);
}

static void show_one(const struct policy_info *info, const struct settings *set)
{
	static const struct table_column columns[] = {
		{ "HOOK", 0 }, { "CALLS", TABLE_RIGHT }, { "REFUSED", TABLE_RIGHT }, { NULL, 0 }
	};
	struct table t;

	printf("%s device=%s priority=%d link=%u bad_returns=%" PRIu64 " overruled=%" PRIu64 "\n",
	       info->name, *info->device ? info->device : "*", info->priority, info->link_id,
	       info->bad_returns, info->overruled);
	if (!table_begin(&t, columns)) {
		for (int i = 0; i < info->num_hooks; i++) {
			table_row(&t);
			table_cell(&t, info->hooks[i].name);
			table_cellf(&t, "%" PRIu64, info->hooks[i].calls);
			table_cellf(&t, "%" PRIu64, info->hooks[i].refused);
		}
		table_end(&t, stdout);
	}
	own(info, set, NULL);
}

/* All of them as a table, or @name with all that is known; JSON has everything in any case. */
int policy_show(const struct settings *set, const char *name)
{
	struct policy_info *all = NULL;
	bool found = !name;
	struct json j;
	size_t num;
	int code;

	code = policy_attached(&all, &num);
	if (code)
		return code;
	for (size_t i = 0; i < num && !found; i++)
		found = !strcmp(all[i].name, name);
	if (!found) {
		free(all);
		return fail(EXIT_FAILED, "no policy \"%s\" is attached; accelctl policy lists those that "
			    "are", name);
	}
	if (set->json) {
		json_begin(&j, stdout, JSON_PRETTY);
		json_object(&j, NULL);
		json_u64(&j, "version", 1);
		json_array(&j, "policies");
	} else if (!name) {
		code = list_table(all, num);
	}
	for (size_t i = 0; i < num; i++) {
		if (name && strcmp(all[i].name, name))
			continue;
		if (set->json)
			info_json(&all[i], set, &j);
		else if (name)
			show_one(&all[i], set);
	}
	if (set->json) {
		json_close(&j);
		json_close(&j);
		if (json_end(&j))
			code = fail(EXIT_FAILED, "cannot write the output");
	}
	free(all);
	return code;
}
