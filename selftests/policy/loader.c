// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=debian DEVICES="soft=1" TIMEOUT=900 */
/*
 * accelctl policy load, set and unload, several at a time, and killed at each of their
 * steps: who has ended with 0 has a policy that is attached and pinned; what a killed one
 * leaves is used or mended by the next, and its limit never was gone.
 */
#include <sys/syscall.h>

#include "steps.h"
#include "tenants.h"

#define PINS		"/sys/fs/bpf/accelerator-policies"
#define BPF_OBJ_PIN	6
#define BPF_LINK_UPDATE	29
#define BPF_LINK_DETACH	34

static struct dev_info dev;

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

/* Attached, pinned, and with its own books: what "load" promises. */
static bool is_whole(const char *name)
{
	struct json_node *all = policy_json(name);
	bool whole = all && json_at(all, "policies.0.own.level");
	char path[128];

	json_free(all);
	snprintf(path, sizeof(path), PINS "/%s/link", name);
	return whole && exists(path);
}

static pid_t start(char *const *words)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(126);
		execvp(words[0], words);
		_exit(127);
	}
	return pid;
}

/* Some load it at the same time, where there is none; the others' errors take nothing away. */
static void parallel(void)
{
	static char *const load[] = { "accelctl", "policy", "load", "pin-limit", "default=1M", NULL };
	static char *const unload[] = { "accelctl", "policy", "unload", "pin-limit", NULL };
	int gone = 0, failed = 0, left = 0, n = 6;
	pid_t pids[4];

	for (int i = 0; i < n; i++) {
		int num = 2 + i % 3, well = 0;

		for (int k = 0; k < num; k++)
			pids[k] = start(load);
		for (int k = 0; k < num; k++)
			well += tenant_end(pids[k]) == 0;
		failed += well != num;
		gone += well && !is_whole("pin-limit");
		/* and the same of unload: one of them has it */
		for (int k = 0; k < 2; k++)
			pids[k] = start(unload);
		well = (tenant_end(pids[0]) == 0) + (tenant_end(pids[1]) == 0);
		failed += well != 1;
		left += exists(PINS);
	}
	tap_is(gone, 0, "loaded by 2 to 4 at a time, %d times: there it is", n);
	tap_is(failed, 0, "and all of them agree");
	tap_is(left, 0, "of what was unloaded nothing is left");
}

static bool is_step(const struct user_regs_struct *r)
{
	switch (r->orig_rax) {
	case SYS_bpf:
		return r->rdi == BPF_OBJ_PIN || r->rdi == BPF_LINK_UPDATE || r->rdi == BPF_LINK_DETACH;
	case SYS_mkdir:
	case SYS_rename:
	case SYS_renameat2:
	case SYS_unlink:
	case SYS_rmdir:
		return true;
	}
	return false;
}

static int quiet(const char *words)
{
	char out[4096];

	return run(out, sizeof(out), "accelctl policy %s", words);
}

/* Is what was there before enforced: no more than a page? */
static bool one_page_only(void)
{
	char *p = pages(2 * PAGE);
	int fd = dev_open(dev.name);
	bool ok = fd >= 0 && dev_pin(fd, p, 2 * PAGE, RW, NULL) == -EDQUOT &&
		  dev_pin(fd, p, PAGE, RW, NULL) == 0;

	close(fd);
	munmap(p, 2 * PAGE);
	return ok;
}

static void load_killed(void)
{
	static char *const load[] = { "accelctl", "policy", "load", "pin-limit", "default=4K", NULL };
	int steps = 0, stuck = 0, left = 0;

	for (;; steps++) {
		if (!steps_killed_at(load, is_step, steps))
			break;
		/* every other time there is nothing but to take it away */
		if (steps % 2) {
			quiet("unload pin-limit");
			left += exists(PINS);
			continue;
		}
		stuck += quiet("load pin-limit default=4K") != 0 || !is_whole("pin-limit") ||
			 !one_page_only();
		stuck += quiet("unload pin-limit") != 0;
		left += exists(PINS);
	}
	tap_is(stuck, 0, "load: works after one that was killed");
	tap_is(left, 0, "load: unload takes all away");
	tap_ok(steps >= 9, "load: killed at its steps up to the %d.", steps);
	quiet("unload pin-limit");
}

/* The limit holds at each step. After that, accelctl shows and sets what holds. */
static void replace_killed(const char *how)
{
	char *const load[] = {
		"accelctl", "policy", "load", "pin-limit", "default=4K", (char *)how, NULL,
	};
	int steps = 0, free = 0, stuck = 0, stale = 0, left = 0, n = 0;

	for (;; steps++) {
		/* anew only now and then: a load costs a second here */
		if (quiet(n % 4 ? "set pin-limit default=4K" : "load pin-limit default=4K"))
			tap_bail("no pin-limit");
		if (!steps_killed_at(load, is_step, steps))
			break;
		free += !one_page_only();
		stale += !is_whole("pin-limit");
		stale += policy_figure("pin-limit", "own.default") != 4096;
		/* what is set now has to be what is asked */
		stuck += steps % 2 ? quiet("load pin-limit default=8K") != 0 :
				     quiet("set pin-limit default=8K") != 0;
		stuck += !is_whole("pin-limit") || one_page_only();
		stale += policy_figure("pin-limit", "own.default") != 8192;
		stuck += exists(PINS "/pin-limit~");
		if (++n % 4 == 0) {
			stuck += quiet("unload pin-limit") != 0;
			left += exists(PINS);
		}
	}
	stuck += quiet("unload pin-limit") != 0;
	left += exists(PINS);
	tap_is(free, 0, "replaced, %s: the limit holds at each step", how ? how : "in its place");
	tap_is(stale, 0, "  what is shown is what decides");
	tap_is(stuck, 0, "  and can be set and replaced again");
	tap_is(left, 0, "  and unloaded");
	tap_ok(steps >= 10, "  killed at its steps up to the %d.", steps);
}

static void unload_killed(void)
{
	static char *const unload[] = { "accelctl", "policy", "unload", "pin-limit", NULL };
	int steps = 0, stuck = 0, left = 0;

	for (;; steps++) {
		if (quiet("load pin-limit default=4K"))
			tap_bail("no pin-limit");
		if (!steps_killed_at(unload, is_step, steps))
			break;
		/* cut and still pinned: what is loaded is new */
		if (steps % 2)
			stuck += quiet("load pin-limit default=4K") != 0 || !is_whole("pin-limit");
		stuck += quiet("unload pin-limit") != 0 && exists(PINS);
		left += exists(PINS) || quiet("show pin-limit") != 1;
	}
	tap_is(stuck, 0, "unload: works after one that was killed, and so does load");
	tap_is(left, 0, "unload: all is gone");
	tap_ok(steps >= 5, "unload: killed at its steps up to the %d.", steps);
}

/* What fails has changed nothing of what is there. */
static void in_vain(void)
{
	accelctl("load pin-limit default=4K");
	accelctl_fails("load pin-limit default=8K device=a,b", 2, "no pattern of names");
	tap_is(policy_figure("pin-limit", "own.default"), 4096, "the setting is as it was");
	tap_ok(one_page_only() && is_whole("pin-limit"), "and so is the limit");
	tap_ok(!exists(PINS "/pin-limit~"), "and nothing is left of the attempt");
	accelctl("unload pin-limit");
}

static bool one_device(const char *name)
{
	struct json_node *all = policy_json(name);
	bool one = all && !strcmp(json_text_at(all, "policies.0.device"), dev.name);

	json_free(all);
	return one;
}

/* A map whose length was a setting keeps it. What would lose anything has to be asked for. */
static void books(void)
{
	accelctl("load audit entries=5000");
	close(dev_open(dev.name));
	accelctl("load audit priority=5");
	tap_is(policy_figure("audit", "own.entries"), 5000, "the length stays");
	tap_ok(policy_figure("audit", "own.records.0.number") == 1, "and what is recorded");
	accelctl_fails("load audit entries=7", 2, "accelctl policy unload audit first");
	accelctl("load audit entries=7 books=new");
	tap_is(policy_figure("audit", "own.entries"), 7, "anew, with another length");
	tap_ok(policy_figure("audit", "own.records.0.number") == UINT64_MAX, "and nothing recorded");
	accelctl("unload audit");

	accelctl("load pin-limit device=%s priority=7", dev.name);
	accelctl("load pin-limit default=4K");
	tap_is(policy_figure("pin-limit", "priority"), 7, "the priority stays");
	accelctl("load pin-limit priority=-7");
	tap_ok(one_device("pin-limit"), "and so does the device");
	accelctl("unload pin-limit");

	accelctl("load pin-limit default=4K level=2");
	accelctl("load pin-limit books=new");
	tap_is(policy_figure("pin-limit", "own.level"), 1, "anew: the level is the usual one");
	accelctl_fails("load pin-limit books=old", 2, "there is books=new only");
	accelctl("unload pin-limit");

	accelctl("load " AREA "/unpinned.bpf.o name=form");
	accelctl_fails("load " AREA "/probe.bpf.o name=form", 1, "say books=new");
	tap_ok(exists(PINS "/form/books"), "another form: what is there stays");
	accelctl("load " AREA "/probe.bpf.o name=form books=new");
	tap_ok(exists(PINS "/form/probe") && !exists(PINS "/form/books"), "until that is asked for");
	accelctl("unload form");
}

/* Cut by somebody else: its pins are left, and in nobody's way. */
static void cut(void)
{
	uint64_t link;
	int fd;

	accelctl("load pin-limit default=4K");
	link = policy_figure("pin-limit", "link_id");
	fd = bpf_link_get_fd_by_id(link);
	tap_is(bpf_link_detach(fd), 0, "its link is cut");
	close(fd);
	accelctl_fails("set pin-limit default=8K", 1, "has loaded no policy");
	accelctl("load pin-limit default=8K");
	tap_ok(is_whole("pin-limit"), "and it is loaded as if it had never been there");
	tap_ok(policy_figure("pin-limit", "link_id") != link, "with another link");
	accelctl("unload pin-limit");
	tap_ok(!exists(PINS), "of which nothing is left");
}

/* A file's own name for its policy is checked as one that is given. */
static void own_name(void)
{
	accelctl_fails("load " AREA "/outside.bpf.o", 1, "../outside: a name is 1 to 15 letters");
	accelctl("load " AREA "/outside.bpf.o name=inside");
	tap_ok(exists(PINS "/inside/link"), "by another name it is pinned where it belongs");
	accelctl("unload inside");
}

int main(void)
{
	policy_begin();
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	own_name();
	in_vain();
	books();
	cut();
	parallel();
	load_killed();
	replace_killed(NULL);
	replace_killed("books=new");
	unload_killed();
	return tap_done();
}
