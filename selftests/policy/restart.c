// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=120 */
/*
 * What is set for a cgroup ends with it, and a service that is started again has another one of
 * the same path: accelctl shows that it is gone, by the path that it had, and "refresh", as each
 * "set" does, sets it for the one that is there.
 */
#include "tenants.h"

static struct dev_info dev;

static void again(void)
{
	if (rmdir(CGROUPS "/service") || mkdir(CGROUPS "/service", 0755))
		tap_bail("no /service: %s", strerror(errno));
}

static void pin_two(void *arg)
{
	int fd = dev_open(dev.name);

	(void)arg;
	_exit(-dev_pin(fd, pages(2 * PAGE), 2 * PAGE, RW, NULL));
}

static int pins(void)
{
	return -tenant_end(tenant("/service", pin_two, NULL));
}

static void two_jobs(void *arg)
{
	int fd = dev_open(dev.name), ret;

	(void)arg;
	ret = nop_submit(fd, 0, NULL);
	_exit(-(ret ? ret : nop_submit(fd, 0, NULL)));
}

static int jobs(void)
{
	return -tenant_end(tenant("/service", two_jobs, NULL));
}

/* A yes or no of the row of /service; -1: there is no such row. */
static int row_says(const char *name, const char *list, const char *key, const char *row_name,
		    const char *what)
{
	struct json_node *all = policy_json(name);
	const struct json_node *rows, *row, *node;
	char path[64];
	int says = -1;

	snprintf(path, sizeof(path), "policies.0.own.%s", list);
	rows = all ? json_at(all, path) : NULL;
	row = rows ? json_find(rows, key, row_name) : NULL;
	node = row ? json_at(row, what) : NULL;
	if (node)
		says = node->kind == JSON_TRUE;
	json_free(all);
	return says;
}

static int gone(const char *name, const char *list)
{
	return row_says(name, list, "cgroup", "/service", "gone");
}

static void limit(void)
{
	char out[4096];

	accelctl("load pin-limit /service=%lu", PAGE);
	tap_is(pins(), -EDQUOT, "pin-limit: a limit");
	tap_is(gone("pin-limit", "cgroups"), 0, "  which is shown");
	again();
	tap_is(pins(), 0, "  is gone with its cgroup");
	tap_is(gone("pin-limit", "cgroups"), 1, "  which is shown, by its path");
	run(out, sizeof(out), "accelctl policy show pin-limit");
	tap_ok(strstr(out, "/service (gone)"), "  to people, too");
	accelctl("refresh pin-limit");
	tap_is(pins(), -EDQUOT, "  and is there again");
	tap_is(gone("pin-limit", "cgroups"), 0, "  for the one that is");
	again();
	accelctl("set pin-limit default=1G");
	tap_is(pins(), -EDQUOT, "  set does so, too");
	again();
	accelctl("load pin-limit priority=1");
	tap_is(pins(), -EDQUOT, "  and load, over one that is there");
	rmdir(CGROUPS "/service");
	accelctl("set pin-limit /service=default");
	tap_is(gone("pin-limit", "cgroups"), -1, "  of one that is gone it can be taken back");
	accelctl_fails("set pin-limit /service=default", 1, "there is no cgroup /service");
	mkdir(CGROUPS "/service", 0755);
	accelctl("unload pin-limit");
}

static void rate(void)
{
	accelctl("load job-rate rate=max /service=1/h,1");
	tap_is(gone("job-rate", "cgroups"), 0, "job-rate: a rate, of which there is no job yet");
	again();
	tap_is(gone("job-rate", "cgroups"), 1, "  which is gone with its cgroup");
	tap_is(jobs(), 0, "  and holds nobody up");
	accelctl("refresh job-rate");
	again();
	accelctl("refresh job-rate");
	tap_is(jobs(), -EAGAIN, "  but for the one that is there again");
	accelctl("unload job-rate");
}

static void share(void)
{
	accelctl("load fair-share /service=300");
	tap_is(gone("fair-share", "weights"), 0, "fair-share: a weight");
	again();
	tap_is(gone("fair-share", "weights"), 1, "  is gone with its cgroup");
	accelctl("refresh fair-share");
	tap_is(gone("fair-share", "weights"), 0, "  and is there again");
	tap_is(jobs(), 0, "  jobs");
	tap_is(cgroup_figure("fair-share", "tenants", "/service", "weight"), 300, "  have it");
	accelctl("unload fair-share");
}

static void filter(void)
{
	static const char rule[] = "0,cgroup=/service";

	accelctl("load ioctl-filter deny=%s", rule);
	tap_is(pins(), -EPERM, "ioctl-filter: a rule");
	again();
	tap_is(pins(), 0, "  is gone with its cgroup");
	tap_is(row_says("ioctl-filter", "rules", "deny", rule, "gone"), 1, "  which is shown");
	accelctl("refresh ioctl-filter");
	tap_is(pins(), -EPERM, "  and is there again");
	tap_is(row_says("ioctl-filter", "rules", "deny", rule, "gone"), 0, "  which is shown");
	rmdir(CGROUPS "/service");
	accelctl("set ioctl-filter allow=%s", rule);
	tap_is(row_says("ioctl-filter", "rules", "deny", rule, "gone"), -1,
	       "  of one that is gone it can be taken away");
	mkdir(CGROUPS "/service", 0755);
	accelctl("unload ioctl-filter");
}

int main(void)
{
	policy_begin();
	mkdir(CGROUPS "/service", 0755);
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	limit();
	rate();
	share();
	filter();
	return tap_done();
}
