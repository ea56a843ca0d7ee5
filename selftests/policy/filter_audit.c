// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=2" TIMEOUT=120 */
/*
 * ioctl-filter: rules by device, user and cgroup, and by several of them at once. audit: who
 * opened what, in order, the last ones, with whose file was closed when.
 */
#include <grp.h>

#include "tenants.h"

#define ALICE	1001
#define BOB	1002
#define ACCEL	900

static struct dev_info dev, other;

struct request {
	const char *dev;
	int uid;
};

/* Its exit code is the errno of a pin. */
static void pin(void *arg)
{
	const struct request *r = arg;
	gid_t group = ACCEL;
	uint64_t mem;
	int fd, ret;

	if (r->uid && (setgroups(1, &group) || setgid(ACCEL) || setuid(r->uid)))
		_exit(99);
	fd = dev_open(r->dev);
	ret = fd < 0 ? fd : dev_pin(fd, pages(PAGE), PAGE, RW, &mem);
	_exit(-ret);
}

static int pin_as(const char *cgroup, const char *name, int uid)
{
	struct request r = { name, uid };

	return -tenant_end(tenant(cgroup, pin, &r));
}

static bool has_rule(const char *rule)
{
	struct json_node *all = policy_json("ioctl-filter");
	const struct json_node *list = all ? json_at(all, "policies.0.own.rules") : NULL;
	bool has = list && json_find(list, "deny", rule);

	json_free(all);
	return has;
}

/* MEM_PIN is number 0. */
static void filter(void)
{
	char out[4096], rule[600];
	uint64_t mem;
	int fd;

	accelctl("load ioctl-filter");
	tap_is(pin_as("/", dev.name, 0), 0, "no rules: allowed");
	accelctl("set ioctl-filter deny=0");
	tap_is(pin_as("/red", dev.name, 0), -EPERM, "a rule for all");
	fd = dev_open(dev.name);
	tap_is(nop_submit(fd, 0, NULL), 0, "  but for this number only");
	close(fd);
	accelctl("set ioctl-filter allow=0");
	tap_is(pin_as("/", dev.name, 0), 0, "  until it is taken away");

	accelctl("set ioctl-filter deny=0,device=%s,errno=EACCES", dev.name);
	tap_is(pin_as("/", dev.name, 0), -EACCES, "by device, with an errno");
	tap_is(pin_as("/", other.name, 0), 0, "  not another device");
	accelctl("set ioctl-filter allow=all deny=0,user=alice");
	tap_is(pin_as("/", dev.name, ALICE), -EPERM, "by user");
	tap_is(pin_as("/", dev.name, BOB), 0, "  not another user");
	accelctl("set ioctl-filter allow=all deny=0,cgroup=/red/in");
	tap_is(pin_as("/red/in", dev.name, 0), -EPERM, "by cgroup");
	tap_is(pin_as("/red/in/deep", dev.name, 0), -EPERM, "  and what is below it");
	tap_is(pin_as("/red", dev.name, 0), 0, "  not what is above it");
	tap_is(pin_as("/blue", dev.name, 0), 0, "  nor another");
	accelctl("set ioctl-filter allow=all deny=0,cgroup=/red,user=1002,device=%s", dev.name);
	tap_is(pin_as("/red", dev.name, BOB), -EPERM, "by all three");
	tap_is(pin_as("/red", dev.name, ALICE), 0, "  not if the user is another");
	tap_is(pin_as("/blue", dev.name, BOB), 0, "  nor if the cgroup is");
	tap_is(pin_as("/red", other.name, BOB), 0, "  nor if the device is");
	tap_is(policy_figure("ioctl-filter", "own.rules.0.refused"), 1, "it counts");
	run(out, sizeof(out), "accelctl policy show ioctl-filter");
	tap_ok(strstr(out, "0,device=acc0,user=bob,cgroup=/red"), "accelctl shows the rule");

	fd = dev_open(dev.name);
	accelctl("set ioctl-filter deny=0,errno=EBUSY");
	tap_is(dev_pin(fd, pages(PAGE), PAGE, RW, &mem), -EBUSY, "a rule holds for open files");
	close(fd);
	accelctl_fails("set ioctl-filter allow=5", 1, "no rule is exactly that");
	accelctl_fails("set ioctl-filter deny=010", 2, "no octal numbers; say 10");
	accelctl_fails("set ioctl-filter deny=+1", 2, "no number from 0 to 255");
	accelctl_fails("set ioctl-filter deny=0,device=acc00", 2, "not the name of one device");
	accelctl_fails("set ioctl-filter deny=0,device=acc0x0", 2, "not the name of one device");
	accelctl("set ioctl-filter deny=0x1f,device=acc0");
	tap_ok(has_rule("31,device=acc0"), "  hexadecimal");
	accelctl_fails("set ioctl-filter deny=256", 2, "no number from 0 to 255");
	accelctl_fails("set ioctl-filter deny=1,user=nobodyatall", 2, "no such user");
	accelctl_fails("set ioctl-filter deny=1,cgroup=/nowhere", 2, "there is no cgroup");
	accelctl_fails("set ioctl-filter deny=1,group=x", 2, "not device=, user=, cgroup= or errno=");
	accelctl_fails("set ioctl-filter deny=1,errno=EWHAT", 2, "not EPERM");
	/* cut off anywhere in the middle, it would be a rule for /red */
	snprintf(rule, sizeof(rule), "set ioctl-filter deny=1,cgroup=/red%0*d/in", 550, 0);
	memset(strstr(rule, "/red") + 4, '/', 550);
	accelctl_fails(rule, 2, "bytes, and may have 511 at most");
	tap_ok(!has_rule("1,cgroup=/red"), "  and sets none");
	accelctl("unload ioctl-filter");
}

static void audit(void)
{
	struct json_node *all;
	const struct json_node *list, *row;
	uint64_t number, want = 0;
	int n = 0, ordered = 1, fd;

	accelctl("load audit entries=5");
	for (int i = 0; i < 4; i++)
		close(dev_open(dev.name));
	accelctl("load ioctl-filter deny=0");
	tap_is(pin_as("/red/in", other.name, ALICE), -EPERM, "alice, in /red/in");
	for (int i = 0; i < 2; i++)
		close(dev_open(other.name));
	fd = dev_open(dev.name);
	all = policy_json("audit");
	list = all ? json_at(all, "policies.0.own.records") : NULL;
	for (row = list ? list->first : NULL; row; row = row->next, n++) {
		number = json_u64_at(row, "number");
		ordered &= !want || number == want;
		want = number + 1;
	}
	tap_is(n, 5, "the last five");
	tap_ok(ordered, "in their order, without a gap");
	tap_is(want, 9, "of eight");
	row = list ? json_find(list, "uid", "1001") : NULL;
	tap_ok(row, "alice is there");
	tap_ok(row && !strcmp(json_text_at(row, "cgroup"), "/red/in"), "  with her cgroup");
	tap_is(row ? json_u64_at(row, "device_index") : 99, other.index, "  and the device");
	tap_ok(row && !strcmp(json_text_at(row, "command"), "filter_audit"), "  and her program");
	tap_ok(row && json_u64_at(row, "closed_ns") >= json_u64_at(row, "opened_ns"), "  closed");
	row = list ? json_find(list, "number", "8") : NULL;
	tap_ok(row && json_u64_at(row, "closed_ns") == UINT64_MAX, "the last one is open");
	json_free(all);
	close(fd);
	tap_ok(policy_figure("audit", "own.records.4.closed_ns") != UINT64_MAX, "until it is closed");
	tap_is(policy_figure("audit", "refused"), 0, "it refuses nobody");
	accelctl_fails("load audit entries=7", 2, "accelctl policy unload audit first");
	accelctl_fails("load audit name=more entries=0", 2, "no number from 1");
	accelctl("unload audit");
	accelctl("unload ioctl-filter");
}

int main(void)
{
	policy_begin();
	if (dev_find("soft", 0, &dev) || dev_find("soft", 1, &other))
		tap_bail("no soft devices");
	mkdir(CGROUPS "/red", 0755);
	mkdir(CGROUPS "/red/in", 0755);
	mkdir(CGROUPS "/blue", 0755);
	filter();
	audit();
	return tap_done();
}
