/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the core's files share. Drivers never include this.
 *
 * Lock order, from the first that is taken:
 *	accel_devices_lock	a device stays registered
 *	accel_policies_lock	who decides on which node
 *	ctx->call_sem		an ioctl that is not to be beside others of its file
 *	ctx->lock		a context is bound, torn down
 *	adev->lock		a device's state, its engines paused: their threads take no lock
 *				that comes before it, since they are waited for
 *	engine->lock		and each context's usage of it; hard interrupts
 *	ctx->job_lock, a fence's lock		hard interrupts
 *
 * The reservations of dma-bufs (dma_resv) come after ctx->lock and before engine->lock;
 * accel_policy_settle_lock before policy_owed.lock. Below all of these, with none of ours
 * taken inside: ctx->mem_lock, ctx->error_lock, the lock of a binding to an IOAS
 * (struct accel_iommufd) and of a mapping (mmap.c, inside of mmap_lock).
 */
#ifndef _ACCEL_CORE_H
#define _ACCEL_CORE_H

#include <kunit/visibility.h>
#include <linux/accelerator.h>
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/kthread.h>
#include <linux/percpu.h>
#include <linux/scatterlist.h>
#include <linux/workqueue.h>
#include <linux/ww_mutex.h>

struct dma_buf_attach_ops;
struct dma_resv;
struct ida;
struct seq_file;
struct vm_area_struct;

#define ACCEL_MAX_MINORS	4096
/* Contexts that can have a slot at one time; bpf/accel_stats.h has the same number. */
#define ACCEL_MAX_SLOTS		65536

/* ------------------------------------------------------------------- main.c */

u64 accel_id_next(void);
u64 accel_job_id_next(void);

/* ------------------------------------------------------------------- gate.c */

/* Every operation that passes the gate; accel_ops[] in gate.c has an entry for each. */
enum accel_op {
	ACCEL_OP_OPEN,
	ACCEL_OP_CLOSE,
	ACCEL_OP_IOCTL,
	ACCEL_OP_MMAP,
	ACCEL_OP_FAULT,
	ACCEL_OP_MEM_PIN,
	ACCEL_OP_MEM_UNPIN,
	ACCEL_OP_DMA_MAP,
	ACCEL_OP_DMA_UNMAP,
	ACCEL_OP_JOB,
	ACCEL_OP_NR
};

/* Per cpu; calls that have begun and not ended are in flight. */
struct accel_op_stats {
	u64 begun[ACCEL_OP_NR];
	u64 ended[ACCEL_OP_NR];
	u64 errors[ACCEL_OP_NR];
	u64 entered[ACCEL_OP_NR];	/* took a reference on the gate, */
	u64 left[ACCEL_OP_NR];		/* and gave it back */
};

/* Sums over all cpus, as readers want them. */
struct accel_op_count {
	u64 calls;
	u64 errors;
	u32 inflight;
	u32 held;	/* of those in flight: keep the device from going */
};

/**
 * struct accel_call - one operation on its way through the gate; on its caller's stack
 * @ctx: the context; its adev is the device
 * @op: which operation
 * @start_ns: ktime_get_ns() when it began, 0 when nobody looks
 * @held: a reference on the gate is held: the device stays
 * @u: what the operation's tracepoint shows besides
 */
struct accel_call {
	struct accel_context *ctx;
	enum accel_op op;
	u64 start_ns;
	bool held;
	union {
		struct {
			unsigned int cmd;
			const char *name;
		} ioctl;
		struct {
			u64 map_id;
			u64 offset;
			u64 bytes;
			bool write;
		} mmap;
		struct {
			struct accel_mem *mem;
			struct accel_pin_times *times;
			u64 iommu_ns;
			bool dirty;
		} mem;
		struct accel_job *job;
	} u;
};

int accel_call_begin(struct accel_call *call);
void accel_call_queue_job(struct accel_call *call);
int __accel_power_get(struct accel_device *adev);
void __accel_power_put(struct accel_device *adev);

/**
 * accel_power_get - resume a device's hardware, and keep it so
 * @adev: a device that is not unregistered
 *
 * Nothing but a test where the driver does not use runtime PM.
 *
 * Context: process, may sleep.
 * Return: 0: until accel_power_put(); -EIO: it cannot be resumed.
 */
static inline int accel_power_get(struct accel_device *adev)
{
	return unlikely(adev->runtime_pm) ? __accel_power_get(adev) : 0;
}

/**
 * accel_power_put - let a device's hardware be suspended again
 * @adev: a device after an accel_power_get() that answered 0
 *
 * Context: any.
 */
static inline void accel_power_put(struct accel_device *adev)
{
	if (unlikely(adev->runtime_pm))
		__accel_power_put(adev);
}

int accel_call_enter(struct accel_call *call);
void accel_call_leave(struct accel_call *call);
long accel_call_end(struct accel_call *call, long ret);
const char *accel_op_name(enum accel_op op);
void accel_stats_sum(const struct accel_op_stats __percpu *stats, enum accel_op op,
		     struct accel_op_count *sum);
int accel_gate_init(struct accel_device *adev);
void accel_gate_destroy(struct accel_device *adev);
void accel_gate_close(struct accel_device *adev);
void accel_gate_drain(struct accel_device *adev);
bool accel_gate_is_open(struct accel_device *adev);

/* ------------------------------------------------------------------ drain.c */

/* Where an unplug is; the numbers are in docs/tracepoints.md. */
enum accel_drain_phase {
	ACCEL_DRAIN_LOCK,		/* to adev->lock: of who pauses its engines, for one */
	ACCEL_DRAIN_POWER,
	ACCEL_DRAIN_CANCEL,		/* the driver's callback */
	ACCEL_DRAIN_ENGINES,
	ACCEL_DRAIN_GATE,
	ACCEL_DRAIN_MAPPINGS,
	ACCEL_DRAIN_CONTEXTS,
	ACCEL_DRAIN_IOMMUFD,
	ACCEL_DRAIN_DEBUGFS,
	ACCEL_DRAIN_SYSFS,
	ACCEL_DRAIN_NODES,
	ACCEL_DRAIN_NR
};

/* A watch beside an unplug; on its stack. */
struct accel_drain {
	struct accel_device *adev;
	enum accel_drain_phase phase;
	u64 start_ns;
	struct delayed_work work;
};

extern unsigned int accel_drain_warn_ms;

void accel_drain_begin(struct accel_drain *drain, struct accel_device *adev);
void accel_drain_end(struct accel_drain *drain);

/* For the watch to tell, when no context is to blame for what comes now. */
static inline void accel_drain_enter(struct accel_drain *drain, enum accel_drain_phase phase)
{
	WRITE_ONCE(drain->phase, phase);
}

/* ----------------------------------------------------------------- device.c */

/*
 * All registered devices by id, ascending. Hold accel_devices_lock (a mutex) to
 * walk: a device in it is registered and stays so.
 */
extern struct xarray accel_devices;
extern struct mutex accel_devices_lock;
extern struct class accel_class;

#if IS_ENABLED(CONFIG_KUNIT)
extern struct ida accel_minors;
extern struct ida accel_slots;
#endif

int accel_devices_init(void);
void accel_devices_exit(void);

/* ------------------------------------------------------------------ state.c */

const char *accel_state_name(enum accel_state state);
void accel_device_stuck_work(struct work_struct *work);

/* ---------------------------------------------------------------- context.c */

/* What a context did on one engine; under the engine's lock. */
struct accel_engine_usage {
	u64 jobs;
	u64 errors;
	u64 bytes;
	u64 run_ns;	/* of ended jobs */
	u64 wait_ns;	/* of started jobs */
	u32 running;
	u32 unended;		/* queued or running */
	u32 unretired;		/* those, and ended ones that still hold regions */
	int stop_error;			/* not 0: no job is started, they end with this */
	struct list_head queued;	/* jobs by ctx_link, in their order */
	wait_queue_head_t idle_wq;	/* the last one was retired */
	u64 blocked;		/* the engine's search that found its next job not ready */
	u64 running_since_sum;	/* of started_ns of the running ones */
};

struct accel_context *accel_context_new(struct accel_node *node);
int accel_context_add(struct accel_context *ctx);
void accel_context_close(struct accel_context *ctx);
void accel_context_teardown(struct accel_context *ctx);
void accel_context_put(struct accel_context *ctx);
bool accel_context_last_error(struct accel_context *ctx, char *text, size_t size);

/* Bytes of the longest text that accel_context_error() keeps, with the NUL. */
#define ACCEL_ERROR_LEN		192

/*
 * What a process calls itself is any bytes. Where it is a part of a line these are shown in
 * octal (seq_escape()), as in /proc/mounts: a newline would begin a line of its choice.
 */
#define ACCEL_COMM_ESCAPED	"\\\177" \
	"\001\002\003\004\005\006\007\010\011\012\013\014\015\016\017" \
	"\020\021\022\023\024\025\026\027\030\031\032\033\034\035\036\037"

/*
 * The first context of @adev with an id of at least @id, with a reference that
 * accel_context_put() gives back; NULL when there is none.
 */
struct accel_context *accel_context_next(struct accel_device *adev, u64 id);

/* ------------------------------------------------------------------- file.c */

/* Of an entry in a node's own copy: none of the other flags but ANY_STATE and UNGATED. */
#define ACCEL_IOCTL_PLAIN	BIT(15)

extern const struct file_operations accel_fops;
const struct accel_ioctl_desc *accel_ioctl_find(const struct accel_node *node,
						unsigned int cmd);
int accel_ioctls_copy(struct accel_node *node, const struct accel_node_desc *desc);
void accel_ioctls_free(struct accel_node *node);

#if IS_ENABLED(CONFIG_KUNIT)
long accel_context_ioctl(struct accel_context *ctx, unsigned int cmd, void __user *arg);
int accel_context_open(struct accel_call *call);
#endif

/* ----------------------------------------------------------------- fdinfo.c */

void accel_show_fdinfo(struct seq_file *m, struct file *file);

/* ------------------------------------------------------------------- mmap.c */

int accel_mmap(struct file *file, struct vm_area_struct *vma);
int accel_map_init(struct accel_device *adev);
void accel_map_zap(struct accel_device *adev);
void accel_map_state(struct accel_device *adev);
void accel_map_destroy(struct accel_device *adev);

/* ------------ mem.c, mem_dma.c, mem_gather.c, mem_dirty.c, mem_user.c, … */

struct accel_pin_times;

/**
 * struct accel_mem_ops - one way to obtain a region, a file of its own
 * @way: which
 * @name: as tools show it
 * @pins: its bytes count as pinned by the context
 * @early: others may find a region, and revoke it, while it is being created
 * @acquire: get hold of the pages; not gated, since user space may prolong it for ever.
 *	@times says where the time went, and is filled in when @timed
 * @map: make them reachable for the device: sets sgt and nsegs. Gated
 * @unmap: undo @map; the device is still there
 * @attach: optional; instead of the one accel_mem_map() when the region is made: the
 *	way calls it itself, as often as it must. Gated
 * @detach: undo @attach
 * @validate: optional; before each job: is the mapping good? With the reservation of
 *	mem->dmabuf held. 1: it is not, but jobs use it
 * @release: undo @acquire; the device may be gone. Must not wait for what user space can
 *	prolong, since ctx->lock may be held
 * @finish: optional; the part of @release that may. Not gated, no lock is held; may come
 *	more than once, also for a region that was not released or never acquired
 * @forget: optional; the last reference is gone
 */
struct accel_mem_ops {
	enum accel_mem_way way;
	const char *name;
	bool pins;
	bool early;
	int (*acquire)(struct accel_mem *mem, struct accel_pin_times *times, bool timed);
	int (*map)(struct accel_mem *mem);
	void (*unmap)(struct accel_mem *mem);
	int (*attach)(struct accel_mem *mem);
	void (*detach)(struct accel_mem *mem);
	int (*validate)(struct accel_mem *mem);
	void (*release)(struct accel_mem *mem);
	void (*finish)(struct accel_mem *mem);
	void (*forget)(struct accel_mem *mem);
};

extern const struct accel_mem_ops accel_mem_user_ops;
/* of accel_mem_user_ops, by name for mem.c */
int accel_mem_user_acquire(struct accel_mem *mem, struct accel_pin_times *times, bool timed);
void accel_mem_user_release(struct accel_mem *mem);

extern const struct accel_mem_ops accel_mem_dmabuf_ops;

struct accel_mem *accel_mem_alloc(struct accel_context *ctx, const struct accel_mem_ops *ops);
int accel_mem_create(struct accel_mem *mem, int ret, u64 *id);
void accel_mem_put(struct accel_mem *mem);
void accel_mem_free_spare(struct accel_context *ctx);
struct accel_mem *accel_mem_next_rcu(struct accel_context *ctx, u64 *id);
int accel_mem_init(void);
void accel_mem_exit(void);
int accel_mem_map(struct accel_mem *mem);
void accel_mem_unmap(struct accel_mem *mem);
struct accel_mem *accel_mem_use(struct accel_context *ctx, u64 id, u32 access,
				u64 offset, u64 length);
void accel_mem_unuse(struct accel_mem *mem, bool written, u64 offset, u64 length);
void accel_mem_release_all(struct accel_context *ctx);
void accel_mem_revoke(struct accel_mem *mem, int error);

/* A context's regions are sorted by their ids. */
static inline int accel_mem_compare(const void *id, const struct rb_node *node)
{
	u64 want = *(const u64 *)id, have = rb_entry(node, struct accel_mem, node)->id;

	return want < have ? -1 : want > have;
}

/* ctx->mem_lock is held. NULL: there is none, or it is on its way out. */
static __always_inline struct accel_mem *accel_mem_find(struct accel_context *ctx, u64 id)
{
	struct rb_node *node = rb_find(&id, &ctx->mems, accel_mem_compare);
	struct accel_mem *mem = node ? rb_entry(node, struct accel_mem, node) : NULL;

	return mem && !mem->closing && !mem->revoked ? mem : NULL;
}

/* Of accel_device.dma_users: iommufd has the device's DMA. */
#define ACCEL_DMA_ATTACHED	(-1)

/*
 * Each mapping made with the DMA API has it for itself against an attachment, which
 * answers -EBUSY as long as there is one; and the other way round.
 */
static inline int accel_mem_dma_get(struct accel_device *adev)
{
	return atomic_inc_unless_negative(&adev->dma_users) ? 0 : -EBUSY;
}

static inline void accel_mem_dma_put(struct accel_device *adev)
{
	atomic_dec(&adev->dma_users);
}

/* Pages that are pinned at a time: 2 MiB, one atomic where they are one folio. */
#define ACCEL_PIN_BATCH		512UL

/* Runs of pages that need no memory of their own. */
#define ACCEL_GATHER_FEW	8UL

struct accel_run {
	struct page *page;		/* the first one */
	unsigned long pages;
};

struct accel_runs;

/* Pages on their way into a table; on their gatherer's stack. */
struct accel_gather {
	unsigned long limit;		/* pages of the longest run */
	unsigned long num;		/* of runs */
	unsigned long pages;
	struct accel_run *run;		/* the last one */
	struct accel_run *free;		/* the next one */
	struct accel_run *end;		/* of where that is */
	struct accel_runs *first;	/* those that are not in few */
	struct accel_runs *last;
	struct accel_run few[ACCEL_GATHER_FEW];
};

/**
 * accel_gather_start - begin to gather pages
 * @g: for accel_gather_end(), _unpin() or _free(); need not be cleared
 * @adev: the device that they are for
 */
static inline void accel_gather_start(struct accel_gather *g, const struct accel_device *adev)
{
	g->limit = adev->max_segment >> PAGE_SHIFT;
	g->num = 0;
	g->pages = 0;
	g->run = NULL;
	g->free = g->few;
	g->end = g->few + ACCEL_GATHER_FEW;
	g->first = NULL;
	g->last = NULL;
}

unsigned int accel_gather_limit(struct device *dev);
int accel_gather_add(struct accel_gather *g, struct page **pages, unsigned long n);
int accel_gather_end(struct accel_gather *g, struct accel_mem *mem);
void accel_gather_unpin(struct accel_gather *g);
void accel_gather_free(struct accel_gather *g);

/* sg_next(), for loops in which a call for each entry is dear. */
static __always_inline struct scatterlist *accel_sg_next(struct scatterlist *sg)
{
	if (sg_is_last(sg))
		return NULL;
	sg++;
	return unlikely(sg_is_chain(sg)) ? sg_chain_ptr(sg) : sg;
}

/* A table of one entry: @n pages that follow one another, and are not too many for it. */
static __always_inline void accel_table_set_run(struct accel_mem *mem, struct page *page,
						unsigned long n)
{
	*mem->first = (struct scatterlist){};
	sg_set_page(mem->first, page, n << PAGE_SHIFT, 0);
	sg_mark_end(mem->first);
	mem->table = (struct sg_table) {
		.sgl = mem->first,
		.nents = 1,
		.orig_nents = 1,
	};
	mem->sgt = &mem->table;
	mem->nsegs = 1;
}

bool accel_table_of_run(struct accel_mem *mem, struct page **pages);
u32 accel_table_folios(const struct accel_mem *mem);
void __accel_table_free(struct accel_mem *mem);

/**
 * accel_table_free - free the table that accel_gather_end() has made
 * @mem: a region that is not mapped
 */
static __always_inline void accel_table_free(struct accel_mem *mem)
{
	if (mem->table.orig_nents > ARRAY_SIZE(mem->first))
		__accel_table_free(mem);
	mem->table.orig_nents = 0;
	mem->sgt = NULL;
}

void accel_unpin_clean(struct page *page, unsigned long n);
void accel_unpin_dirty(struct page *page, unsigned long n);
void accel_table_unpin_clean(struct accel_mem *mem);

struct page **accel_pin_batch_get(void);
void accel_pin_batch_put(struct page **pages);
int accel_gather_init(void);
void accel_gather_exit(void);

struct device *accel_mem_dma_device(const struct accel_mem *mem);
enum dma_data_direction accel_mem_dir(const struct accel_mem *mem);
bool accel_mem_is_bounced(struct device *dev, dma_addr_t addr);
void accel_dirty_add(struct accel_dirty *dirty, u64 offset, u64 length);
void accel_dirty_add_all(struct accel_dirty *dirty, const struct accel_dirty *from);
int accel_mem_dma_map(struct accel_mem *mem);
void accel_mem_dma_unmap(struct accel_mem *mem);
void accel_mem_sync(struct accel_mem *mem, u64 offset, u64 length, bool for_device);

/* ------------------------------------- mem_dmabuf.c, mem_export.c, job_sync.c */

extern const struct dma_buf_attach_ops accel_dmabuf_attach_ops;

/* What the importers of a region that is exported have to know. */
enum accel_export_state {
	ACCEL_EXPORT_SHARED,	/* also what somebody else exports */
	ACCEL_EXPORT_REVOKED,	/* no new jobs */
	ACCEL_EXPORT_ENDED,	/* nor running ones */
};

enum accel_export_state accel_export_state(struct dma_buf *dmabuf);
int accel_export_settle(struct accel_mem *mem);
void accel_export_revoke(struct accel_mem *mem);
void accel_export_note(struct dma_buf *dmabuf, u64 offset, u64 length);

/* The dma-bufs of a job that is being submitted, their reservations locked. */
struct accel_job_sync {
	struct ww_acquire_ctx acquire;
	unsigned int num;
	struct {
		struct dma_buf *dmabuf;
		bool write;
	} bufs[ACCEL_JOB_MAX_MEMS];
};

int accel_job_sync_begin(struct accel_job *job, struct accel_job_sync *sync);
void accel_job_sync_publish(struct accel_job *job);
void accel_job_sync_end(struct accel_job_sync *sync);
void accel_job_sync_release(struct accel_job *job);
void accel_job_signal(struct accel_job *job);
bool accel_fence_uses(struct dma_fence *fence, struct dma_resv *resv);
bool accel_fence_is_ours(struct dma_fence *fence);
void accel_fences_exit(void);
/* ----------------------------- iommufd.c, mem_iommufd.c, mem_attach.c */

#if IS_ENABLED(CONFIG_IOMMUFD)
const struct accel_mem_ops *accel_iommufd_mem_ops(struct accel_context *ctx);
void accel_iommufd_leave(struct accel_context *ctx);
void accel_iommufd_wait(struct accel_context *ctx);
void accel_iommufd_wait_all(struct accel_device *adev);
int accel_iommufd_init(void);
void accel_iommufd_exit(void);
#else
static inline const struct accel_mem_ops *accel_iommufd_mem_ops(struct accel_context *ctx)
{
	return NULL;
}

static inline void accel_iommufd_leave(struct accel_context *ctx) { }
static inline void accel_iommufd_wait(struct accel_context *ctx) { }
static inline void accel_iommufd_wait_all(struct accel_device *adev) { }

static inline int accel_iommufd_init(void)
{
	return 0;
}

static inline void accel_iommufd_exit(void) { }
#endif

int accel_iommufd_unsupported(struct accel_context *ctx);

/* --------------------------- job.c, engine.c, engine_add.c, engine_usage.c */

/*
 * A queue of jobs and the thread that serves it. @desc is the driver's, gone once the
 * device is unregistered. @lock protects all below it, and each context's usage of
 * this engine.
 */
struct accel_engine {
	struct accel_device *adev;
	const struct accel_engine_desc *desc;
	char name[ACCEL_NAME_LEN];
	u32 index;
	u32 depth;
	u32 timeout_ms;
	struct kobject *kobj;
	struct task_struct *thread;
	wait_queue_head_t wq;		/* the thread's */
	wait_queue_head_t idle_wq;	/* the last job was retired */
	spinlock_t lock;
	int stop_error;			/* not 0: no job is taken or started, this is the answer */
	struct list_head queued;
	struct list_head running;
	struct list_head ended;		/* to be retired by the thread */
	u64 searches;			/* for a job that can start, so far */
	bool held;			/* a policy held one back in the last of them */
	bool retries;			/* the thread sleeps no longer than until it asks again */
	u32 num_queued;
	u32 num_running;
	u32 num_unretired;
	u64 jobs;
	u64 errors;
	u64 bytes;
	u64 wait_ns;
	u64 busy;			/* time so far: see accel_engine_busy_ns() */
};

/* Of accel_engine.busy: it goes on. */
#define ACCEL_ENGINE_BUSY	BIT_ULL(63)

/*
 * How long an engine was busy until @now, which is no earlier than its last change. An idle engine
 * keeps that time itself; a busy one the time at which it would have begun to be busy, had it
 * never been idle. So it is one word, right whenever it is read, with a lock or without.
 */
static inline u64 accel_engine_busy_ns(const struct accel_engine *engine, u64 now)
{
	u64 busy = READ_ONCE(engine->busy), from = busy & ~ACCEL_ENGINE_BUSY;

	if (!(busy & ACCEL_ENGINE_BUSY))
		return busy;
	return now > from ? now - from : 0;
}

/* It begins, or ceases, to be busy. Its lock is held. */
static inline void accel_engine_set_busy(struct accel_engine *engine, bool busy, u64 now)
{
	u64 ns = accel_engine_busy_ns(engine, now);

	WRITE_ONCE(engine->busy, busy ? (now - ns) | ACCEL_ENGINE_BUSY : ns);
}

/* A consistent copy of an engine's, or of one context's share of it. */
struct accel_engine_count {
	u32 queued;
	u32 running;
	u64 jobs;
	u64 errors;
	u64 bytes;
	u64 wait_ns;
	u64 busy_ns;	/* up to now */
};

void accel_job_put(struct accel_job *job);
void accel_job_unuse_mems(struct accel_job *job);
int accel_engine_queue(struct accel_call *call);
void accel_engine_read(struct accel_engine *engine, struct accel_engine_count *count);
void accel_engine_read_usage(struct accel_engine *engine, struct accel_context *ctx,
			     struct accel_engine_count *count);
u32 accel_engine_started(struct accel_engine *engine, struct accel_context *ctx);
int accel_engines_start(struct accel_device *adev);
void accel_engines_pause(struct accel_device *adev, int error);
void accel_engines_refuse(struct accel_device *adev, int error);
void accel_engines_resume(struct accel_device *adev);
bool accel_engines_own_current(struct accel_device *adev);
void accel_engines_stop(struct accel_device *adev);
void accel_engines_free(struct accel_device *adev);
void accel_jobs_cancel(struct accel_context *ctx);
void accel_jobs_abort(struct accel_mem *mem, int error);
void accel_jobs_forget(struct accel_context *ctx);

/* -------------------------------------------------------------------- pci.c */

#ifdef CONFIG_PCI
int accel_pci_init(struct accel_device *adev);
void accel_pci_exit(struct accel_device *adev);
void accel_pci_isolate(struct accel_device *adev);
#else
static inline int accel_pci_init(struct accel_device *adev) { return 0; }
static inline void accel_pci_exit(struct accel_device *adev) {}
static inline void accel_pci_isolate(struct accel_device *adev) {}
#endif

/* --------------------------------------------- sysfs.c, debugfs.c, netlink.c */

extern const struct attribute_group *accel_device_groups[];
int accel_sysfs_add(struct accel_device *adev);
void accel_sysfs_remove(struct accel_device *adev);

int accel_debugfs_init(void);
void accel_debugfs_exit(void);
void accel_debugfs_add(struct accel_device *adev);
void accel_debugfs_remove(struct accel_device *adev);

int accel_netlink_init(void);
void accel_netlink_exit(void);
/* Notifications: may sleep; adev and ctx are whole. */
void accel_netlink_device_added(struct accel_device *adev);
void accel_netlink_device_removed(struct accel_device *adev);
void accel_netlink_device_changed(struct accel_device *adev);
void accel_netlink_context_opened(struct accel_context *ctx);
void accel_netlink_context_closed(struct accel_context *ctx);

#endif /* _ACCEL_CORE_H */
