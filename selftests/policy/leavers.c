// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=120 */
/*
 * Who opens a file in a cgroup, leaves it for the one above and removes it is still whose it was:
 * for rules of ioctl-filter, for job-rate, fair-share and pin-limit. Of a file that was open
 * before the policy came nobody can tell any more: it is refused.
 */
#include "tenants.h"

static struct dev_info dev;

/* What parent and child tell each other. */
static struct {
	volatile int left, go;
	int ret[6];
} *talk;

struct leaver {
	const char *cgroup;
	void (*work)(int fd);
};

static void leave(void *arg)
{
	const struct leaver *l = arg;
	int fd = dev_open(dev.name);
	char dir[128];

	enter_cgroup(l->cgroup);
	snprintf(dir, sizeof(dir), CGROUPS "%s/x", l->cgroup);
	if (rmdir(dir))
		_exit(98);
	talk->left = 1;
	while (!talk->go)
		usleep(1000);
	if (fd < 0)
		_exit(97);
	l->work(fd);
	close(fd);
}

/* The child has left its cgroup, and waits. */
static pid_t begin(struct leaver *l)
{
	char x[64];
	pid_t pid;

	memset(talk, 0, sizeof(*talk));
	snprintf(x, sizeof(x), "%s/x", l->cgroup);
	pid = tenant(x, leave, l);
	while (!talk->left && !waitpid(pid, NULL, WNOHANG))
		usleep(1000);
	return pid;
}

static void end(pid_t pid)
{
	talk->go = 1;
	tap_is(tenant_end(pid), 0, "opened in a cgroup, which was left and removed");
}

static void pin(int fd)
{
	char *p = pages(2 * PAGE);

	talk->ret[0] = dev_pin(fd, p, 2 * PAGE, RW, NULL);
	talk->ret[1] = dev_pin(fd, p, PAGE, RW, NULL);
}

static void jobs(int fd)
{
	struct accel_job_wait wait;
	uint64_t job;

	for (int i = 0; i < 5; i++) {
		talk->ret[i] = nop_submit(fd, 0, &job);
		/* one that never started is not counted */
		if (!talk->ret[i])
			dev_wait(fd, job, &wait);
	}
	/* its figures, while it is there */
	talk->ret[5] = cgroup_figure("fair-share", "tenants", "/red", "jobs") != UINT64_MAX;
}

static struct leaver red_pins = { "/red", pin }, blue_pins = { "/blue", pin };
static struct leaver red_jobs = { "/red", jobs };

static void filter(void)
{
	pid_t pid;

	accelctl("load ioctl-filter deny=0,cgroup=/red");
	end(begin(&red_pins));
	tap_is(talk->ret[1], -EPERM, "ioctl-filter: a rule for the one above holds");
	end(begin(&blue_pins));
	tap_is(talk->ret[1], 0, "ioctl-filter: and for nobody else");
	accelctl("unload ioctl-filter");
	pid = begin(&red_pins);
	accelctl("load ioctl-filter deny=0,cgroup=/red deny=1,cgroup=/blue");
	end(pid);
	tap_is(talk->ret[1], -EPERM, "ioctl-filter: of a file that is older, too");
	accelctl("unload ioctl-filter");
}

static void rate(void)
{
	pid_t pid;

	accelctl("load job-rate rate=max /red=1/h,2");
	end(begin(&red_jobs));
	tap_ok(!talk->ret[0] && !talk->ret[1] && talk->ret[2] == -EAGAIN && talk->ret[4] == -EAGAIN,
	       "job-rate: the bucket is that of the one above: %d %d %d", talk->ret[0], talk->ret[1],
	       talk->ret[2]);
	tap_is(cgroup_figure("job-rate", "cgroups", "/red", "jobs"), 2, "  which has counted it");
	accelctl("unload job-rate");
	pid = begin(&red_jobs);
	accelctl("load job-rate rate=max /red=1/h,2");
	end(pid);
	tap_is(talk->ret[0], -ENOENT, "job-rate: a file that is older is refused");
	accelctl("unload job-rate");
}

static void share(void)
{
	pid_t pid;

	accelctl("load fair-share");
	end(begin(&red_jobs));
	tap_is(talk->ret[0], 0, "fair-share: a job");
	tap_ok(talk->ret[5], "fair-share: of the one above");
	accelctl("unload fair-share");
	pid = begin(&red_jobs);
	accelctl("load fair-share");
	end(pid);
	tap_is(talk->ret[0], -ENOENT, "fair-share: a file that is older is refused");
	accelctl("unload fair-share");
}

static void limit(void)
{
	pid_t pid;

	accelctl("load pin-limit /red=%lu", PAGE);
	end(begin(&red_pins));
	tap_is(talk->ret[0], -EDQUOT, "pin-limit: the limit is that of the one above");
	tap_is(talk->ret[1], 0, "pin-limit: to the byte");
	accelctl("unload pin-limit");
	pid = begin(&red_pins);
	accelctl("load pin-limit /red=%lu", PAGE);
	end(pid);
	tap_is(talk->ret[1], -ENOENT, "pin-limit: a file that is older is refused");
	accelctl("unload pin-limit");
}

int main(void)
{
	policy_begin();
	talk = shared(sizeof(*talk));
	mkdir(CGROUPS "/red", 0755);
	mkdir(CGROUPS "/blue", 0755);
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	filter();
	rate();
	share();
	limit();
	return tap_done();
}
