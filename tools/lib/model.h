/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What accelerators there are and what they have done, as one snapshot.
 *
 * A source (generic netlink; sysfs where the family is missing; or fixtures in
 * tests) fills a snapshot: devices, each with its engines, nodes, operation
 * counters and those of its contexts that the reader may see. All counters only
 * grow; what people want to see are differences between two snapshots, and the
 * helpers at the end make them so that no impossible value comes out.
 *
 * Reading a snapshot never opens a device and never wakes one.
 *
 * Objects are matched by id: ids of devices and contexts are never reused while
 * the core is loaded. Not every source knows every field: test the validity bit.
 *
 * Functions that can fail return 0 or a negative errno.
 */
#ifndef ACCEL_LIB_MODEL_H
#define ACCEL_LIB_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACCEL_MODEL_NAME	16	/* of devices, nodes, engines, operations; with the NUL */
#define ACCEL_MODEL_ERROR	192
#define ACCEL_MODEL_TEXT	64
#define ACCEL_MODEL_NODES	4
#define ACCEL_MODEL_OPS		16

/* As in the uAPI (enum accelerator_state). */
enum accel_model_state {
	ACCEL_MODEL_OK,
	ACCEL_MODEL_RESETTING,
	ACCEL_MODEL_FAILED,
	ACCEL_MODEL_GONE,
	ACCEL_MODEL_STATES
};

/* Gate counters of one operation: "open", "ioctl", "mem_pin", "job_submit", … */
struct accel_op_info {
	char name[ACCEL_MODEL_NAME];
	uint64_t calls;			/* ended */
	uint64_t errors;		/* ended with an error */
	uint32_t inflight;
};

/* struct accel_node_info: a character device, under /dev/accelerator/ */
struct accel_node_info {
	char name[ACCEL_MODEL_NAME];
	uint32_t major;
	uint32_t minor;
};

/* Bits of accel_engine_info.valid */
#define ACCEL_ENGINE_COUNTERS	(1u << 0)	/* jobs to wait_ns */
#define ACCEL_ENGINE_NOW	(1u << 1)	/* queued, running */
#define ACCEL_ENGINE_DEPTH	(1u << 2)

struct accel_engine_info {
	uint32_t valid;
	uint32_t index;
	char name[ACCEL_MODEL_NAME];
	uint32_t depth;			/* jobs that the hardware takes at a time */
	uint32_t queued;		/* waiting now */
	uint32_t running;		/* running now */
	uint64_t jobs;			/* ended */
	uint64_t errors;		/* ended badly */
	uint64_t bytes;			/* of jobs that ended well */
	uint64_t busy_ns;		/* at least one job running, up to time_ns */
	uint64_t wait_ns;		/* sum of jobs' queue waits */
	uint64_t time_ns;		/* CLOCK_MONOTONIC when these were read */
};

/* What one context did on one engine; time_ns is the context's. */
struct accel_usage_info {
	uint32_t engine;		/* index */
	char name[ACCEL_MODEL_NAME];
	uint64_t jobs;			/* ended */
	uint64_t errors;		/* ended badly */
	uint64_t bytes;			/* of jobs that ended well */
	uint64_t busy_ns;		/* sum of run times, the running ones' up to time_ns */
	uint64_t wait_ns;		/* sum of queue waits */
};

/* Bits of accel_context_info.valid */
#define ACCEL_CTX_PID		(1u << 0)	/* the opener lives in our pid namespace */
#define ACCEL_CTX_UID		(1u << 1)
#define ACCEL_CTX_CGROUP	(1u << 2)
#define ACCEL_CTX_AGE		(1u << 3)
#define ACCEL_CTX_BYTES		(1u << 4)	/* pinned_bytes, mapped_bytes */
#define ACCEL_CTX_OBJECTS	(1u << 5)	/* mems, jobs */
#define ACCEL_CTX_NODE		(1u << 6)

struct accel_context_info {
	uint32_t valid;
	uint64_t id;
	uint32_t node;			/* index of the node that was opened */
	uint32_t pid;			/* process that opened it, in the reader's pid namespace */
	uint32_t uid;			/* in the reader's user namespace */
	char comm[ACCEL_MODEL_NAME];
	uint64_t cgroup_id;		/* inode of its cgroup v2 directory, 0: none */
	uint64_t age_ns;		/* since it was opened, as of time_ns */
	uint64_t pinned_bytes;
	uint64_t mapped_bytes;
	uint32_t mems;			/* pinned regions */
	uint32_t jobs;			/* submitted and not waited for */
	uint64_t time_ns;		/* CLOCK_MONOTONIC when these were read */
	char last_error[ACCEL_MODEL_ERROR];	/* why a call was refused, "": never */
	size_t num_usage;
	struct accel_usage_info *usage;	/* by engine, ascending */
	size_t num_ops;
	struct accel_op_info ops[ACCEL_MODEL_OPS];
};

/* Bits of accel_device_info.valid */
#define ACCEL_DEV_STATE		(1u << 0)
#define ACCEL_DEV_DRIVER	(1u << 1)
#define ACCEL_DEV_TYPE		(1u << 2)
#define ACCEL_DEV_PARENT	(1u << 3)
#define ACCEL_DEV_NUMA		(1u << 4)
#define ACCEL_DEV_FIRMWARE	(1u << 5)
#define ACCEL_DEV_SERIAL	(1u << 6)
#define ACCEL_DEV_UUID		(1u << 7)
#define ACCEL_DEV_FLAGS		(1u << 8)
#define ACCEL_DEV_CONTEXTS	(1u << 9)	/* open_contexts */
#define ACCEL_DEV_BYTES		(1u << 10)	/* pinned_bytes, mapped_bytes */
#define ACCEL_DEV_OPS		(1u << 11)
#define ACCEL_DEV_ID		(1u << 12)	/* the core's id; without it, id is index + 1 */

/* accel_device_info.flags */
#define ACCEL_DEV_EXCLUSIVE	(1u << 0)	/* one open file at a time */

struct accel_device_info {
	uint32_t valid;
	uint64_t id;			/* never reused */
	uint32_t index;			/* N of accN; reused */
	char name[ACCEL_MODEL_NAME];
	char driver[ACCEL_MODEL_TEXT];
	char type[ACCEL_MODEL_TEXT];
	enum accel_model_state state;
	char parent[ACCEL_MODEL_TEXT];	/* bus/name: pci/0000:00:04.0 */
	int32_t numa_node;		/* -1: no affinity */
	char firmware[ACCEL_MODEL_TEXT];
	char serial[ACCEL_MODEL_TEXT];
	char uuid[ACCEL_MODEL_TEXT];
	uint32_t flags;
	uint32_t open_contexts;		/* everybody's, also those that we may not see */
	uint64_t pinned_bytes;		/* likewise */
	uint64_t mapped_bytes;
	size_t num_nodes;
	struct accel_node_info nodes[ACCEL_MODEL_NODES];
	size_t num_engines;
	struct accel_engine_info *engines;	/* by index, ascending */
	size_t num_contexts;
	struct accel_context_info *contexts;	/* by id, ascending; those we may see */
	size_t num_ops;
	struct accel_op_info ops[ACCEL_MODEL_OPS];
};

/* What a snapshot could be filled with. */
enum accel_source_kind {
	ACCEL_SOURCE_NETLINK,		/* everything */
	ACCEL_SOURCE_SYSFS,		/* devices, engines, totals; no contexts */
	ACCEL_SOURCE_FIXTURES,		/* tests, replays */
};

struct accel_snapshot {
	enum accel_source_kind kind;
	bool has_contexts;		/* the source can tell of contexts at all */
	uint64_t begin_ns;		/* CLOCK_MONOTONIC before the first read */
	uint64_t end_ns;		/* and after the last one */
	size_t num_devices;
	struct accel_device_info *devices;	/* by index, ascending */
};

/* ------------------------------------------------------------------ reading */

struct accel_source;

/* What accel_source_open() and accel_snapshot_read() are to read; all is 0. */
#define ACCEL_READ_DEVICES	(1u << 0)
#define ACCEL_READ_ENGINES	(1u << 1)
#define ACCEL_READ_CONTEXTS	(1u << 2)
#define ACCEL_READ_STATS	(1u << 3)

/*
 * Netlink, or sysfs where the family is missing.
 * -ENODEV: the core (module accelerator) is not loaded.
 */
int accel_source_open(struct accel_source **out);
int accel_source_open_netlink(struct accel_source **out);
/* @root: NULL for /sys; a directory in tests. */
int accel_source_open_sysfs(struct accel_source **out, const char *root);
/*
 * Hands out copies of @snaps in turn, then of the last one for ever.
 * The snapshots stay the caller's and must outlive the source.
 */
int accel_source_open_fixtures(struct accel_source **out,
			       const struct accel_snapshot *const *snaps, size_t num);
void accel_source_close(struct accel_source *src);
enum accel_source_kind accel_source_kind(const struct accel_source *src);

/* Leave parts of later snapshots out (ACCEL_READ_*); devices are always read. */
void accel_source_select(struct accel_source *src, unsigned int parts);
/* Restrict later snapshots to one device by id; 0: all. */
void accel_source_restrict(struct accel_source *src, uint64_t dev_id);

/*
 * A new snapshot in *@out, to be given to accel_snapshot_free().
 * -ENODEV: the core was unloaded; a later call succeeds when it is back.
 */
int accel_snapshot_read(struct accel_source *src, struct accel_snapshot **out);
void accel_snapshot_free(struct accel_snapshot *snap);
struct accel_snapshot *accel_snapshot_copy(const struct accel_snapshot *snap);

/* Why the last call on this thread's @src failed, one line; "" when unknown. */
const char *accel_source_error(const struct accel_source *src);

/* ------------------------------------------------------------------ look-up */

const char *accel_model_state_name(enum accel_model_state state);
/* "acc3", "3" or "/dev/accelerator/acc3" (any node of it) */
const struct accel_device_info *accel_snapshot_device(const struct accel_snapshot *snap,
						      const char *name);
const struct accel_device_info *accel_snapshot_device_id(const struct accel_snapshot *snap,
							 uint64_t id);
/* @dev: if not NULL, set to the context's device. */
const struct accel_context_info *accel_snapshot_context(const struct accel_snapshot *snap,
							uint64_t ctx_id,
							const struct accel_device_info **dev);
const struct accel_context_info *accel_device_context(const struct accel_device_info *dev,
						      uint64_t ctx_id);
const struct accel_engine_info *accel_device_engine(const struct accel_device_info *dev,
						    uint32_t index);
const struct accel_usage_info *accel_context_usage(const struct accel_context_info *ctx,
						   uint32_t engine);
const struct accel_op_info *accel_op_find(const struct accel_op_info *ops, size_t num,
					  const char *name);
/* Contexts of @dev that exist and that we may not see; 0 when not known. */
uint32_t accel_device_hidden(const struct accel_device_info *dev);
/*
 * Of all devices, for people: 0 with CAP_SYS_ADMIN, which sees all; then a difference is
 * what was opened or closed between two requests.
 */
uint64_t accel_snapshot_hidden(const struct accel_snapshot *snap);

/* -------------------------------------------------------------- differences */

/*
 * What happened between two snapshots, @valid only if that is known:
 *  - in both: the difference. A counter that went backwards (which only another
 *    object with the same id could show: the core was reloaded) is not valid.
 *  - only in the newer one, and made since the older one: all its counters
 *    began at zero, so they are the difference. Made before (we may see it only
 *    now): not valid.
 *  - only in the older one: gone; what it did last is not known. Not valid.
 *
 * Rates are per second of @elapsed_ns, the time between the two readings of the
 * object itself, not of the whole snapshot.
 */
struct accel_rates {
	bool valid;
	uint64_t elapsed_ns;
	double util;		/* [0, 1], see below */
	uint64_t jobs;		/* the differences themselves */
	uint64_t errors;
	uint64_t bytes;
	uint64_t busy_ns;
	uint64_t wait_ns;
	double jobs_s;		/* and per second */
	double errors_s;
	double bytes_s;
	double wait_mean_ns;	/* per job ended, 0 when none */
	double run_mean_ns;	/* likewise; only where busy_ns is a sum of run times */
};

/*
 * Of an engine: util is the part of the time in which at least one job ran.
 * The counter and the clock are read one after the other, so that the quotient
 * of a busy engine wanders around 1: it is cut there.
 */
void accel_engine_rates(const struct accel_snapshot *old, const struct accel_snapshot *new,
			uint64_t dev_id, uint32_t engine, struct accel_rates *out);
/*
 * Of a context on an engine: util is the part of the engine's capacity (depth
 * jobs at a time) that it had; over all contexts they sum up to at most 1.
 */
void accel_usage_rates(const struct accel_snapshot *old, const struct accel_snapshot *new,
		       uint64_t dev_id, uint64_t ctx_id, uint32_t engine,
		       struct accel_rates *out);
/*
 * Of a context over all of its device's engines: sums; util is the part of the
 * device's capacity. Of a device (@ctx_id 0): util is the mean of its engines'.
 */
void accel_total_rates(const struct accel_snapshot *old, const struct accel_snapshot *new,
		       uint64_t dev_id, uint64_t ctx_id, struct accel_rates *out);

struct accel_op_rates {
	bool valid;
	uint64_t elapsed_ns;
	uint64_t calls;
	uint64_t errors;
	double calls_s;
	double errors_s;
};

/* Of an operation of a device (@ctx_id 0) or of a context; @op: "ioctl", … */
void accel_op_rates(const struct accel_snapshot *old, const struct accel_snapshot *new,
		    uint64_t dev_id, uint64_t ctx_id, const char *op,
		    struct accel_op_rates *out);

/* new - old, or 0 when that would be negative. */
uint64_t accel_counter_delta(uint64_t old, uint64_t new);
/* busy / elapsed / capacity, in [0, 1]; 0 when nothing elapsed. */
double accel_util(uint64_t busy_ns, uint64_t elapsed_ns, uint32_t capacity);

/* ----------------------------------------------------------------- building */

/*
 * For sources and for tests. Each returns the new, zeroed object, or NULL when
 * there is no memory (or the fixed table is full). A pointer is good until the
 * next object is added to the same parent: fill one in before adding another.
 * accel_snapshot_finish() sorts; look-ups work after it only.
 */
struct accel_snapshot *accel_snapshot_new(enum accel_source_kind kind);
struct accel_device_info *accel_snapshot_add_device(struct accel_snapshot *snap, uint64_t id,
						    uint32_t index);
struct accel_node_info *accel_device_add_node(struct accel_device_info *dev, const char *name);
struct accel_engine_info *accel_device_add_engine(struct accel_device_info *dev,
						  uint32_t index, const char *name);
struct accel_context_info *accel_device_add_context(struct accel_device_info *dev, uint64_t id);
struct accel_usage_info *accel_context_add_usage(struct accel_context_info *ctx,
						 uint32_t engine, const char *name);
struct accel_op_info *accel_op_add(struct accel_op_info *ops, size_t *num, const char *name);
void accel_snapshot_finish(struct accel_snapshot *snap);

#endif /* ACCEL_LIB_MODEL_H */
