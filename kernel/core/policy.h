/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hooks, as their callers see them: a static branch while there is no policy, and a
 * test of a bit where none of the node's policies has that hook.
 */
#ifndef _ACCEL_POLICY_H
#define _ACCEL_POLICY_H

#include <linux/accelerator_policy.h>
#include <linux/jump_label.h>
#include <linux/list.h>

#include "core.h"

struct bpf_link;

/* The members of struct accel_policy_ops, in their order. */
enum accel_hook {
	ACCEL_HOOK_OPEN,
	ACCEL_HOOK_IOCTL,
	ACCEL_HOOK_MMAP,
	ACCEL_HOOK_MEM_PIN,
	ACCEL_HOOK_DMA_MAP,
	ACCEL_HOOK_JOB_SUBMIT,
	ACCEL_HOOK_JOB_START,
	ACCEL_HOOK_CONTEXT_CLOSE,
	ACCEL_HOOK_MEM_UNPIN,
	ACCEL_HOOK_MEM_UNPINNED,
	ACCEL_HOOK_JOB_DONE,
	ACCEL_HOOK_NR
};

/* The partners of a hook, by bit. */
static inline u32 accel_hook_partners(enum accel_hook hook)
{
	switch (hook) {
	case ACCEL_HOOK_OPEN:
		return BIT(ACCEL_HOOK_CONTEXT_CLOSE);
	case ACCEL_HOOK_MEM_PIN:
		return BIT(ACCEL_HOOK_MEM_UNPIN) | BIT(ACCEL_HOOK_MEM_UNPINNED);
	case ACCEL_HOOK_JOB_SUBMIT:
		return BIT(ACCEL_HOOK_JOB_DONE);
	default:
		return 0;
	}
}

/* All that are partners. */
#define ACCEL_HOOKS_PARTNERS	(BIT(ACCEL_HOOK_CONTEXT_CLOSE) | BIT(ACCEL_HOOK_MEM_UNPIN) | \
				 BIT(ACCEL_HOOK_MEM_UNPINNED) | BIT(ACCEL_HOOK_JOB_DONE))

/* How often the engine asks again about a job that is held back. */
#define ACCEL_POLICY_RETRY_MS	10

struct accel_policy_counts {
	u64 calls[ACCEL_HOOK_NR];
	u64 refused[ACCEL_HOOK_NR];
};

/**
 * struct accel_policy - one that is attached
 * @link: in the list of all, in the order in which they are asked
 * @id: never reused while the core is loaded
 * @ops: its hooks; another after a replacement
 * @name: a copy
 * @device: a copy
 * @priority: a copy
 * @hooks: those it has, by bit
 * @bpf_link: what holds it, for its id; NULL: a struct_ops map without a link
 * @counts: per cpu
 * @bad_returns: answers that were no errno
 * @overruled: jobs that it held back for too long
 */
struct accel_policy {
	struct list_head link;
	u64 id;
	const struct accel_policy_ops *ops;
	char name[ACCEL_POLICY_NAME_LEN];
	char device[ACCEL_POLICY_DEVICE_LEN];
	s32 priority;
	u32 hooks;
	struct bpf_link *bpf_link;
	struct accel_policy_counts __percpu *counts;
	atomic64_t bad_returns;
	atomic64_t overruled;
};

/*
 * One policy of a node, which was asked in the sets from @since to @last; U64_MAX: it still is.
 * If not, since a replacement of it is for other nodes, it is told of the end of what it has
 * allowed until then. That, then widened again, is two entries.
 */
struct accel_policy_entry {
	const struct accel_policy_ops *ops;
	u64 since;
	u64 last;
	u32 hooks;
	struct accel_policy_counts __percpu *counts;
	struct accel_policy *policy;
};

struct accel_policy_set {
	u64 stamp;
	u32 hooks;		/* that any of them has, or whose partner any of them has */
	u32 num;
	const struct accel_policy_entry *end;
	struct rcu_head rcu;
	struct accel_policy_entry entries[] __counted_by(num);
};

/* All policies. Under the mutex; the generation tells a dump that they have changed. */
extern struct list_head accel_policies;
extern struct mutex accel_policies_lock;
extern u32 accel_policies_generation;

extern unsigned int accel_policy_hold_ms;

int accel_policy_attach(const struct accel_policy_ops *ops, struct bpf_link *link);
int accel_policy_replace(const struct accel_policy_ops *ops, const struct accel_policy_ops *old);
void accel_policy_detach(const struct accel_policy_ops *ops);
const char *accel_policy_check(const struct accel_policy_ops *ops);
const char *accel_hook_name(enum accel_hook hook);
void accel_policy_sum(const struct accel_policy *policy, enum accel_hook hook,
		      u64 *calls, u64 *refused);

int accel_policy_add_device(struct accel_device *adev);
void accel_policy_remove_device(struct accel_device *adev);

DECLARE_STATIC_KEY_FALSE(accel_policies_attached);

int __accel_policy_open(struct accel_context *ctx);
int __accel_policy_ioctl(struct accel_context *ctx, unsigned int cmd, const u64 *arg);
int __accel_policy_mmap(struct accel_context *ctx, u64 offset, u64 bytes, bool write);
int __accel_policy_mem_pin(struct accel_context *ctx, struct accel_mem *mem);
int __accel_policy_dma_map(struct accel_context *ctx, struct accel_mem *mem);
int __accel_policy_job_submit(struct accel_context *ctx, struct accel_job *job);
bool __accel_policy_job_start(struct accel_context *ctx, struct accel_job *job);
void __accel_policy_context_close(struct accel_context *ctx);
void __accel_policy_mem_unpin(struct accel_mem *mem);
void __accel_policy_mem_failed(struct accel_mem *mem);
void __accel_policy_job_done(struct accel_context *ctx, struct accel_job *job);
void accel_policy_tell_unpin(const struct accel_policy_set *set, struct accel_mem *mem);
void accel_policy_tell_unpinned(const struct accel_policy_set *set, struct accel_context *ctx,
				u64 bytes, u64 stamp);

static __always_inline bool accel_policy_has(const struct accel_context *ctx, enum accel_hook hook)
{
	return static_branch_unlikely(&accel_policies_attached) &&
	       READ_ONCE(ctx->opened_node->policy_hooks) & BIT(hook);
}

static inline int accel_policy_open(struct accel_context *ctx)
{
	return accel_policy_has(ctx, ACCEL_HOOK_OPEN) ? __accel_policy_open(ctx) : 0;
}

static __always_inline int accel_policy_ioctl(struct accel_context *ctx, unsigned int cmd,
					      const u64 *arg)
{
	return accel_policy_has(ctx, ACCEL_HOOK_IOCTL) ? __accel_policy_ioctl(ctx, cmd, arg) : 0;
}

static inline int accel_policy_mmap(struct accel_context *ctx, u64 offset, u64 bytes, bool write)
{
	return accel_policy_has(ctx, ACCEL_HOOK_MMAP) ?
		__accel_policy_mmap(ctx, offset, bytes, write) : 0;
}

static inline int accel_policy_mem_pin(struct accel_mem *mem)
{
	return accel_policy_has(mem->ctx, ACCEL_HOOK_MEM_PIN) ?
		__accel_policy_mem_pin(mem->ctx, mem) : 0;
}

static inline int accel_policy_dma_map(struct accel_mem *mem)
{
	return accel_policy_has(mem->ctx, ACCEL_HOOK_DMA_MAP) ?
		__accel_policy_dma_map(mem->ctx, mem) : 0;
}

static inline int accel_policy_job_submit(struct accel_job *job)
{
	return accel_policy_has(job->ctx, ACCEL_HOOK_JOB_SUBMIT) ?
		__accel_policy_job_submit(job->ctx, job) : 0;
}

/* May @job start now? Its engine's lock is held. */
static inline bool accel_policy_job_start(struct accel_job *job)
{
	return accel_policy_has(job->ctx, ACCEL_HOOK_JOB_START) ?
		__accel_policy_job_start(job->ctx, job) : true;
}

/*
 * The partners: nothing where the thing was never allowed by a policy that is still
 * there, or was told to have ended already.
 */
static inline void accel_policy_context_close(struct accel_context *ctx)
{
	if (accel_policy_has(ctx, ACCEL_HOOK_CONTEXT_CLOSE) && ctx->policy_stamp)
		__accel_policy_context_close(ctx);
}

/* A region that was made; its context's lock is held. */
static inline void accel_policy_mem_unpin(struct accel_mem *mem)
{
	if (static_branch_unlikely(&accel_policies_attached) && mem->policy_stamp)
		__accel_policy_mem_unpin(mem);
}

/* One that could not be made. */
static inline void accel_policy_mem_failed(struct accel_mem *mem)
{
	if (static_branch_unlikely(&accel_policies_attached) && mem->policy_stamp)
		__accel_policy_mem_failed(mem);
}

static inline void accel_policy_job_done(struct accel_job *job)
{
	if (accel_policy_has(job->ctx, ACCEL_HOOK_JOB_DONE) && job->policy_stamp)
		__accel_policy_job_done(job->ctx, job);
}

/* ------------------------------------------------------------ policy_owed.c */

extern atomic_t accel_policy_debtors;

/* Whether no policy is owed anything, by no file. */
static inline bool accel_policy_settled(void)
{
	return !atomic_read_acquire(&accel_policy_debtors);
}

/* Whether mem_unpinned counts a region: imports are their exporter's. */
static inline bool accel_policy_in_bulk(const struct accel_mem *mem)
{
	return mem->way != ACCEL_MEM_WAY_DMABUF;
}

void __accel_policy_settle(void);
void accel_policy_prompt_begin(void);
void accel_policy_prompt_end(void);

/*
 * Tell all policies what they are owed. Of what ended before this is called nothing is
 * left to be told when it returns. Context: any but an interrupt's, atomic.
 */
static inline void accel_policy_settle(void)
{
	if (!accel_policy_settled())
		__accel_policy_settle();
}

/* --------------------------------------------------- policy_bpf.c, kfuncs.c */

#if defined(CONFIG_BPF_JIT) && defined(CONFIG_BPF_SYSCALL) && defined(CONFIG_DEBUG_INFO_BTF)
int accel_policy_bpf_init(void);
int accel_kfuncs_init(void);
void accel_kfuncs_exit(void);
#else
static inline int accel_policy_bpf_init(void) { return 0; }
static inline int accel_kfuncs_init(void) { return 0; }
static inline void accel_kfuncs_exit(void) { }
#endif

#endif /* _ACCEL_POLICY_H */
