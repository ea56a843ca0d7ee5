// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=2" TIMEOUT=300 */
/*
 * pin-limit: the limit is held to the byte, also by many at once; a limit of a cgroup
 * holds for all below it; limits change at run time; what was taken is given back.
 */
#include "tenants.h"

#define LIMIT	(64 * PAGE)

static struct dev_info dev, other;

struct answer {
	int ret[8];
	unsigned long long most;	/* pages that one had at a time */
	int bad;
};

static struct answer *answer;

/* Up to the limit, a page beyond it, and again after one page was given back. */
static void fill(void *arg)
{
	uint64_t limit = *(uint64_t *)arg, mem, first;
	char *p = pages(limit + PAGE);
	int fd = dev_open(dev.name);

	answer->ret[0] = dev_pin(fd, p, limit + PAGE, RW, &mem);
	answer->ret[1] = dev_pin(fd, p, PAGE, RW, &first);
	answer->ret[2] = dev_pin(fd, p, limit - PAGE, RW, &mem);
	answer->ret[3] = dev_pin(fd, p, PAGE, RW, &mem);
	answer->ret[4] = dev_unpin(fd, first);
	answer->ret[5] = dev_pin(fd, p, 2 * PAGE, RW, &mem);
	answer->ret[6] = dev_pin(fd, p, PAGE, RW, &mem);
	answer->ret[7] = cgroup_figure("pin-limit", "cgroups", "/red", "pinned_bytes") == limit;
	close(fd);
}

static void to_the_byte(const char *cgroup, uint64_t limit, const char *what)
{
	tenant_end(tenant(cgroup, fill, &limit));
	tap_is(answer->ret[0], -EDQUOT, "%s: more than the limit at once", what);
	tap_is(answer->ret[1], 0, "%s: a page", what);
	tap_is(answer->ret[2], 0, "%s: the rest, to the byte", what);
	tap_is(answer->ret[3], -EDQUOT, "%s: no page more", what);
	tap_is(answer->ret[4], 0, "%s: a page is given back", what);
	tap_is(answer->ret[5], -EDQUOT, "%s: two are too many", what);
	tap_is(answer->ret[6], 0, "%s: one can be had again", what);
}

/* Many threads' worth of processes that pin and unpin; never more than the limit. */
static void race(void *arg)
{
	uint64_t mem[16], held = 0, seed = getpid();
	char *p = pages(16 * PAGE);
	int fd = dev_open(dev.name), ret;
	unsigned long long *sum = arg;

	for (int i = times(3000, 300); i--;) {
		if (held < 16 && dev_random(&seed) % 3) {
			ret = dev_pin(fd, p + held * PAGE, PAGE, RW, &mem[held]);
			if (!ret) {
				/* what all have, counted after it was had and before it is given back */
				unsigned long long now = __atomic_add_fetch(sum, 1, __ATOMIC_SEQ_CST);

				held++;
				while (now > answer->most)
					answer->most = now;
			} else if (ret != -EDQUOT) {
				answer->bad = ret;
			}
		} else if (held) {
			__atomic_sub_fetch(sum, 1, __ATOMIC_SEQ_CST);
			dev_unpin(fd, mem[--held]);
		}
	}
	__atomic_sub_fetch(sum, held, __ATOMIC_SEQ_CST);
	close(fd);
}

static void raced(void)
{
	unsigned long long *sum = shared(sizeof(*sum));
	pid_t pids[6];

	accelctl("set pin-limit /red=%lu", 20 * PAGE);
	memset(answer, 0, sizeof(*answer));
	for (int i = 0; i < 6; i++)
		pids[i] = tenant(i % 2 ? "/red" : "/red/in", race, sum);
	for (int i = 0; i < 6; i++)
		tenant_end(pids[i]);
	tap_is(answer->bad, 0, "raced: pins fail with EDQUOT only");
	tap_is(answer->most, 20, "raced: of %d pages, so many were had at a time, and no more", 20);
	tap_ok(policy_figure("pin-limit", "refused") > 20, "raced: others were refused: %llu",
	       (unsigned long long)policy_figure("pin-limit", "refused"));
}

/* The tenant tries to get more by making sub-cgroups. */
static void evade(void *arg)
{
	uint64_t mem;
	char *p = pages(LIMIT);
	int fds[4];

	(void)arg;
	for (int i = 0; i < 4; i++) {
		char sub[64];

		snprintf(sub, sizeof(sub), "/red/sub%d", i);
		enter_cgroup(sub);
		fds[i] = dev_open(dev.name);
		answer->ret[i] = dev_pin(fds[i], p, LIMIT / 2, RW, &mem);
	}
}

static void hold(void *arg)
{
	uint64_t mem;
	int fd = dev_open(dev.name);

	(void)arg;
	answer->ret[0] = dev_pin(fd, pages(LIMIT), LIMIT, RW, &mem);
	answer->ret[1] = 1;
	while (answer->ret[2] == 0)
		usleep(10000);
	answer->ret[3] = dev_pin(fd, pages(PAGE), PAGE, RW, &mem);
	answer->ret[4] = 1;
	while (answer->ret[2] == 1)
		usleep(10000);
	answer->ret[5] = dev_pin(fd, pages(PAGE), PAGE, RW, &mem);
	close(fd);
}

/* Limits of two tenants, and of one while it runs. */
static void run_time(void)
{
	pid_t pid;

	memset(answer, 0, sizeof(*answer));
	pid = tenant("/blue", hold, NULL);
	while (!answer->ret[1])
		usleep(10000);
	tap_is(answer->ret[0], 0, "blue has what red could not have");
	accelctl("set pin-limit /blue=%lu", LIMIT);
	answer->ret[2] = 1;
	while (!answer->ret[4])
		usleep(10000);
	tap_is(answer->ret[3], -EDQUOT, "a limit that is set later counts what is there");
	accelctl("set pin-limit /blue=%lu", LIMIT + PAGE);
	answer->ret[2] = 2;
	tenant_end(pid);
	tap_is(answer->ret[5], 0, "and one that is raised holds at once");
	accelctl("set pin-limit /blue=default");
}

/* A file that is older than the policy: what it pins from now on counts. */
static void older(void)
{
	int fd = dev_open(dev.name);
	char *p = pages(2 * LIMIT);
	uint64_t mem, more;

	tap_is(dev_pin(fd, p, PAGE, RW, &mem), 0, "before there is a policy");
	accelctl("load pin-limit default=%lu", LIMIT);
	tap_is(dev_pin(fd, p, LIMIT + PAGE, RW, &more), -EDQUOT, "a file that is older is limited");
	tap_is(dev_pin(fd, p, LIMIT, RW, &more), 0, "to the byte");
	tap_is(dev_pin(fd, p, PAGE, RW, &more), -EDQUOT, "and no page more");
	tap_is(dev_unpin(fd, mem), 0, "what is older was never counted");
	tap_is(dev_pin(fd, p, PAGE, RW, &more), -EDQUOT, "so it gives no room");
	close(fd);
	tap_is(cgroup_figure("pin-limit", "cgroups", "/", "pinned_bytes"), 0, "closing gives all back");
}

/* Loading it again, with another default, keeps the books. */
static void again(void)
{
	int fd = dev_open(dev.name);
	char *p = pages(2 * LIMIT);
	uint64_t mem, link = policy_figure("pin-limit", "link_id");

	tap_is(dev_pin(fd, p, LIMIT, RW, &mem), 0, "all that the limit allows");
	accelctl("load pin-limit default=%lu", LIMIT + 2 * PAGE);
	tap_is(policy_figure("pin-limit", "link_id"), link, "replaced in place: the same link");
	tap_is(dev_pin(fd, p, 3 * PAGE, RW, &mem), -EDQUOT, "the new one knows what is pinned");
	tap_is(dev_pin(fd, p, 2 * PAGE, RW, &mem), 0, "to the byte");
	close(fd);
	tap_is(cgroup_figure("pin-limit", "cgroups", "/", "pinned_bytes"), 0,
	       "and what the old one allowed is given back to the new one");
	accelctl_fails("load pin-limit level=2", 2, "accelctl policy unload pin-limit first");
}

/* A replacement that is for another device is told of what was pinned on this one. */
static void narrower(void)
{
	int fd = dev_open(dev.name);
	uint64_t mem, later, files = cgroup_figure("pin-limit", "cgroups", "/", "files");

	tap_is(dev_pin(fd, pages(PAGE), PAGE, RW, &mem), 0, "pinned on %s", dev.name);
	accelctl("load pin-limit device=%s", other.name);
	tap_is(dev_pin(fd, pages(2 * PAGE), 2 * PAGE, RW, &later), 0, "and when it is for %s only",
	       other.name);
	dev_unpin(fd, later);
	tap_is(cgroup_figure("pin-limit", "cgroups", "/", "pinned_bytes"), PAGE,
	       "what it was not asked about it does not hear of");
	dev_unpin(fd, mem);
	tap_is(cgroup_figure("pin-limit", "cgroups", "/", "pinned_bytes"), 0,
	       "what it has allowed, it does");
	close(fd);
	tap_is(cgroup_figure("pin-limit", "cgroups", "/", "files"), files - 1, "and of the file's end");
	accelctl("load pin-limit device=*");
}

/* More files than have a place in the table, and cgroups that come and go. */
static void many(void)
{
	static int fds[600];
	int n = times(600, 100), bad = 0;
	char *p = pages(601 * PAGE), path[64];
	uint64_t mem;

	accelctl("set pin-limit default=%lu", n * PAGE);
	for (int i = 0; i < n; i++) {
		fds[i] = dev_open(dev.name);
		/* ids go on, so that places in the table of 4096 come round */
		for (int k = 0; k < 4200 / n; k++)
			close(dev_open(dev.name));
		bad += dev_pin(fds[i], p + i * PAGE, PAGE, RW, &mem) != 0;
	}
	tap_is(bad, 0, "%d files, whose ids meet in the table, pin a page each", n);
	tap_is(dev_pin(fds[n - 1], p + n * PAGE, PAGE, RW, &mem), -EDQUOT, "which is all that there is");
	for (int i = 0; i < n; i++)
		close(fds[i]);
	tap_is(cgroup_figure("pin-limit", "cgroups", "/", "pinned_bytes"), 0, "all is given back");
	bad = 0;
	for (int i = 0; i < n / 2; i++) {
		snprintf(path, sizeof(path), "/come%d", i);
		enter_cgroup(path);
		fds[0] = dev_open(dev.name);
		bad += dev_pin(fds[0], p, PAGE, RW, &mem) != 0;
		close(fds[0]);
		enter_cgroup("/");
		snprintf(path, sizeof(path), CGROUPS "/come%d", i);
		rmdir(path);
	}
	tap_is(bad, 0, "%d cgroups that come and go", n / 2);
	tap_is(policy_figure("pin-limit", "own.cgroups.0.files"), 1,
	       "leave nothing behind: the one file that is older than the policy is left");
	tap_is(policy_figure("pin-limit", "own.cgroups.1.files"), 0, "and red, which has a limit");
	tap_is(policy_figure("pin-limit", "own.cgroups.2.files"), UINT64_MAX, "and no other");
}

static uint64_t cgroup_id(const char *path)
{
	struct stat st;
	char full[128];

	snprintf(full, sizeof(full), CGROUPS "%s", path);
	return stat(full, &st) ? 0 : st.st_ino;
}

/* Files in sub-cgroups of red, as many as there are places for cgroups whose ids meet blue's. */
static void flood(void *arg)
{
	uint64_t want = cgroup_id("/blue") % 256, limit = LIMIT / 16, mem;
	char path[64], full[128], *p = pages(LIMIT);
	int fds[16], n = 0;

	for (int i = 0; n < 16 && i < 8192; i++) {
		snprintf(path, sizeof(path), "/red/flood%d", i);
		snprintf(full, sizeof(full), CGROUPS "%s", path);
		if (mkdir(full, 0755))
			_exit(1);
		if (cgroup_id(path) % 256 != want) {
			rmdir(full);
			continue;
		}
		enter_cgroup(path);
		fds[n] = dev_open(dev.name);
		/* pages of its own: DMA debugging counts those that overlap */
		if (fds[n] < 0 || dev_pin(fds[n], p + n * limit, limit, RW, &mem))
			_exit(2);
		n++;
	}
	answer->ret[0] = n;
	answer->ret[1] = dev_pin(fds[15], p, PAGE, RW, &mem);
	*(volatile int *)arg = 1;
	while (*(volatile int *)arg == 1)
		usleep(10000);
}

static void one_page(void *arg)
{
	uint64_t mem;
	int fd = dev_open(dev.name);

	(void)arg;
	_exit(fd < 0 ? -fd : -dev_pin(fd, pages(PAGE), PAGE, RW, &mem));
}

/* A user's own sub-cgroups keep nobody else out, and get it nothing. */
static void locked_out(void)
{
	volatile int *there = shared(sizeof(*there));
	pid_t pid;

	memset(answer, 0, sizeof(*answer));
	pid = tenant("/red", flood, (void *)there);
	while (!*there && !waitpid(pid, NULL, WNOHANG))
		usleep(10000);
	tap_is(answer->ret[0], 16, "red has files in sub-cgroups whose ids meet blue's");
	tap_is(answer->ret[1], -EDQUOT, "  which all count for red");
	tap_is(-tenant_end(tenant("/blue", one_page, NULL)), 0, "  blue has its place");
	accelctl("set pin-limit /blue/deep/in=%lu", PAGE);
	tap_is(-tenant_end(tenant("/blue/deep/in", one_page, NULL)), 0, "  also what is below it");
	*there = 2;
	tap_is(tenant_end(pid), 0, "red ends");
	accelctl("set pin-limit /blue/deep/in=default");
	tap_is(cgroup_figure("pin-limit", "cgroups", "/red", "pinned_bytes"), 0, "  with all");
}

int main(void)
{
	uint64_t limit = LIMIT;

	policy_begin();
	answer = shared(sizeof(*answer));
	if (dev_find("soft", 0, &dev) || dev_find("soft", 1, &other))
		tap_bail("no soft devices");
	mkdir(CGROUPS "/red", 0755);
	mkdir(CGROUPS "/blue", 0755);
	older();
	again();
	narrower();
	accelctl("set pin-limit default=max /red=%lu", LIMIT);
	to_the_byte("/red", limit, "red");
	tap_is(answer->ret[7], 1, "red: accelctl shows it to the byte");
	to_the_byte("/red/in/deep", limit, "two levels below red");
	memset(answer, 0, sizeof(*answer));
	tenant_end(tenant("/red", evade, NULL));
	tap_ok(answer->ret[0] == 0 && answer->ret[1] == 0, "two sub-cgroups have half of it each");
	tap_ok(answer->ret[2] == -EDQUOT && answer->ret[3] == -EDQUOT,
	       "two more get nothing: %d %d", answer->ret[2], answer->ret[3]);
	accelctl("set pin-limit /red=default default=%lu", LIMIT);
	to_the_byte("/red/in", limit, "by the default, below red");
	accelctl("set pin-limit default=max /red=%lu", LIMIT);
	run_time();
	raced();
	many();
	mkdir(CGROUPS "/blue/deep", 0755);
	mkdir(CGROUPS "/blue/deep/in", 0755);
	accelctl("set pin-limit default=max /red=%lu", LIMIT);
	locked_out();
	accelctl_fails("set pin-limit default=12Q", 2, "no size such as");
	accelctl_fails("set pin-limit /nowhere=4K", 2, "there is no cgroup /nowhere");
	accelctl_fails("set pin-limit limit=4K", 2, "no setting \"limit=4K\"; there are: default=");
	accelctl_fails("set pin-limit level=2", 2, "for loading only");
	accelctl_fails("set pinlimit default=1", 1, "accelctl has loaded no policy \"pinlimit\"");
	accelctl_fails("load pin-limti", 2, "did you mean pin-limit?");
	accelctl_fails("load pin-limit name=a/b", 2, "a name is 1 to 15 letters");
	accelctl_fails("load pin-limit name=a.b", 2, "no names with a '.'");
	accelctl_fails("load pin-limit name=x device=a,b", 2, "no pattern of names");
	accelctl_fails("load pin-limit name=x device=acc[^0]", 2, "as in acc[!0]");
	accelctl_fails("unload ..", 2, "a name is 1 to 15 letters");
	accelctl_fails("set ../pin-limit default=1", 2, "a name is 1 to 15 letters");
	accelctl_fails("show pin-limit/", 2, "a name is 1 to 15 letters");
	accelctl("load pin-limit name=fifteen-letters default=0");
	accelctl_fails("unload fifteen-letters-and-more", 2, "a name is 1 to 15 letters");
	accelctl_fails("set fifteen-letters-and-more default=1", 2, "a name is 1 to 15 letters");
	tap_is(policy_figure("fifteen-letters", "own.default"), 0, "  which is none of the first 15");
	accelctl("unload fifteen-letters");
	tap_ok(!access("/sys/fs/bpf/accelerator-policies/pin-limit/link", F_OK), "and all the rest stays");
	accelctl_fails("load pin-limit priority=high", 2, "not a number");
	accelctl("load pin-limit name=second device=%s default=0", dev.name);
	tap_is(policy_figure("second", "own.default"), 0, "a second one, by another name");
	accelctl("unload second");
	accelctl("unload pin-limit");
	accelctl_fails("unload pin-limit", 1, "no policy \"pin-limit\" is attached");
	tap_ok(access("/sys/fs/bpf/accelerator-policies/pin-limit", F_OK), "nothing of it is left");
	return tap_done();
}
