/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A load of verified work, whose own figures are the truth that the tools are
 * checked against. main.c starts processes and reports, worker.c is one context,
 * soft.c and edu.c are its jobs, report.c what is printed.
 *
 * All that is counted lies in memory that the processes share. Counters of a
 * context have one writer; the histograms of a device have many.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "latency.h"

#define LOAD_MAX_DEVICES	64
#define LOAD_MAX_TENANTS	32
#define LOAD_MAX_INFLIGHT	1024

/* What a job does; names are in op_names[]. */
enum op {
	OP_NOP,
	OP_COPY,
	OP_FILL,
	OP_COMPARE,
	OP_CRC32C,
	OP_FACTORIAL,
	OP_DMA,		/* a round trip: two jobs */
	OP_NR
};

#define OPS_SOFT	(1U << OP_NOP | 1U << OP_COPY | 1U << OP_FILL | 1U << OP_COMPARE | \
			 1U << OP_CRC32C)
#define OPS_EDU		(1U << OP_FACTORIAL | 1U << OP_DMA)

/* What is timed: jobs, then each ioctl by the name that the drivers' tables give it. */
enum lat_kind {
	LAT_TURNAROUND,		/* before the submit ioctl to after the wait ioctl */
	LAT_QUEUE,		/* as JOB_WAIT says */
	LAT_RUN,
	LAT_JOBS,		/* how many are about jobs */
	LAT_MEM_PIN = LAT_JOBS,
	LAT_MEM_UNPIN,
	LAT_JOB_WAIT,
	LAT_SUBMIT,		/* soft_submit */
	LAT_FACTORIAL,
	LAT_DMA,
	LAT_NR
};

extern const char *const op_names[OP_NR + 1];
extern const char *const lat_names[LAT_NR];

struct tenant {
	char name[16];
	char cgroup[128];	/* below /sys/fs/cgroup; empty: stay where we are */
	int processes;
};

struct config {
	struct dev_info devices[LOAD_MAX_DEVICES];
	int num_devices;
	struct tenant tenants[LOAD_MAX_TENANTS];
	int num_tenants;
	int contexts;		/* of each process */
	int inflight;
	uint32_t weights[OP_NR];
	uint64_t min_size, max_size;
	char **files;
	size_t num_files;
	uint64_t duration_ns;	/* 0: until jobs */
	uint64_t jobs;		/* of each context; 0: until duration */
	uint64_t rate;		/* jobs per second of each context; 0: no limit */
	uint64_t repin;		/* jobs between two times of pinning anew; 0: never */
	int duty;		/* percent; 0: off */
	uint64_t duty_ns;	/* its nops take this long */
	uint64_t seed;
	bool hold;
};

struct device_stats {
	struct latency latency[LAT_NR];
	_Atomic uint64_t pinned, pinned_peak;
};

/* Of one context; one writer. */
struct context_stats {
	int tenant;
	int device;
	int number;		/* among the contexts of its device */
	_Atomic int pid;
	_Atomic uint64_t id;		/* as the kernel calls it, 0: not known */
	_Atomic uint64_t pinned;
	_Atomic uint64_t jobs[OP_NR];	/* ended */
	_Atomic uint64_t errors[OP_NR];	/* ended badly, or refused */
	_Atomic uint64_t wrong[OP_NR];	/* ended well, with a wrong result */
	_Atomic uint64_t bytes[OP_NR];	/* of jobs that ended well */
	_Atomic uint64_t calls[LAT_NR];
	_Atomic uint64_t failed[LAT_NR];
	_Atomic uint64_t queue_ns, run_ns;
};

enum phase {
	PHASE_OPEN,
	PHASE_RUN,
	PHASE_CLOSE,
};

struct shared {
	_Atomic uint32_t phase;		/* a futex */
	_Atomic bool stop;
	_Atomic uint32_t trouble;	/* contexts that could not be opened or had to give up */
	uint64_t start_ns, end_ns;	/* CLOCK_MONOTONIC; end 0: none */
	int events;			/* eventfd: one for each context that is ready, and done */
	int contexts_of[LOAD_MAX_DEVICES];
	int num_contexts;
	struct context_stats *contexts;
	struct device_stats *devices;
};

static inline void count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static inline uint64_t counted(_Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* ------------------------------------------------------------------ worker.c */

/* A piece of memory that the device may reach. */
struct region {
	uint8_t *data;
	size_t length;
	uint32_t flags;
	uint64_t id;
};

/* A job in flight, and all that it takes to tell whether it was done. */
struct slot {
	enum op op;
	int stage;		/* OP_DMA: 0 to the device, 1 back */
	uint64_t job_id;
	uint64_t submitted_ns;
	uint64_t bytes;
	size_t src, dst;	/* offsets in the regions */
	size_t length;
	uint64_t pattern;
	uint64_t expected;	/* its result */
	uint8_t before[16], after[16];
};

struct worker {
	const struct config *cfg;
	struct shared *shared;
	struct context_stats *stats;
	struct device_stats *device;
	int fd;
	bool broken;
	uint64_t random;
	struct region src, dst;
	struct slot *slots;	/* a ring, oldest first */
	size_t stride;		/* of a slot's part of dst */
	uint64_t since_pin;	/* jobs */
	uint64_t last_run_ns;
};

uint64_t now_ns(void);
int timed_ioctl(struct worker *w, enum lat_kind kind, unsigned long cmd, void *arg);
void complain(struct worker *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool worker_open(struct worker *w, const struct config *cfg, struct shared *shared, int index);
void worker_run(struct worker *w);
void worker_close(struct worker *w);
void shared_wait(struct shared *shared, enum phase phase);
void shared_enter(struct shared *shared, enum phase phase);
int config_speed(const char *device, uint32_t engine, uint64_t latency_ns, uint64_t bandwidth);

/* source.c: real files' content, to work on */
bool source_open(struct worker *w, int index);

/* ------------------------------------------------------------ soft.c, edu.c */

/* Fill a slot and submit it: 0 or -errno. */
int soft_start(struct worker *w, struct slot *slot);
int edu_start(struct worker *w, struct slot *slot);

/* The job ended well: is the result right? */
bool soft_verify(struct worker *w, struct slot *slot, uint64_t result);
bool edu_verify(struct worker *w, struct slot *slot, uint64_t result);

/* ------------------------------------------------------------------ report.c */

struct report;

struct report *report_new(const struct config *cfg, struct shared *shared, bool json);
void report_ready(struct report *r);
void report_interval(struct report *r);
bool report_final(struct report *r);	/* all is well */
void report_free(struct report *r);

#endif
