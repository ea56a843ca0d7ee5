// SPDX-License-Identifier: GPL-2.0-only
/* One context: opened, given memory, kept busy, every result verified. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

/* A job that takes longer does not keep the load from ending. */
#define GIVE_UP_NS	(30 * 1000000000ULL)

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	struct timespec ts = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

void complain(struct worker *w, const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fprintf(stderr, "load: %s: %s\n", w->cfg->devices[w->stats->device].name, text);
	w->broken = true;
}

void shared_wait(struct shared *shared, enum phase phase)
{
	uint32_t now;

	while ((now = atomic_load(&shared->phase)) < phase)
		syscall(SYS_futex, &shared->phase, FUTEX_WAIT, now, NULL, NULL, 0);
}

void shared_enter(struct shared *shared, enum phase phase)
{
	atomic_store(&shared->phase, phase);
	syscall(SYS_futex, &shared->phase, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

int timed_ioctl(struct worker *w, enum lat_kind kind, unsigned long cmd, void *arg)
{
	uint64_t start = now_ns();
	int ret = dev_ioctl(w->fd, cmd, arg);

	latency_add(&w->device->latency[kind], now_ns() - start);
	count(&w->stats->calls[kind], 1);
	if (ret)
		count(&w->stats->failed[kind], 1);
	return ret;
}

static void pinned(struct worker *w, int64_t bytes)
{
	uint64_t now = atomic_fetch_add(&w->device->pinned, bytes) + bytes;
	uint64_t peak = atomic_load(&w->device->pinned_peak);

	count(&w->stats->pinned, bytes);
	while (now > peak && !atomic_compare_exchange_weak(&w->device->pinned_peak, &peak, now))
		;
}

static bool pin(struct worker *w, struct region *region)
{
	struct accel_mem_pin arg = {
		.addr = (uintptr_t)region->data,
		.length = region->length,
		.flags = region->flags,
	};
	int ret = timed_ioctl(w, LAT_MEM_PIN, ACCEL_IOCTL_MEM_PIN, &arg);

	if (ret) {
		complain(w, "cannot pin %zu bytes: %s%s", region->length, strerror(-ret),
			 ret == -ENOMEM ? "; raise RLIMIT_MEMLOCK (ulimit -l)" : "");
		return false;
	}
	region->id = arg.mem_id;
	pinned(w, region->length);
	return true;
}

static void unpin(struct worker *w, struct region *region)
{
	struct accel_mem_unpin arg = { .mem_id = region->id };
	int ret;

	if (!region->id)
		return;
	ret = timed_ioctl(w, LAT_MEM_UNPIN, ACCEL_IOCTL_MEM_UNPIN, &arg);
	if (ret)
		complain(w, "cannot unpin: %s", strerror(-ret));
	else
		pinned(w, -(int64_t)region->length);
	region->id = 0;
}

/* The kernel's name for this file, so that the tools' rows can be told apart. */
static uint64_t context_id(int fd)
{
	unsigned long long id = 0;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "drm-client-id: %llu", &id) == 1)
			break;
	if (f)
		fclose(f);
	return id;
}

static bool is_edu(const struct worker *w)
{
	return dev_is(&w->cfg->devices[w->stats->device], "edu");
}

bool worker_open(struct worker *w, const struct config *cfg, struct shared *shared, int index)
{
	size_t page = sysconf(_SC_PAGESIZE);

	memset(w, 0, sizeof(*w));
	w->cfg = cfg;
	w->shared = shared;
	w->stats = &shared->contexts[index];
	w->device = &shared->devices[w->stats->device];
	w->random = (cfg->seed + index + 1) * 0x9e3779b97f4a7c15ULL;
	w->stats->pid = getpid();
	w->fd = dev_open(cfg->devices[w->stats->device].name);
	if (w->fd < 0) {
		complain(w, "cannot open: %s", strerror(-w->fd));
		return false;
	}
	w->stats->id = context_id(w->fd);
	w->slots = calloc(cfg->inflight, sizeof(*w->slots));
	if (!w->slots) {
		complain(w, "no memory");
		return false;
	}
	if (cfg->duty)
		return true;

	/* room around a job's bytes, so that they begin anywhere */
	w->stride = is_edu(w) ? 4 * ACCEL_EDU_BUFFER_SIZE : (cfg->max_size + 127) / 64 * 64;
	w->dst.length = (w->stride * cfg->inflight + page - 1) / page * page;
	w->dst.flags = ACCEL_MEM_READ | ACCEL_MEM_WRITE;
	w->dst.data = mmap(NULL, w->dst.length, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->dst.data == MAP_FAILED) {
		complain(w, "no memory for %zu bytes: %s", w->dst.length, strerror(errno));
		return false;
	}
	if (!is_edu(w) && !(source_open(w, index) && pin(w, &w->src)))
		return false;
	return pin(w, &w->dst);
}

/* Regions pinned anew now and then, as programs do that do not know better. */
static void repin(struct worker *w)
{
	w->since_pin = 0;
	if (!w->dst.id)
		return;
	unpin(w, &w->dst);
	pin(w, &w->dst);
}

static bool start(struct worker *w, struct slot *slot)
{
	uint64_t now = now_ns();
	int ret = is_edu(w) ? edu_start(w, slot) : soft_start(w, slot);

	slot->submitted_ns = now;
	if (!ret)
		return true;
	count(&w->stats->errors[slot->op], 1);
	complain(w, "%s was refused: %s", op_names[slot->op], strerror(-ret));
	return false;
}

/* Wait for a job and look at what it did. */
static void finish(struct worker *w, struct slot *slot)
{
	struct accel_job_wait wait = {
		.job_id = slot->job_id,
		.deadline_ns = now_ns() + GIVE_UP_NS,
	};
	int ret = timed_ioctl(w, LAT_JOB_WAIT, ACCEL_IOCTL_JOB_WAIT, &wait);
	bool right;

	if (ret) {
		count(&w->stats->errors[slot->op], 1);
		complain(w, "waiting for a %s: %s", op_names[slot->op], strerror(-ret));
		return;
	}
	latency_add(&w->device->latency[LAT_TURNAROUND], now_ns() - slot->submitted_ns);
	latency_add(&w->device->latency[LAT_QUEUE], wait.queue_ns);
	latency_add(&w->device->latency[LAT_RUN], wait.run_ns);
	count(&w->stats->queue_ns, wait.queue_ns);
	count(&w->stats->run_ns, wait.run_ns);
	w->last_run_ns = wait.run_ns;
	count(&w->stats->jobs[slot->op], 1);
	if (wait.status) {
		count(&w->stats->errors[slot->op], 1);
		complain(w, "%s ended with %s", op_names[slot->op], strerror(-wait.status));
		return;
	}
	count(&w->stats->bytes[slot->op], slot->bytes);
	right = is_edu(w) ? edu_verify(w, slot, wait.result) : soft_verify(w, slot, wait.result);
	if (right)
		return;
	count(&w->stats->wrong[slot->op], 1);
	fprintf(stderr, "load: %s: wrong result of %s, %zu bytes from offset %zu to %zu: %#llx\n",
		w->cfg->devices[w->stats->device].name, op_names[slot->op], slot->length,
		slot->src, slot->dst, (unsigned long long)wait.result);
}

static bool time_left(const struct worker *w)
{
	const struct shared *shared = w->shared;

	return !w->broken && !atomic_load_explicit(&shared->stop, memory_order_relaxed) &&
	       (!shared->end_ns || now_ns() < shared->end_ns);
}

void worker_run(struct worker *w)
{
	const struct config *cfg = w->cfg;
	uint64_t period = cfg->rate ? 1000000000 / cfg->rate : 0;
	uint64_t next = w->shared->start_ns, submitted = 0;
	int oldest = 0, inflight = 0;

	while (!w->broken) {
		bool more = time_left(w) && (!cfg->jobs || submitted < cfg->jobs);

		if (!more && !inflight)
			break;
		if (more && inflight < cfg->inflight &&
		    (!(period || cfg->duty) || now_ns() >= next)) {
			struct slot *slot = &w->slots[(oldest + inflight) % cfg->inflight];

			slot->stage = 0;
			if (!start(w, slot))
				break;
			inflight++;
			submitted++;
			w->since_pin++;
			next += period;
			continue;
		}
		if (!inflight) {
			sleep_until(next);
			continue;
		}
		finish(w, &w->slots[oldest]);
		/* A round trip comes back before the slot is free: same slot, once more. */
		if (!w->broken && w->slots[oldest].op == OP_DMA && !w->slots[oldest].stage) {
			w->slots[oldest].stage = 1;
			if (start(w, &w->slots[oldest]))
				finish(w, &w->slots[oldest]);
		}
		/* By what it took: a timer that comes late does not make the engine busier. */
		if (cfg->duty)
			next += w->last_run_ns * 100 / cfg->duty;
		oldest = (oldest + 1) % cfg->inflight;
		inflight--;
		if (cfg->repin && w->since_pin >= cfg->repin && !w->broken)
			repin(w);
	}
	if (w->broken)
		atomic_fetch_add(&w->shared->trouble, 1);
}

void worker_close(struct worker *w)
{
	if (w->fd < 0)
		return;
	unpin(w, &w->dst);
	unpin(w, &w->src);
	close(w->fd);
	free(w->slots);
}

int config_speed(const char *device, uint32_t engine, uint64_t latency_ns, uint64_t bandwidth)
{
	struct accel_soft_config config = {
		.engine = engine,
		.latency_ns = latency_ns,
		.bandwidth = bandwidth,
	};
	char node[DEV_NAME_LEN + 1];
	int fd, ret;

	snprintf(node, sizeof(node), "%sc", device);
	fd = dev_open(node);
	if (fd < 0)
		return fd;
	ret = dev_ioctl(fd, ACCEL_SOFT_IOCTL_CONFIG, &config);
	close(fd);
	return ret;
}
