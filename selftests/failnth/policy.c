// SPDX-License-Identifier: GPL-2.0-only
/* Policies: attached, replaced, detached. What fails has changed nothing. */
#include "../policy/policy.h"
#include "scene.h"

#define STRUCT_OPS	44	/* BPF_STRUCT_OPS, which headers of Debian 12's age have not */

enum which { NONE = -1, FIRST, SECOND, OTHER, POLICIES };

/* The second is to take the first's place, and to come after the other one then. */
static struct policy policies[POLICIES];
static int link_fd = -1;		/* of the first, or what took its place */
static int other_fd = -1;
static int result;			/* of what was tried */

/* Not attached, but so that a link makes a policy of it, whenever it is made. */
static void load(enum which which)
{
	struct policy *p = &policies[which];

	policy_open(p, "probe.bpf.o");
	policy_set(p, which == OTHER ? "other" : "failnth", NULL,
		   which == FIRST ? 0 : which == OTHER ? 1 : 2);
	if (policy_load(p) || policy_attach(p))
		tap_bail("probe.bpf.o: %s\n%s", strerror(errno), policy_log);
	policy_detach(p);
}

static void load_all(void)
{
	if (policies[FIRST].obj)
		return;
	policy_begin();
	for (int i = 0; i < POLICIES; i++)
		load(i);
}

static int attach(enum which which)
{
	return bpf_link_create(bpf_map__fd(policies[which].ops), 0, STRUCT_OPS, NULL);
}

static void cut(int *link)
{
	if (*link >= 0) {
		bpf_link_detach(*link);
		close(*link);
	}
	*link = -1;
}

static unsigned long long asked(enum which which)
{
	return __atomic_load_n(&policies[which].probe->calls[PROBE_OPEN], __ATOMIC_RELAXED);
}

static int open_soft(void)
{
	struct dev_info dev;
	int fd = dev_find("soft", 0, &dev) ? -ENODEV : dev_open(dev.name);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

/* Of the first and the second, an open is put to that one, once, and not to the other. */
static void must_ask(enum which which)
{
	unsigned long long before[] = { asked(FIRST), asked(SECOND) };
	int ret = open_soft();

	if (ret)
		tap_bail("open: %s", strerror(-ret));
	for (int i = FIRST; i <= SECOND; i++)
		if (asked(i) - before[i] != (i == (int)which))
			tap_bail("policy %d is asked %llu times where %d is attached", i,
				 asked(i) - before[i], which);
}

/* Who is asked first hears of what the other one refuses; who comes after that does not. */
static void must_come_first(enum which which, bool first)
{
	unsigned long long before = asked(which);
	int ret;

	policies[OTHER].probe->answer[PROBE_OPEN] = -EDQUOT;
	ret = open_soft();
	policies[OTHER].probe->answer[PROBE_OPEN] = 0;
	if (ret != -EDQUOT || asked(which) - before != first)
		tap_bail("policy %d is not asked %s: %d", which, first ? "first" : "last", ret);
}

void policy_hold(void)
{
	load_all();
	link_fd = attach(FIRST);
	if (link_fd < 0)
		tap_bail("attach: %s", strerror(-link_fd));
}

void policy_let_go(void)
{
	must_ask(FIRST);
	cut(&link_fd);
	must_ask(NONE);
}

static int run_attach(const void *arg)
{
	(void)arg;
	link_fd = attach(FIRST);
	return link_fd < 0 ? link_fd : 0;
}

static void undo_attach(const void *arg)
{
	(void)arg;
	must_ask(link_fd < 0 ? NONE : FIRST);
	cut(&link_fd);
	must_ask(NONE);
}

static void prepare_both(const void *arg)
{
	(void)arg;
	policy_hold();
	other_fd = attach(OTHER);
	if (other_fd < 0)
		tap_bail("attach: %s", strerror(-other_fd));
}

static int run_replace(const void *arg)
{
	(void)arg;
	result = bpf_link_update(link_fd, bpf_map__fd(policies[SECOND].ops), NULL);
	return result;
}

static void undo_replace(const void *arg)
{
	(void)arg;
	must_ask(result ? FIRST : SECOND);
	must_come_first(result ? FIRST : SECOND, result);
	cut(&other_fd);
	cut(&link_fd);
	must_ask(NONE);
}

static void prepare_attached(const void *arg)
{
	(void)arg;
	policy_hold();
}

static int run_detach(const void *arg)
{
	(void)arg;
	result = bpf_link_detach(link_fd);
	return result;
}

static void undo_detach(const void *arg)
{
	(void)arg;
	must_ask(result ? FIRST : NONE);
	cut(&link_fd);
	must_ask(NONE);
}

void sweep_policy(void)
{
	static const struct scene scenes[] = {
		{ .name = "attach a policy", .run = run_attach, .undo = undo_attach },
		{ .name = "replace a policy", .prepare = prepare_both, .run = run_replace,
		  .undo = undo_replace },
		{ .name = "detach a policy", .prepare = prepare_attached, .run = run_detach,
		  .undo = undo_detach },
	};

	load_all();
	for (unsigned int i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		scene_sweep(&scenes[i]);
}
