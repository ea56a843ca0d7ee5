/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One frame: what accel-top knows at one moment, ready to be shown. collect.c
 * makes it; the screen, batch and JSON only read it, and so do the tests, which
 * fill it by hand.
 *
 * Nothing in it is a guess: a figure that is not known has its bit in @valid
 * cleared, and is then shown as "-" and written as null.
 */
#ifndef ACCEL_TOP_FRAME_H
#define ACCEL_TOP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FRAME_NAME_LEN		32
#define FRAME_HISTORY_LEN	120
#define FRAME_MAX_NOTES		6

enum frame_latency {
	FRAME_IOCTL,	/* an ioctl, entry to exit */
	FRAME_WAIT,	/* a job in its queue, of jobs that started */
	FRAME_RUN,	/* a job on its engine, of jobs that ended */
	FRAME_PIN,	/* pinning and mapping of a region */
	FRAME_DMA,	/* of which: its mapping for DMA */
	FRAME_LATENCIES
};

/* Bits of valid. */
#define FRAME_RATES		(1U << 0)	/* util, *_s, *_new: needs an earlier look */
#define FRAME_LATENCY		(1U << 1)	/* lat: needs BPF */
#define FRAME_PID		(1U << 2)
#define FRAME_USER		(1U << 3)
#define FRAME_CGROUP		(1U << 4)
#define FRAME_CONTAINER		(1U << 5)
#define FRAME_OPS		(1U << 6)	/* calls, errors of the gate */
#define FRAME_BPF_COST		(1U << 7)
#define FRAME_COMMAND		(1U << 8)

/* count 0: nothing happened, p50 and p99 mean nothing. */
struct frame_quantiles {
	uint64_t count;
	uint64_t p50;
	uint64_t p99;
	uint64_t max;		/* upper end of the highest slot in use */
};

struct frame_lat {
	struct frame_quantiles interval;
	struct frame_quantiles total;	/* since accel-top began */
};

/* Since the device was registered or the context opened; exact. */
struct frame_counts {
	uint64_t jobs;		/* ended, well or badly */
	uint64_t job_errors;	/* ended badly */
	uint64_t bytes;		/* of jobs that ended well */
	uint64_t busy_ns;
	uint64_t wait_ns;
};

struct frame_op {
	char name[FRAME_NAME_LEN];
	uint64_t calls;
	uint64_t errors;
	uint32_t inflight;
};

/* Rates over the interval; valid with FRAME_RATES. */
struct frame_rates {
	double util;		/* 0 to 1 */
	double jobs_s;
	double bytes_s;
	uint64_t errors_new;
};

struct frame_engine {
	unsigned int valid;
	char name[FRAME_NAME_LEN];
	uint32_t index;
	uint32_t depth;
	uint32_t queued;
	uint32_t running;
	struct frame_counts count;
	struct frame_rates rate;
	struct frame_lat lat[FRAME_LATENCIES];	/* wait and run only */
};

enum frame_state { FRAME_OK, FRAME_RESETTING, FRAME_FAILED, FRAME_GONE };

struct frame_dev {
	unsigned int valid;
	uint64_t id;
	uint32_t index;
	char name[FRAME_NAME_LEN];
	char driver[FRAME_NAME_LEN];
	char type[FRAME_NAME_LEN];
	char parent[64];
	enum frame_state state;
	uint32_t contexts;
	uint32_t queued;
	uint32_t running;
	uint64_t pinned;
	uint64_t mapped;
	uint64_t errors;		/* jobs, and calls with FRAME_OPS */
	struct frame_counts count;
	struct frame_rates rate;	/* util: mean of the engines */
	struct frame_lat lat[FRAME_LATENCIES];
	size_t nr_engines;
	struct frame_engine *engines;
	size_t nr_ops;
	struct frame_op *ops;
	size_t nr_history;		/* oldest first */
	float history[FRAME_HISTORY_LEN];	/* utilization, below 0: not known */
};

/* What a context did on one engine of its device. */
struct frame_usage {
	unsigned int valid;
	char name[FRAME_NAME_LEN];
	uint32_t index;
	struct frame_counts count;
	struct frame_rates rate;
	struct frame_lat lat[FRAME_LATENCIES];
};

struct frame_ctx {
	unsigned int valid;
	bool ended;			/* since the look before */
	bool partial;			/* no memory, ops and engines: only BPF knows of it */
	uint64_t id;
	uint64_t dev_id;
	char dev_name[FRAME_NAME_LEN];
	uint32_t dev_index;
	uint32_t pid;			/* 0: not in our pid namespace */
	uint32_t uid;
	char user[FRAME_NAME_LEN];
	char command[128];
	char cgroup[256];
	char container[64];
	uint64_t cgroup_id;
	uint64_t age_ns;
	uint64_t pinned;
	uint64_t mapped;
	uint32_t mems;
	uint32_t jobs_open;		/* submitted and not waited for */
	uint64_t errors;
	struct frame_counts count;
	struct frame_rates rate;	/* util: share of all engines of the device */
	struct frame_lat lat[FRAME_LATENCIES];
	size_t nr_engines;
	struct frame_usage *engines;
	size_t nr_ops;
	struct frame_op *ops;
};

/* What watching costs, and what it missed. */
struct frame_self {
	double cpu;		/* our own process: share of one cpu */
	double bpf;		/* our programs, wherever they ran: likewise */
	double bpf_ns;		/* nanoseconds for one event, as last sampled */
	uint64_t events;	/* latencies taken, since we began */
	uint64_t lost_full;	/* without their context, for want of room */
	uint64_t lost_missed;	/* not taken: the program could not run */
	bool missed_known;
	uint64_t untimed;	/* began before we looked: no latency to take */
	uint64_t lost_new;	/* lost in this interval */
	uint64_t unsplit;	/* without their engine */
	uint64_t contexts_unkept;	/* found no room */
	uint64_t contexts_missed;	/* ended unseen */
};

struct frame {
	unsigned int valid;
	uint64_t seq;
	uint64_t time_ns;	/* CLOCK_REALTIME before the first figure was read */
	uint64_t uptime_ns;	/* since accel-top began */
	double interval_s;	/* between the two looks, 0: the first */
	char host[65];
	uint64_t pinned;
	uint64_t mapped;
	uint64_t errors;
	struct frame_rates rate;	/* sums; util: mean of all engines */
	struct frame_counts count;
	size_t nr_engines;
	struct frame_self self;
	size_t nr_notes;
	char notes[FRAME_MAX_NOTES][160];
	size_t nr_devs;
	struct frame_dev *devs;
	size_t nr_ctxs;
	size_t nr_ended;		/* of these, ended since the look before */
	struct frame_ctx *ctxs;
};

void frame_note(struct frame *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void frame_free(struct frame *f);

#endif
