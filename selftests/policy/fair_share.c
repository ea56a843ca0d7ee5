// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1,engines=2" TIMEOUT=500 */
/*
 * fair-share: two tenants' shares of an engine's busy time, which the core counts for each
 * file, are those of their weights, each within 5 % of its own: also where one has many more
 * jobs, or longer ones, or more files, and on an engine that takes several jobs at a time. Who
 * is alone gets all of it; who comes back from idleness gets no credit.
 *
 * Busy time is what is measured, until it is seconds in sum; no clock is asked. Each share is
 * looked at once. On the instrumented kernel, where what a policy does takes longer than a job,
 * the same is done, and no percentages are looked at: without an error, nobody overruled, and the
 * books even.
 */
#include "tenants.h"

#define SECOND	1000000000ULL

static struct dev_info dev;

/* What a tenant does; and what it has got. */
struct work {
	int files;		/* of its own */
	int outstanding;	/* jobs of each that it keeps in the queue */
	uint64_t bytes;		/* length of a job: of time, at a fixed bandwidth */
	volatile int go, stop, idle, ready;
	volatile uint64_t longest_ns;	/* that a job of its has run */
	unsigned long long ids[4];
};

static struct work *work;

/* Jobs that an engine runs at a time. */
static unsigned int depth = 1;

/* Time that jobs of the soft device take is their length: so many bytes a second. */
#define BANDWIDTH	(100 << 20)
#define MS_OF_BYTES	(BANDWIDTH / 1000)

static void speed(void)
{
	struct accel_soft_config config = { .engine = ACCEL_SOFT_ENGINE_ANY, .bandwidth = BANDWIDTH };
	char control[DEV_NAME_LEN + 1];
	int fd;

	snprintf(control, sizeof(control), "%sc", dev.name);
	fd = dev_open(control);
	if (dev_ioctl(fd, ACCEL_SOFT_IOCTL_CONFIG, &config))
		tap_bail("%s cannot be configured", control);
	close(fd);
}

static int fill(int fd, uint64_t mem, uint64_t bytes, uint64_t *job)
{
	struct accel_soft_submit submit = {
		.op = ACCEL_SOFT_OP_FILL, .engine = 0, .dst_mem = mem, .length = bytes,
	};
	int ret = dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &submit);

	*job = submit.job_id;
	return ret;
}

static void work_main(void *arg)
{
	struct work *w = arg;
	uint64_t mem[4], jobs[4][64];
	struct accel_job_wait wait;
	char *p = pages(4 << 20);
	int fds[4];

	for (int f = 0; f < w->files; f++) {
		fds[f] = dev_open(dev.name);
		if (dev_pin(fds[f], p, 4 << 20, RW, &mem[f]))
			_exit(1);
	}
	w->ready = 1;
	while (!w->go)
		usleep(1000);
	for (int n = 0; n < w->outstanding; n++)
		for (int f = 0; f < w->files; f++)
			if (fill(fds[f], mem[f], w->bytes, &jobs[f][n]))
				_exit(2);
	w->ready = 2;
	for (int n = 0; !w->stop; n = (n + 1) % w->outstanding)
		for (int f = 0; f < w->files; f++) {
			if (dev_wait(fds[f], jobs[f][n], &wait) || wait.status)
				_exit(3);
			if (wait.run_ns > w->longest_ns)
				w->longest_ns = wait.run_ns;
			while (w->idle && !w->stop)
				usleep(1000);
			if (fill(fds[f], mem[f], w->bytes, &jobs[f][n]))
				_exit(4);
		}
	for (int f = 0; f < w->files; f++)
		close(fds[f]);
}

/* Busy time of the engine that two processes' files had, as the core counts it, at one moment. */
static void busy_of(const pid_t *pids, uint64_t *busy)
{
	static char out[1 << 18];
	struct json_node *all;
	const struct json_node *list, *ctx;

	if (run(out, sizeof(out), "accelctl -j ctx"))
		tap_bail("accelctl ctx: %s", out);
	all = json_parse(out);
	list = all ? json_at(all, "contexts") : NULL;
	busy[0] = busy[1] = 0;
	for (ctx = list ? list->first : NULL; ctx; ctx = ctx->next)
		for (int i = 0; i < 2; i++)
			if (json_u64_at(ctx, "pid") == (uint64_t)pids[i])
				busy[i] += json_u64_at(ctx, "engines.0.busy_ns");
	json_free(all);
}

/*
 * How much longer than they should be the longest jobs were that the two have seen, as often as
 * the engine may run them side by side. A machine that stands still does so in somebody's job,
 * and it is the engine's time that is shared: what that one had too much is made up for, but
 * perhaps not before the sample ends.
 */
static uint64_t stalled_ns(void)
{
	uint64_t sum = 0;

	for (int i = 0; i < 2; i++) {
		uint64_t should = work[i].bytes * SECOND / BANDWIDTH, longest = work[i].longest_ns;

		sum += longest > should ? longest - should : 0;
	}
	return sum * depth;
}

struct sample {
	double share, doubt;	/* the first one's; what stalls may have made of it; in percent */
};

/* A share that is wrong without a policy is so by more than this. */
#define MOST_DOUBT	5.

/*
 * From now on until they have had @for_ns together, or up to twice that, so that stalls matter
 * little: how long it is does not depend on the shares, and each is looked at once.
 */
static struct sample share_from_now(const pid_t *pids, uint64_t for_ns)
{
	uint64_t from[2], to[2], sum;
	struct sample have;

	busy_of(pids, from);
	do {
		usleep(50000);
		busy_of(pids, to);
		to[0] -= from[0];
		to[1] -= from[1];
		sum = to[0] + to[1];
	} while (sum < for_ns || (times(1, 0) && sum < 2 * for_ns && sum < 30 * stalled_ns()));
	have = (struct sample){ 100. * to[0] / sum, 100. * stalled_ns() / sum };
	if (have.doubt > MOST_DOUBT)
		have.doubt = MOST_DOUBT;
	return have;
}

/* Two tenants until they have had @for_ns together; the first one's share in percent. */
static struct sample share(const struct work *red, const struct work *blue, uint64_t for_ns)
{
	struct sample have;
	uint64_t busy[2];
	pid_t pids[2];

	work[0] = *red;
	work[1] = *blue;
	pids[0] = tenant("/red/in", work_main, &work[0]);
	pids[1] = tenant("/blue", work_main, &work[1]);
	while (!work[0].ready || !work[1].ready)
		usleep(1000);
	work[0].go = work[1].go = 1;
	/* until both have all of their jobs in the queue, and had some of the engine */
	do {
		usleep(50000);
		busy_of(pids, busy);
	} while (!busy[0] || !busy[1] || work[0].ready < 2 || work[1].ready < 2);
	have = share_from_now(pids, for_ns);
	work[0].stop = work[1].stop = 1;
	tap_ok(!tenant_end(pids[0]) && !tenant_end(pids[1]), "both tenants worked without an error");
	return have;
}

/* Nothing waits or runs any more, as the policy has it. */
static bool is_even(void)
{
	struct json_node *all = policy_json("fair-share");
	const struct json_node *list = all ? json_at(all, "policies.0.own.tenants") : NULL, *row;
	bool even = list && list->first;

	for (row = list ? list->first : NULL; row; row = row->next)
		even &= !json_u64_at(row, "waiting") && !json_u64_at(row, "running");
	json_free(all);
	return even;
}

static void near(const struct work *red, const struct work *blue, uint64_t for_ns, double want,
		 const char *what)
{
	/* of what the one with less is to have, so it holds for both */
	const double most = .05 * (want < 50 ? want : 100 - want);
	struct sample have = share(red, blue, times(for_ns / 1000, for_ns / 10000) * 1000ULL);

	tap_ok(is_even(), "%s: nothing waits or runs, when all has ended", what);
	if (!times(1, 0))
		return;
	tap_ok(have.share > want - most - have.doubt && have.share < want + most + have.doubt,
	       "%s: red has %.1f %%, to be %.0f %% (stalls: %.1f %%)", what, have.share, want,
	       have.doubt);
}

/* Always more than an engine takes at a time: who has none that waits claims nothing. */
static const struct work usual = { .files = 1, .outstanding = 12, .bytes = 10 * MS_OF_BYTES };
static const struct work many = { .files = 1, .outstanding = 60, .bytes = 10 * MS_OF_BYTES };
static const struct work long_jobs = { .files = 1, .outstanding = 12, .bytes = 40 * MS_OF_BYTES };
static const struct work files = { .files = 4, .outstanding = 12, .bytes = 10 * MS_OF_BYTES };

static void weights(const char *engine)
{
	char what[128];

	tap_diag("%s", engine);
	accelctl("set fair-share /red=100 /blue=100");
	snprintf(what, sizeof(what), "1:1, %s", engine);
	near(&usual, &usual, 6 * SECOND, 50, what);
	snprintf(what, sizeof(what), "1:1, red has five times as many jobs, %s", engine);
	near(&many, &usual, 6 * SECOND, 50, what);
	snprintf(what, sizeof(what), "1:1, red's are four times as long, %s", engine);
	near(&long_jobs, &usual, 9 * SECOND, 50, what);
	snprintf(what, sizeof(what), "1:1, red has four files, %s", engine);
	near(&files, &usual, 6 * SECOND, 50, what);
	accelctl("set fair-share /red=300");
	snprintf(what, sizeof(what), "3:1, %s", engine);
	near(&many, &many, 6 * SECOND, 75, what);
	snprintf(what, sizeof(what), "3:1, blue has many, and long ones, %s", engine);
	near(&many, &long_jobs, 9 * SECOND, 75, what);
}

/* It holds only what it is for: without the policy, who has more jobs has more. */
static void without(void)
{
	struct sample have;

	if (!times(1, 0))
		return;
	have = share(&files, &usual, 2 * SECOND);
	tap_ok(have.share > 70, "without a policy, red with four files has %.1f %%", have.share);
}

/* The other one has nothing to do: all of it is red's. */
static void alone(void)
{
	uint64_t busy[2], held;
	pid_t pids[2] = { 0 };

	work[0] = usual;
	work[0].go = 1;
	work[1].longest_ns = 0;
	pids[0] = tenant("/red", work_main, &work[0]);
	do
		busy_of(pids, busy);
	while (!busy[0]);
	held = cgroup_figure("fair-share", "tenants", "/red", "held");
	share_from_now(pids, SECOND / 2);
	tap_is(cgroup_figure("fair-share", "tenants", "/red", "held"), held,
	       "who is alone is never told to wait");
	work[0].stop = 1;
	tenant_end(pids[0]);
}

/* Blue comes back from idleness: it gets its share from then on, and no more. */
static void no_credit(void)
{
	struct sample have;
	uint64_t busy[2];
	pid_t pids[2];

	accelctl("set fair-share /red=100 /blue=100");
	work[0] = many;
	work[1] = many;
	work[1].idle = 1;
	pids[0] = tenant("/red", work_main, &work[0]);
	pids[1] = tenant("/blue", work_main, &work[1]);
	while (!work[0].ready || !work[1].ready)
		usleep(1000);
	work[0].go = work[1].go = 1;
	/* blue's first jobs end, then red alone has a second of the engine */
	do
		busy_of(pids, busy);
	while (busy[1] < many.outstanding * 10000000ULL * 9 / 10);
	share_from_now(pids, SECOND);
	work[1].idle = 0;
	have = share_from_now(pids, 2 * SECOND);
	tap_ok(have.share > 45 - have.doubt || !times(1, 0),
	       "blue was idle for a second of red's; then red has %.1f %% (stalls: %.1f %%)",
	       have.share, have.doubt);
	work[0].stop = work[1].stop = 1;
	tenant_end(pids[0]);
	tenant_end(pids[1]);
}

static void with_depth(void)
{
	char out[512];

	if (run(out, sizeof(out), "rmmod accel_soft && insmod /usr/lib/accelerator/modules/accel_soft.ko "
		"engines=1 depth=%u", depth) || dev_find("soft", 0, &dev))
		tap_bail("accel_soft with depth=%u: %s", depth, out);
	speed();
}

int main(void)
{
	char text[64];

	policy_begin();
	work = shared(2 * sizeof(*work));
	mkdir(CGROUPS "/red", 0755);
	mkdir(CGROUPS "/blue", 0755);
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	speed();
	without();
	accelctl("load fair-share");
	weights("depth 1");
	alone();
	no_credit();
	for (depth = 2; depth <= 4; depth += 2) {
		with_depth();
		snprintf(text, sizeof(text), "depth %u", depth);
		weights(text);
	}
	tap_is(policy_figure("fair-share", "overruled"), 0, "nobody was held for too long");
	accelctl_fails("set fair-share /red=0", 2, "no number from 1 to 10000");
	accelctl("unload fair-share");
	return tap_done();
}
