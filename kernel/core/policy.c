// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies: who is asked, and who is told of the end. policy_attach.c makes the sets.
 *
 * Sets are numbered. What a set has allowed keeps its number (policy_stamp), and each
 * entry of a set knows the numbers of the first and the last set of that node in which it was
 * asked. So when the thing ends, whoever is in the set by then and was asked at that time
 * has to be told, and nobody else: no list hangs on the thing.
 *
 * Those who are told in bulk are told from policy_owed.c.
 */
#include <linux/ktime.h>
#include <trace/events/accel.h>

#include "policy.h"

unsigned int accel_policy_hold_ms = 30000;

/* What is asked, or told; whichever member the hook takes. */
struct accel_policy_call {
	struct accel_context *ctx;
	union {
		struct {
			unsigned int cmd;
			const u64 *arg;
		} ioctl;
		struct {
			u64 offset;
			u64 bytes;
			bool write;
		} mmap;
		struct accel_mem *mem;
		struct accel_job *job;
		u64 unpinned;		/* bytes */
	};
};

/**
 * accel_hook_name - what users see a hook called
 * @hook: the hook
 *
 * Return: a constant string.
 */
const char *accel_hook_name(enum accel_hook hook)
{
	static const char * const names[ACCEL_HOOK_NR] = {
		[ACCEL_HOOK_OPEN] = "open",
		[ACCEL_HOOK_IOCTL] = "ioctl",
		[ACCEL_HOOK_MMAP] = "mmap",
		[ACCEL_HOOK_MEM_PIN] = "mem_pin",
		[ACCEL_HOOK_DMA_MAP] = "dma_map",
		[ACCEL_HOOK_JOB_SUBMIT] = "job_submit",
		[ACCEL_HOOK_JOB_START] = "job_start",
		[ACCEL_HOOK_CONTEXT_CLOSE] = "context_close",
		[ACCEL_HOOK_MEM_UNPIN] = "mem_unpin",
		[ACCEL_HOOK_MEM_UNPINNED] = "mem_unpinned",
		[ACCEL_HOOK_JOB_DONE] = "job_done",
	};

	return names[hook];
}

static __always_inline int accel_policy_ask(const struct accel_policy_ops *ops,
					    enum accel_hook hook,
					    const struct accel_policy_call *call)
{
	switch (hook) {
	case ACCEL_HOOK_OPEN:
		return ops->open(call->ctx);
	case ACCEL_HOOK_IOCTL:
		return ops->ioctl(call->ctx, call->ioctl.cmd, call->ioctl.arg);
	case ACCEL_HOOK_MMAP:
		return ops->mmap(call->ctx, call->mmap.offset, call->mmap.bytes,
				 call->mmap.write);
	case ACCEL_HOOK_MEM_PIN:
		return ops->mem_pin(call->ctx, call->mem);
	case ACCEL_HOOK_DMA_MAP:
		return ops->dma_map(call->ctx, call->mem);
	case ACCEL_HOOK_JOB_SUBMIT:
		return ops->job_submit(call->ctx, call->job);
	case ACCEL_HOOK_JOB_START:
		return ops->job_start(call->ctx, call->job);
	default:
		return 0;
	}
}

static __always_inline void accel_policy_notify(const struct accel_policy_ops *ops,
						enum accel_hook hook,
						const struct accel_policy_call *call)
{
	switch (hook) {
	case ACCEL_HOOK_CONTEXT_CLOSE:
		ops->context_close(call->ctx);
		return;
	case ACCEL_HOOK_MEM_UNPIN:
		ops->mem_unpin(call->ctx, call->mem);
		return;
	case ACCEL_HOOK_MEM_UNPINNED:
		ops->mem_unpinned(call->ctx, call->unpinned);
		return;
	case ACCEL_HOOK_JOB_DONE:
		ops->job_done(call->ctx, call->job);
		return;
	default:
		return;
	}
}

/* Tell those before @entry that were in the set when it had the stamp @seen; backwards. */
static __always_inline void accel_policy_tell_set(const struct accel_policy_set *set,
						  const struct accel_policy_entry *entry,
						  enum accel_hook hook,
						  const struct accel_policy_call *call, u64 seen)
{
	while (entry != set->entries) {
		entry--;
		if (!(entry->hooks & BIT(hook)) || entry->since > seen || entry->last < seen)
			continue;
		this_cpu_inc(entry->counts->calls[hook]);
		accel_policy_notify(entry->ops, hook, call);
	}
}

static __always_inline void accel_policy_tell(enum accel_hook hook,
					      const struct accel_policy_call *call, u64 seen)
{
	const struct accel_policy_set *set;

	rcu_read_lock();
	set = rcu_dereference(call->ctx->opened_node->policies);
	if (set)
		accel_policy_tell_set(set, set->end, hook, call, seen);
	rcu_read_unlock();
}

/* Of what is decided on by a hook that has a partner. */
static u64 *accel_policy_stamp_of(enum accel_hook hook, const struct accel_policy_call *call)
{
	switch (hook) {
	case ACCEL_HOOK_MEM_PIN:
		return &call->mem->policy_stamp;
	case ACCEL_HOOK_JOB_SUBMIT:
		return &call->job->policy_stamp;
	default:
		return &call->ctx->policy_stamp;
	}
}

/* What @entry's policy, which has refused, has allowed those before it to begin is over. */
static void accel_policy_take_back(const struct accel_policy_set *set,
				   const struct accel_policy_entry *entry, enum accel_hook hook,
				   struct accel_policy_call call)
{
	u32 partners = accel_hook_partners(hook);
	enum accel_hook partner;

	for (partner = 0; partner < ACCEL_HOOK_NR; partner++) {
		struct accel_policy_call end = call;

		if (!(partners & BIT(partner)))
			continue;
		if (partner == ACCEL_HOOK_MEM_UNPINNED) {
			if (!accel_policy_in_bulk(call.mem))
				continue;
			end.unpinned = call.mem->length;
		}
		accel_policy_tell_set(set, entry, partner, &end, U64_MAX);
	}
	if (partners)
		*accel_policy_stamp_of(hook, &call) = 0;
}

/* The errnos from here on are the kernel's own. */
#define ACCEL_ERRNO_END		512

/*
 * A policy has refused. Those before it are told that it came to nothing. @call is a copy, made
 * only here: so the caller keeps its own in registers.
 * Return: the caller's errno.
 */
static int accel_policy_refuse(const struct accel_policy_set *set,
			       const struct accel_policy_entry *entry, enum accel_hook hook,
			       struct accel_policy_call call, int ret)
{
	struct accel_policy *policy = entry->policy;

	if (ret > 0 || ret <= -ACCEL_ERRNO_END) {
		atomic64_inc(&policy->bad_returns);
		ret = -EPERM;
	}
	this_cpu_inc(policy->counts->refused[hook]);
	trace_accel_policy_deny(call.ctx, policy->id, policy->name, accel_hook_name(hook), ret);
	accel_policy_take_back(set, entry, hook, call);
	return ret;
}

/*
 * A policy that is told in bulk has refused a region, and may not have been told all.
 * Return: what it says now.
 */
static int accel_policy_ask_again(const struct accel_policy_entry *entry, struct accel_mem *mem,
				  int ret)
{
	if (mem->policy_settled || !(entry->hooks & BIT(ACCEL_HOOK_MEM_UNPINNED)))
		return ret;
	accel_policy_settle();
	mem->policy_settled = true;
	return entry->ops->mem_pin(mem->ctx, mem);
}

/*
 * What a policy has answered that did not just allow it. Preemption is off, and is on
 * again if the answer stays so: what is done here may take locks, and long.
 * Return: the caller's errno; 0: the policy, when it knows all, has nothing against it.
 */
static noinline int accel_policy_refused(const struct accel_policy_set *set,
					 const struct accel_policy_entry *entry,
					 enum accel_hook hook, struct accel_policy_call call,
					 int ret)
{
	char name[ACCEL_POLICY_NAME_LEN];

	rcu_read_lock();
	preempt_enable_notrace();
	if (hook == ACCEL_HOOK_MEM_PIN)
		ret = accel_policy_ask_again(entry, call.mem, ret);
	if (ret) {
		ret = accel_policy_refuse(set, entry, hook, call, ret);
		memcpy(name, entry->policy->name, ACCEL_POLICY_NAME_LEN);
	} else {
		preempt_disable_notrace();
	}
	rcu_read_unlock();
	/* of a file that could not be opened nobody can ask why */
	if (ret && hook != ACCEL_HOOK_OPEN)
		accel_context_error(call.ctx, ret, "%s: refused by policy '%s'",
				    accel_hook_name(hook), name);
	return ret;
}

/*
 * Put a call to the policies of its node. The stamp, where the hook has a partner, says
 * later who has allowed it.
 *
 * With preemption off, which holds the set as rcu_read_lock() would; but on a preemptible
 * kernel that is a call, and a tenth of what a policy costs.
 */
static __always_inline int accel_policy_decide(enum accel_hook hook,
					       const struct accel_policy_call *call)
{
	const struct accel_policy_entry *entry;
	const struct accel_policy_set *set;
	int ret;

	preempt_disable_notrace();
	set = rcu_dereference_sched(call->ctx->opened_node->policies);
	if (likely(set)) {
		if (accel_hook_partners(hook))
			*accel_policy_stamp_of(hook, call) = set->stamp;
		if (hook == ACCEL_HOOK_MEM_PIN)
			call->mem->policy_settled = accel_policy_settled();
		entry = set->entries;
		do {
			if (!(entry->hooks & BIT(hook)))
				continue;
			this_cpu_inc(entry->counts->calls[hook]);
			ret = accel_policy_ask(entry->ops, hook, call);
			if (unlikely(ret)) {
				ret = accel_policy_refused(set, entry, hook, *call, ret);
				if (ret)
					return ret;
			}
		} while (++entry != set->end);
	}
	preempt_enable_notrace();
	return 0;
}

int __accel_policy_open(struct accel_context *ctx)
{
	const struct accel_policy_call call = { .ctx = ctx };

	return accel_policy_decide(ACCEL_HOOK_OPEN, &call);
}

int __accel_policy_ioctl(struct accel_context *ctx, unsigned int cmd, const u64 *arg)
{
	const struct accel_policy_call call = {
		.ctx = ctx,
		.ioctl = { .cmd = cmd, .arg = arg },
	};

	return accel_policy_decide(ACCEL_HOOK_IOCTL, &call);
}

int __accel_policy_mmap(struct accel_context *ctx, u64 offset, u64 bytes, bool write)
{
	const struct accel_policy_call call = {
		.ctx = ctx,
		.mmap = { .offset = offset, .bytes = bytes, .write = write },
	};

	return accel_policy_decide(ACCEL_HOOK_MMAP, &call);
}

int __accel_policy_mem_pin(struct accel_context *ctx, struct accel_mem *mem)
{
	struct accel_policy_call call __uninitialized;

	call.ctx = ctx;
	call.mem = mem;
	return accel_policy_decide(ACCEL_HOOK_MEM_PIN, &call);
}

int __accel_policy_dma_map(struct accel_context *ctx, struct accel_mem *mem)
{
	struct accel_policy_call call __uninitialized;

	call.ctx = ctx;
	call.mem = mem;
	return accel_policy_decide(ACCEL_HOOK_DMA_MAP, &call);
}

int __accel_policy_job_submit(struct accel_context *ctx, struct accel_job *job)
{
	const struct accel_policy_call call = { .ctx = ctx, .job = job };

	return accel_policy_decide(ACCEL_HOOK_JOB_SUBMIT, &call);
}

/* True: whoever holds the job back has done so for too long. */
static bool accel_policy_overrules(struct accel_job *job, struct accel_policy *policy)
{
	u64 now = ktime_get_ns();

	if (!job->held_ns)
		job->held_ns = now;
	if (now - job->held_ns < (u64)READ_ONCE(accel_policy_hold_ms) * NSEC_PER_MSEC)
		return false;
	/* the engine may ask again before it starts the job */
	if (!job->overruled)
		atomic64_inc(&policy->overruled);
	job->overruled = true;
	return true;
}

/*
 * Not a refusal, and asked again and again: no deny, no reason kept. Interrupts are off.
 */
bool __accel_policy_job_start(struct accel_context *ctx, struct accel_job *job)
{
	const struct accel_policy_set *set;
	bool start = true;
	u32 n;

	rcu_read_lock();
	set = rcu_dereference(ctx->opened_node->policies);
	if (set) {
		for (n = 0; n < set->num && start; n++) {
			const struct accel_policy_entry *entry = &set->entries[n];

			if (!(entry->hooks & BIT(ACCEL_HOOK_JOB_START)))
				continue;
			this_cpu_inc(entry->counts->calls[ACCEL_HOOK_JOB_START]);
			if (!entry->ops->job_start(ctx, job))
				continue;
			this_cpu_inc(entry->counts->refused[ACCEL_HOOK_JOB_START]);
			start = accel_policy_overrules(job, entry->policy);
		}
	}
	rcu_read_unlock();
	return start;
}

void __accel_policy_context_close(struct accel_context *ctx)
{
	const struct accel_policy_call call = { .ctx = ctx };

	accel_policy_tell(ACCEL_HOOK_CONTEXT_CLOSE, &call, ctx->policy_stamp);
	ctx->policy_stamp = 0;
}

/**
 * accel_policy_tell_unpin - a region has ended
 * @set: those who are told, if they have allowed it
 * @mem: the region
 *
 * Context: any, atomic, under RCU.
 */
void accel_policy_tell_unpin(const struct accel_policy_set *set, struct accel_mem *mem)
{
	struct accel_policy_call call __uninitialized;

	call.ctx = mem->ctx;
	call.mem = mem;
	accel_policy_tell_set(set, set->end, ACCEL_HOOK_MEM_UNPIN, &call, mem->policy_stamp);
}

/**
 * accel_policy_tell_unpinned - regions of a file have ended
 * @set: those who are told, if they have allowed them
 * @ctx: the file's context
 * @bytes: how long they were together
 * @stamp: who has allowed them to be made
 *
 * Context: any, atomic, under RCU.
 */
void accel_policy_tell_unpinned(const struct accel_policy_set *set, struct accel_context *ctx,
				u64 bytes, u64 stamp)
{
	const struct accel_policy_call call = { .ctx = ctx, .unpinned = bytes };

	accel_policy_tell_set(set, set->end, ACCEL_HOOK_MEM_UNPINNED, &call, stamp);
}

void __accel_policy_job_done(struct accel_context *ctx, struct accel_job *job)
{
	const struct accel_policy_call call = { .ctx = ctx, .job = job };

	accel_policy_tell(ACCEL_HOOK_JOB_DONE, &call, job->policy_stamp);
	job->policy_stamp = 0;
}
