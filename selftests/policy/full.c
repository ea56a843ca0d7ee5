// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=debian DEVICES="soft=1" TIMEOUT=240 */
/*
 * job-rate and fair-share have no place left: who has none is refused, and nobody gets a job
 * through that is not counted. A tenant alone cannot take all of them. And what they and
 * pin-limit do where nobody has said how much: without accelctl, settings are 0.
 *
 * Not on the instrumented kernel: to fill maps of 262,144 entries takes it eight minutes, and
 * maps are not what it is to check.
 */
#include "policies/job_rate.h"
#include "tenants.h"

#define PINS		"/sys/fs/bpf/accelerator-policies"
#define OBJECTS		"/usr/lib/accelerator/policies"
#define HOUR_NS		3600000000000ULL

/* POLICY_TENANT_JOBS of bpf/accel_policy.h; and jobs of a file, of the core */
#define TENANT_JOBS	8192
#define FILE_JOBS	4096

static struct dev_info dev;

/* A job that never starts costs nothing: with @arg it has to. */
static void job(void *arg)
{
	struct accel_job_wait wait;
	int fd = dev_open(dev.name);
	uint64_t id;
	int ret = fd < 0 ? fd : nop_submit(fd, 0, &id);

	if (!ret && arg)
		ret = dev_wait(fd, id, &wait);
	_exit(-ret);
}

static int job_of(const char *cgroup)
{
	return -tenant_end(tenant(cgroup, job, &dev));
}

/* Keys of nobody's. */
#define FIRST	(1ULL << 63)

static int map_of(const char *policy, const char *map)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), PINS "/%s/%s", policy, map);
	fd = bpf_obj_get(path);
	if (fd < 0)
		tap_bail("%s: %s", path, strerror(errno));
	return fd;
}

/* All places that are left; how many. */
static uint64_t fill(int fd, const void *value)
{
	uint64_t n = 0, key = FIRST;

	while (n < 1 << 19 && !bpf_map_update_elem(fd, &key, value, BPF_NOEXIST))
		key = FIRST + ++n;
	return n;
}

static void empty(int fd, uint64_t n)
{
	while (n--) {
		uint64_t key = FIRST + n;

		bpf_map_delete_elem(fd, &key);
	}
}

static void no_place_for_jobs(const char *policy)
{
	const uint64_t value[16] = { 0 };
	int fd = map_of(policy, "jobs");
	uint64_t n = fill(fd, value);

	tap_is(job_of("/red"), -ENOMEM, "%s: a job for which there is no place is refused", policy);
	empty(fd, n);
	tap_is(job_of("/red"), 0, "%s: until there is one", policy);
	close(fd);
}

/* Tokens of an hour: nobody's bucket is dropped while it is of use. */
static void no_place_for_buckets(void)
{
	struct job_rate_bucket bucket = { .tenant = FIRST, .full_ns = ~0ULL };
	uint64_t n;
	int fd;

	/* with no bucket that could go */
	accelctl("load job-rate rate=1/h,1 books=new");
	fd = map_of("job-rate", "buckets");
	tap_is(job_of("/green"), 0, "green has a token");
	tap_is(job_of("/green"), -EAGAIN, "  and no more");
	n = fill(fd, &bucket);
	tap_is(job_of("/blue"), -ENOMEM, "blue's bucket has no place");
	tap_is(job_of("/green"), -EAGAIN, "  and green's is there as before");
	bucket.full_ns = 0;
	for (uint64_t key = FIRST; key < FIRST + n; key++)
		bpf_map_update_elem(fd, &key, &bucket, BPF_EXIST);
	/* they are not looked through all the time */
	usleep(300000);
	tap_is(job_of("/blue"), 0, "those that are full are as good as none: blue's has a place");
	tap_is(job_of("/blue"), -EAGAIN, "  with one token");
	tap_is(job_of("/green"), -EAGAIN, "  and green's is there still");
	close(fd);
}

static void latency(uint64_t ns)
{
	if (dev_soft_latency(dev.name, ns))
		tap_bail("%s cannot be configured", dev.name);
}

/* As many as it can, none of which ends. */
struct greed {
	int jobs, last;
	volatile int done;
};

static void greedy(void *arg)
{
	struct greed *g = arg;

	for (int f = 0; f < TENANT_JOBS / FILE_JOBS + 1; f++) {
		int fd = dev_open(dev.name);

		while (!(g->last = nop_submit(fd, 0, NULL)))
			g->jobs++;
	}
	g->done = 1;
	pause();
}

static void one_takes_all(const char *policy)
{
	struct greed *g = shared(sizeof(*g));
	pid_t pid;

	latency(ACCEL_SOFT_LATENCY_MAX);
	pid = tenant("/greedy", greedy, g);
	while (!g->done)
		usleep(10000);
	tap_is(g->jobs, TENANT_JOBS, "%s: a tenant has so many jobs at most", policy);
	tap_is(g->last, -EAGAIN, "  then EAGAIN");
	tap_is(-tenant_end(tenant("/blue", job, NULL)), 0, "  and another one has its own");
	latency(0);
	kill(pid, SIGKILL);
	tenant_end(pid);
	tap_is(job_of("/greedy"), 0, "%s: when they have ended, there is room", policy);
}

static void *settings_of(struct policy *p, const char *object)
{
	char path[64];

	snprintf(path, sizeof(path), OBJECTS "/%s.bpf.o", object);
	policy_start(p, path, "plain", NULL, 0);
	return policy_memory(p, ".bss.settings");
}

static void pin(void *arg)
{
	uint64_t mem;
	int fd = dev_open(dev.name);

	_exit(-dev_pin(fd, pages(*(size_t *)arg), *(size_t *)arg, RW, &mem));
}

/* Only what one has to say has been. */
static void defaults(void)
{
	struct job_rate_settings *rate;
	size_t bytes = PAGE;
	struct policy p;
	/* of pin-limit: bytes, level, generation */
	struct {
		uint64_t def;
		uint32_t level, generation;
	} *limit;

	rate = settings_of(&p, "job_rate");
	rate->def.interval_ns = HOUR_NS;
	tap_is(job_of("/red"), 0, "an interval and no burst: a job");
	tap_is(job_of("/red"), -EAGAIN, "  and no other one");
	munmap(rate, PAGE);
	policy_close(&p);

	limit = settings_of(&p, "pin_limit");
	limit->def = PAGE;
	limit->generation = 1;
	tap_is(-tenant_end(tenant("/red/in", pin, &bytes)), 0, "a default and no level: up to it");
	bytes = 2 * PAGE;
	tap_is(-tenant_end(tenant("/red/in", pin, &bytes)), -EDQUOT, "  and no more");
	munmap(limit, PAGE);
	policy_close(&p);
}

int main(void)
{
	static const char *const tenants[] = { "/red", "/blue", "/green", "/greedy" };

	policy_begin();
	for (size_t i = 0; i < sizeof(tenants) / sizeof(tenants[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), CGROUPS "%s", tenants[i]);
		mkdir(path, 0755);
	}
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	accelctl("load job-rate rate=max");
	no_place_for_jobs("job-rate");
	one_takes_all("job-rate");
	accelctl("set job-rate mode=hold");
	no_place_for_jobs("job-rate");
	no_place_for_buckets();
	accelctl("unload job-rate");
	accelctl("load fair-share");
	no_place_for_jobs("fair-share");
	one_takes_all("fair-share");
	accelctl("unload fair-share");
	defaults();
	return tap_done();
}
