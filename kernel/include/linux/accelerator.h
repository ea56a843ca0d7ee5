/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compute accelerators: what a driver sees of the subsystem.
 *
 * A driver describes itself in one constant struct accel_driver: its nodes with
 * their ioctl tables, its callbacks, the sizes of its own structures. From
 * probe() it allocates a device, adds engines and registers it; from remove()
 * it unregisters it. Between the two the core owns the character devices,
 * sysfs, netlink, every open file, every mapping, every pinned page and every
 * job, and calls the driver only while the hardware is there.
 *
 * What a callback may rely on ("gated"): the device is registered, remove() has
 * not passed accel_device_unregister(), and will not before the callback
 * returns. A callback must therefore end in bounded time; it must not touch
 * user memory itself (the core copies arguments in and out, and pins). Process
 * context, may sleep, no lock held, unless it says otherwise.
 *
 * After accel_device_unregister() has returned none of the driver's code is
 * called any more and none of its memory is reachable, although files may stay
 * open for as long as their owners like.
 */
#ifndef _LINUX_ACCELERATOR_H
#define _LINUX_ACCELERATOR_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/cdev.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/dma-direction.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/percpu-refcount.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <linux/version.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <linux/accelerator_ioctl.h>
#include <linux/accelerator_mem.h>
#include <uapi/linux/accelerator.h>

/* The argument of MODULE_IMPORT_NS() and EXPORT_SYMBOL_NS_GPL(): a string since 6.13. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define ACCEL_EXPORT_NS "ACCELERATOR"
#else
#define ACCEL_EXPORT_NS ACCELERATOR
#endif

struct accel_context;
struct accel_device;
struct accel_engine;
struct accel_iommufd;
struct accel_job;
struct accel_job_dep;
struct accel_job_sync;
struct accel_mem;
struct accel_mem_ops;
struct accel_op_stats;
struct accel_policy_set;
struct attribute_group;
struct dentry;
struct dma_buf;
struct dma_buf_attachment;
struct dma_fence;
struct iommufd_ctx;
struct pci_error_handlers;
struct pci_saved_state;

/* ------------------------------------------------------------------ driver */

/**
 * struct accel_node_desc - one character device that each of the driver's devices has
 * @suffix: after the device's name: "" for acc0, "c" for acc0c; a lower-case letter, then
 *	such and digits, 8 at most
 * @mode: permissions devtmpfs creates it with; 0 means 0660
 * @ioctls: the ioctl table; NULL only when @num_ioctls is 0
 * @num_ioctls: entries in @ioctls
 * @can_mmap: the driver's mmap callback, which there must be, serves this node
 *
 * The first node of a driver has the suffix "".
 */
struct accel_node_desc {
	const char *suffix;
	umode_t mode;
	const struct accel_ioctl_desc *ioctls;
	unsigned int num_ioctls;
	bool can_mmap;
};

/**
 * struct accel_map_desc - what a driver answers to mmap()
 * @offset: in: bytes, as user space asked, page aligned
 * @size: in: bytes, page aligned
 * @write: in: the mapping is writable; one that is not can never become so
 * @phys: out: physical address of device memory that backs it; or
 * @kaddr: out: page-aligned kernel address (from __get_free_pages() or
 *	vmalloc_user()) of ordinary memory that backs it
 * @noncached: out: map @phys uncached, as registers need
 *
 * What is behind @phys or @kaddr must stay until accel_device_unregister() has returned,
 * or the context's @close is called; the core removes the mappings before.
 */
struct accel_map_desc {
	u64 offset;
	u64 size;
	bool write;
	phys_addr_t phys;
	void *kaddr;
	bool noncached;
};

/* struct accel_driver.flags */
#define ACCEL_DEVICE_EXCLUSIVE	BIT(0)	/* one open file at a time, a second open: EBUSY */
#define ACCEL_DEVICE_RUNTIME_PM	BIT(1)	/* resume the parent for each callback and job */
#define ACCEL_DEVICE_IOMMUFD_ATTACH BIT(2) /* bound to an IOAS, its IOMMU translates */
#define ACCEL_DEVICE_IOMMUFD_PASID BIT(3) /* besides, it can mark its DMA with PASIDs */

/**
 * struct accel_driver - what the core needs to know of a driver, constant
 * @name: the driver's name, as sysfs and tools show it: less than %ACCEL_NAME_LEN bytes
 * @type: what its devices are, likewise: "npu", "dsp", "offload", "card", …
 * @flags: ACCEL_DEVICE_*
 * @nodes: its character devices
 * @num_nodes: entries in @nodes, 1 to %ACCEL_MAX_NODES
 * @context_size: size of the driver's context structure, whose first member is
 *	its struct accel_context; 0 when it has none of its own
 * @groups: the driver's own sysfs attributes, or NULL; they are given &struct accel_device.dev,
 *	while the device is registered
 * @open: optional; a file is being opened. An error refuses it. Gated.
 * @close: optional; called once for each successful @open: on the last close or
 *	from accel_device_unregister(), whichever is first. The context's jobs
 *	have ended; its memory is still mapped, and @mem_unmap follows.
 * @mmap: optional; fills in what backs a mapping, or refuses. Gated.
 * @mem_map: optional; a region is there and mapped for DMA: enter it into the device's
 *	own page table (accel_mem_iter_start()). An error refuses it. Gated. For a
 *	dma-buf that was moved, again when a job is submitted, with its reservation
 *	held: do not wait for a job
 * @mem_unmap: optional; called once for each successful @mem_map (all of them when
 *	that is absent): when it returns, the device does not reach the region any more.
 *	No job uses it. Gated, or after @close, with the device still there
 * @cancel: optional; from accel_device_unregister(): new calls are refused, make
 *	the ones that wait in the driver return soon
 * @reset_done: optional; from %accel_pci_error_handlers: an error was reported, or
 *	somebody asked for a reset. The hardware may have forgotten everything, or not
 *	have been reset and still be at work. Wait in bounded time until it is not, and
 *	make it ready for jobs as before registering. Bus mastering is off, so that
 *	what it was at reaches no memory: pci_set_master() when it is safe. An error
 *	makes the device FAILED. No job runs; but open, close, mmap and handlers that
 *	are allowed in any state may.
 *
 * With %ACCEL_DEVICE_RUNTIME_PM the core resumes the parent for each callback and for
 * as long as a job runs; where it cannot be resumed, calls and jobs end with EIO.
 * Runtime PM must be enabled when the device is registered. Enumeration resumes
 * nothing. A mapping of device memory needs the hardware for longer than @mmap: a
 * driver that offers one keeps a reference of its own until @close.
 *
 * A driver that lists ACCEL_IOCTLS_IOMMUFD lets a file be bound to an IOAS of an iommufd,
 * and regions be named by its addresses. As a rule the core then has iommufd pin the pages
 * and maps them for DMA, and the device's own page table (@mem_map) makes the IOVA mean
 * them. With %ACCEL_DEVICE_IOMMUFD_ATTACH the hardware itself is attached to the IOAS, and
 * the IOVA is the DMA address. For that iommufd takes the device's DMA from the kernel,
 * all of it, so one file at a time can be bound, and only while no region is mapped. The
 * bus driver must have driver_managed_dma set, and so gives up the kernel's protection
 * against a driver in user space for another device of the same IOMMU group: attaching is
 * refused where there is one.
 *
 * With %ACCEL_DEVICE_IOMMUFD_PASID besides, many files can be bound at a time, each with a
 * PASID of its own (%ACCEL_IOMMUFD_PASID): the driver has the hardware mark what it does
 * for a file with accel_context_pasid(). How many PASIDs there are the IOMMU and the bus
 * say. Enabling them is the IOMMU driver's part; what the device has for it in registers
 * of its own, this driver's.
 */
struct accel_driver {
	const char *name;
	const char *type;
	u32 flags;
	const struct accel_node_desc *nodes;
	unsigned int num_nodes;
	size_t context_size;
	const struct attribute_group **groups;
	int (*open)(struct accel_context *ctx);
	void (*close)(struct accel_context *ctx);
	int (*mmap)(struct accel_context *ctx, struct accel_map_desc *map);
	int (*mem_map)(struct accel_mem *mem);
	void (*mem_unmap)(struct accel_mem *mem);
	void (*cancel)(struct accel_device *adev);
	int (*reset_done)(struct accel_device *adev);
};

#define ACCEL_MAX_NODES		4
#define ACCEL_MAX_ENGINES	32
#define ACCEL_NAME_LEN		16	/* of devices and engines, with the NUL */

/* ------------------------------------------------------------------ device */

/**
 * enum accel_state - how a device is
 * @ACCEL_STATE_OK: it works
 * @ACCEL_STATE_RESETTING: jobs are refused with EIO until it is OK again
 * @ACCEL_STATE_FAILED: the same, and only the driver's word ends it
 * @ACCEL_STATE_GONE: unregistered; files that are still open answer ENODEV
 */
enum accel_state {
	ACCEL_STATE_OK,
	ACCEL_STATE_RESETTING,
	ACCEL_STATE_FAILED,
	ACCEL_STATE_GONE,
};

/* One character device of a device. Core only. */
struct accel_node {
	struct accel_device *adev;
	struct device *dev;
	struct cdev cdev;
	char name[ACCEL_NAME_LEN];
	umode_t mode;
	bool can_mmap;
	bool has_exclusive;		/* some ioctl is ACCEL_IOCTL_EXCLUSIVE */
	unsigned int num_ioctls;
	struct accel_ioctl_desc *ioctls;	/* a copy, by command number */
	struct accel_policy_set __rcu *policies;	/* those that decide on it */
	u32 policy_hooks;		/* that any of those has, by bit */
	struct accel_policy_set *next_policies;	/* while they change */
};

/**
 * struct accel_device - one accelerator, embedded first in the driver's own structure
 * @dev: its struct device, named acc%d, child of the hardware's; refcounted by the core
 * @drv: the driver; NULL once unregistered
 * @id: never reused while the core is loaded
 * @index: the number in its name; reused
 * @firmware_version: shown in sysfs and netlink when not empty; set before registering
 * @serial: likewise
 * @uuid: likewise, any textual form
 *
 * Members above "private" are the driver's to read.
 */
struct accel_device {
	struct device dev;
	const struct accel_driver *drv;
	u64 id;
	u32 index;
	char firmware_version[32];
	char serial[32];
	char uuid[40];
	/* private: the core's */
	char name[ACCEL_NAME_LEN];
	char drv_name[ACCEL_NAME_LEN];
	char type[ACCEL_NAME_LEN];
	char pci_name[ACCEL_NAME_LEN];	/* of its parent, for fdinfo; empty: no PCI device */
	struct percpu_ref gate;
	struct completion drained;
	bool sealed;			/* registering it has begun: no more engines */
	bool registered;		/* written under lock; what users are told of it */
	bool exclusive;
	bool runtime_pm;
	bool fences;			/* its jobs may signal dma_fences */
	bool iommufd_attach;
	bool iommufd_pasid;
	size_t context_size;
	unsigned int max_segment;	/* bytes of the longest entry of a region's table */
	enum accel_state state;
	bool stuck;			/* accel_device_fail(), and it was not reset since */
	struct work_struct stuck_work;	/* says so */
	struct mutex lock;		/* its state, and who may change that */
	struct xarray contexts;		/* open files by id */
	atomic_t num_contexts;
	atomic_t dma_users;		/* regions mapped with the DMA API, or ACCEL_DMA_ATTACHED */
	unsigned int attachments;	/* then: of how many contexts; under lock */
	struct iommufd_ctx *shared_by;	/* what has their DMA, if they have a PASID each */
	atomic64_t pinned_bytes;
	atomic64_t mapped_bytes;
	struct accel_op_stats __percpu *stats;
	struct pci_saved_state *pci_state;	/* as it was when registered */
	struct inode *map_inode;	/* all mappings of all files hang here */
	struct rw_semaphore map_lock;	/* faults look at the state, and act on it */
	struct list_head policy_link;
	struct llist_node put_link;	/* a BPF program has put the last reference */
	struct rcu_head rcu;
	struct kobject *engines_kobj;
	struct dentry *debugfs;		/* its directory, while registered */
	struct list_head debugfs_files;	/* what is in it, the driver's own as well */
	unsigned int num_engines;
	struct accel_engine *engines[ACCEL_MAX_ENGINES];
	unsigned int num_nodes;
	struct accel_node nodes[ACCEL_MAX_NODES];
};

struct accel_device *__accel_device_alloc(struct device *parent,
					  const struct accel_driver *drv, size_t size);

/**
 * accel_device_alloc - allocate a driver's device structure
 * @_parent: the hardware's struct device
 * @_drv: the driver
 * @_type: the driver's structure
 * @_member: its struct accel_device, the first member
 *
 * Released with accel_device_put(), or by accel_device_unregister() and
 * accel_device_put() once registered.
 *
 * Context: process, may sleep.
 * Return: the structure, zeroed but for the core's part, or an ERR_PTR.
 */
#define accel_device_alloc(_parent, _drv, _type, _member) ({			\
	static_assert(offsetof(_type, _member) == 0);				\
	struct accel_device *__adev =						\
		__accel_device_alloc(_parent, _drv, sizeof(_type));		\
	IS_ERR(__adev) ? ERR_CAST(__adev) :					\
		container_of(__adev, _type, _member); })

struct accel_device *__devm_accel_device_alloc(struct device *parent,
					       const struct accel_driver *drv, size_t size);

/**
 * devm_accel_device_alloc - accel_device_alloc(), put when the driver leaves @_parent
 * @_parent: the hardware's struct device, bound or being probed
 * @_drv: the driver
 * @_type: the driver's structure
 * @_member: its struct accel_device, the first member
 *
 * To be called before what an interrupt handler needs is acquired, so that the
 * structure goes after the interrupt.
 *
 * Context: process, may sleep.
 * Return: the structure, zeroed but for the core's part, or an ERR_PTR.
 */
#define devm_accel_device_alloc(_parent, _drv, _type, _member) ({		\
	static_assert(offsetof(_type, _member) == 0);				\
	struct accel_device *__adev =						\
		__devm_accel_device_alloc(_parent, _drv, sizeof(_type));	\
	IS_ERR(__adev) ? ERR_CAST(__adev) :					\
		container_of(__adev, _type, _member); })

int accel_device_register(struct accel_device *adev);
void accel_device_unregister(struct accel_device *adev);
int devm_accel_device_register(struct accel_device *adev);
int accel_device_set_state(struct accel_device *adev, enum accel_state state);
void accel_device_fail(struct accel_device *adev);
void accel_device_put(struct accel_device *adev);

/*
 * For the err_handler of a struct pci_driver that registers one device for each function:
 * recovery from errors that AER (or the like) reports, and resets, without any code of the
 * driver's but its reset_done callback.
 *
 * The device is RESETTING from the report, or the request, until the hardware is ready
 * again: its jobs end with EIO; files, regions and mappings stay. The configuration is
 * restored to what it was when the device was registered. Hardware that does not come back
 * makes the device FAILED; a later reset (sysfs) that succeeds makes it OK.
 *
 * A driver's cancel callback of an engine may find pci_channel_offline(): what it reads
 * is then all ones, and the core has seen to it that the hardware reaches no memory.
 */
extern const struct pci_error_handlers accel_pci_error_handlers;

/* ----------------------------------------------------------------- context */

#define ACCEL_NO_SLOT		U32_MAX

/* What the policies of a file are still to be told: its regions that have ended. */
struct accel_policy_owed {
	spinlock_t lock;		/* all that follows, but to add to bytes */
	struct llist_node link;		/* while there are any */
	bool linked;
	u64 stamp;			/* who has allowed them to be made */
	atomic64_t bytes;
};

/**
 * struct accel_context - one open file, embedded first in the driver's own structure
 * @adev: its device; stays valid, but may be unregistered
 * @id: never reused while the core is loaded
 * @node: index of the node that was opened
 * @tgid: process that opened it, in the initial pid namespace
 * @uid: its effective user, in the initial user namespace
 * @cgroup_id: its cgroup (v2) at that moment: the inode number of the directory
 * @comm: its name at that moment
 * @pinned_bytes: pinned now
 * @mapped_bytes: mapped for DMA now
 * @slot: of all contexts that there are, the least number that was free: an index for
 *	observers, which keep arrays. Given to the next context when this one is freed;
 *	%ACCEL_NO_SLOT: there was none
 *
 * Members above "private" are the driver's to read.
 */
struct accel_context {
	struct accel_device *adev;
	u64 id;
	u32 node;
	u32 tgid;
	u32 uid;
	u64 cgroup_id;
	char comm[TASK_COMM_LEN];
	atomic64_t pinned_bytes;
	atomic64_t mapped_bytes;
	u32 slot;
	/* private: the core's */
	struct kref ref;
	const struct accel_node *opened_node;
	struct pid *pid;
	struct rw_semaphore call_sem;	/* ACCEL_IOCTL_EXCLUSIVE */
	struct mutex lock;		/* teardown against teardown */
	bool opened;			/* the driver's open() succeeded */
	bool closing;			/* its jobs have ended, the rest is being torn down */
	bool dead;			/* torn down; set under lock */
	u64 opened_ns;			/* CLOCK_BOOTTIME */
	struct accel_op_stats __percpu *stats;
	struct rb_root mems;		/* by id; an xarray would take nodes for each */
	u32 num_mems;
	spinlock_t mem_lock;		/* mems, num_mems, and who uses them */
	seqcount_t mem_seq;		/* mems changes; written under mem_lock */
	struct accel_mem *spare_mem;	/* one that has ended, for the next */
	wait_queue_head_t mem_wq;	/* a region lost its last user, or was mapped */
	struct accel_iommufd *iommufd;	/* bound to it; set and cleared under lock */
	u32 pasid;			/* of its DMA; written under lock */
	atomic_t iommufd_busy;		/* bindings that are not through yet, either way */
	struct xarray jobs;		/* ended ones too, until waited for */
	spinlock_t job_lock;		/* num_jobs, num_ended */
	u32 num_jobs;
	u32 num_ended;
	wait_queue_head_t poll_wq;
	struct accel_engine_usage *usage;	/* one for each engine */
	u64 policy_stamp;		/* who has allowed it to be opened */
	struct accel_policy_owed policy_owed;
	spinlock_t error_lock;		/* last_error */
	char *last_error;		/* why its last refused call was, or NULL */
	struct llist_node put_link;	/* a BPF program has put the last reference */
	struct rcu_head rcu;
};

/**
 * accel_context_pasid - what the hardware marks a context's DMA with
 * @ctx: the context
 *
 * Of a device with %ACCEL_DEVICE_IOMMUFD_PASID. It does not change while a region of the
 * context by IOVA exists, so not while a job uses one; other contexts of the device have
 * others. What is done with it after the last of the context's jobs may reach what is
 * another context's.
 *
 * Context: any.
 * Return: the PASID; 0 (%IOMMU_NO_PASID): none, its DMA is not to be marked.
 */
static inline u32 accel_context_pasid(const struct accel_context *ctx)
{
	return READ_ONCE(ctx->pasid);
}

__printf(3, 4)
int accel_context_error(struct accel_context *ctx, int error, const char *fmt, ...);

/* -------------------------------------------------------------------- jobs */

/**
 * struct accel_engine_desc - a queue of jobs and what serves it
 * @name: unique within the device: lower case, digits, '-' and '_'
 * @depth: jobs that the hardware takes at a time
 * @timeout_ms: a job that runs longer is cancelled and ends with ETIMEDOUT; 0: never.
 *	Not watched while @run itself does the work. Needs @cancel.
 * @run: start @job on the hardware; in the engine's own thread. Calls
 *	accel_job_done(), at once or later (an interrupt), exactly once. The device
 *	stays until all running jobs have ended.
 * @cancel: optional. Make the hardware forget @job, in bounded time: when it returns,
 *	the device no longer touches the job's memory and accel_job_done() is not called
 *	for it any more. Also in the engine's thread, so never beside @run. 0; or a negative
 *	errno, when the hardware does not stop: accel_job_done() does not come all the same.
 *	The core then takes bus mastering from a PCI device before it gives any page
 *	back, and the device is FAILED. On another bus, a driver must have cut it off from
 *	memory itself before it answers. Without @cancel, the core waits for the
 *	job to end, and @run should look at accel_job_cancelled(), and sleep by
 *	accel_job_sleep_until().
 * @free: optional; the job has ended or was discarded: free what the driver has
 *	hung on it. The structure itself is the core's to free. In the engine's thread,
 *	but for a job that @run never saw: then from whoever gives it up, may be beside
 *	@run of another. The reservation of a dma-buf may be held: lock none, nor wait
 *	for who does.
 *
 * An interrupt may have called accel_job_done() for a job just before @cancel is.
 */
struct accel_engine_desc {
	const char *name;
	unsigned int depth;
	unsigned int timeout_ms;
	void (*run)(struct accel_job *job);
	int (*cancel)(struct accel_job *job);
	void (*free)(struct accel_job *job);
};

struct accel_engine *accel_engine_add(struct accel_device *adev,
				      const struct accel_engine_desc *desc);
unsigned int accel_engine_load(struct accel_engine *engine);

/* Regions that one job may use. */
#define ACCEL_JOB_MAX_MEMS	4

/* Jobs of one context that run, wait or were not waited for: more answer EAGAIN. */
#define ACCEL_CONTEXT_MAX_JOBS	4096

/**
 * enum accel_job_state - where a job is
 * @ACCEL_JOB_NEW: allocated
 * @ACCEL_JOB_QUEUED: waits for its engine
 * @ACCEL_JOB_RUNNING: given to the driver
 * @ACCEL_JOB_DONE: ended, well or badly
 */
enum accel_job_state {
	ACCEL_JOB_NEW,
	ACCEL_JOB_QUEUED,
	ACCEL_JOB_RUNNING,
	ACCEL_JOB_DONE,
};

/**
 * struct accel_job - a piece of work for an engine, embedded first in the driver's own
 * @ctx: the context that submitted it
 * @engine: the engine it was given to
 * @id: never reused while the core is loaded; also the user's handle
 * @op: the driver's operation code, for tracepoints
 * @bytes: data it moves or reads, for accounting
 * @state: where it is
 * @status: how it ended: 0 or a negative errno
 * @result: what accel_job_done() was given
 * @queued_ns: CLOCK_MONOTONIC, 0: not yet
 * @started_ns: likewise
 * @done_ns: likewise
 *
 * Members above "private" are the driver's to read.
 */
struct accel_job {
	struct accel_context *ctx;
	struct accel_engine *engine;
	u64 id;
	u32 op;
	u64 bytes;
	enum accel_job_state state;
	int status;
	u64 result;
	u64 queued_ns;
	u64 started_ns;
	u64 done_ns;
	/* private: the core's */
	struct kref ref;
	struct list_head link;		/* in one of the engine's lists */
	struct list_head ctx_link;	/* while queued, among its context's on the engine */
	int cancel_error;		/* asked to end with this */
	bool powered;			/* holds a runtime PM reference */
	u64 policy_stamp;		/* who has allowed it to be queued */
	u64 held_ns;			/* a policy holds it back since then */
	bool overruled;			/* and was overruled; under the engine's lock */
	struct accel_job_sync *sync;	/* while it is being submitted */
	struct dma_fence *fence;	/* signals its end; NULL: no region is a dma-buf */
	struct accel_job_dep *deps;	/* fences that must signal before it starts */
	atomic_t deps_left;
	unsigned int num_mems;
	struct {
		struct accel_mem *mem;
		bool write;
		u64 offset;
		u64 length;
	} mems[ACCEL_JOB_MAX_MEMS];
	wait_queue_head_t wq;
};

struct accel_job *__accel_job_alloc(struct accel_context *ctx, struct accel_engine *engine,
				    u32 op, u64 bytes, size_t size);

/**
 * accel_job_alloc - allocate a driver's job structure
 * @_ctx: the context that submits it
 * @_engine: the engine it is for
 * @_op: the driver's operation code
 * @_bytes: data it moves or reads
 * @_type: the driver's structure
 * @_member: its struct accel_job, the first member
 *
 * Ends up in accel_job_submit() or accel_job_discard().
 *
 * Context: process, may sleep, gated.
 * Return: the structure, zeroed but for the core's part, or an ERR_PTR.
 */
#define accel_job_alloc(_ctx, _engine, _op, _bytes, _type, _member) ({		\
	static_assert(offsetof(_type, _member) == 0);				\
	struct accel_job *__job =						\
		__accel_job_alloc(_ctx, _engine, _op, _bytes, sizeof(_type));	\
	IS_ERR(__job) ? ERR_CAST(__job) :					\
		container_of(__job, _type, _member); })

struct accel_mem *accel_job_use_mem(struct accel_job *job, u64 mem_id, u32 access,
				    u64 offset, u64 length);
int accel_job_submit(struct accel_job *job, u64 *id);
void accel_job_discard(struct accel_job *job);
void accel_job_done(struct accel_job *job, int status, u64 result);
bool accel_job_cancelled(const struct accel_job *job);
bool accel_job_sleep_until(struct accel_job *job, u64 until_ns);

#endif /* _LINUX_ACCELERATOR_H */
