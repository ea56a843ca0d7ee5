// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of regions, for policies: of each by itself (mem_unpin of struct
 * accel_policy_ops) or in bulk (mem_unpinned).
 *
 * Each file adds up what it owes those who are told in bulk, and is in a list of debtors
 * as long as that is anything. Whoever needs them to know settles for all files. Who is to
 * be told is decided by the stamp of the set that has allowed the regions, as for each by
 * itself (policy.c): so what a file owes is of one stamp, and is told when a region of
 * another ends.
 *
 * Whether a region's end is told by itself or in bulk is decided by the set as it ends. That of
 * a later set has to be the same for those who are in both. So while a policy is replaced by
 * one that is told in the other way, nothing is owed: all is told at once.
 */
#include <linux/llist.h>
#include <linux/spinlock.h>

#include "policy.h"

/* Files that owe, until what they owed has been told. */
atomic_t accel_policy_debtors = ATOMIC_INIT(0);

static LLIST_HEAD(accel_policy_list);

/* Held until those that were in the list have been told: who finds it empty has to wait. */
static DEFINE_SPINLOCK(accel_policy_settle_lock);

/* Replacements that are under way, of one way by the other. */
static atomic_t accel_policy_prompt = ATOMIC_INIT(0);

/* @owed->lock is held. */
static void accel_policy_pay(struct accel_context *ctx)
{
	struct accel_policy_owed *owed = &ctx->policy_owed;
	u64 bytes = atomic64_xchg(&owed->bytes, 0);
	const struct accel_policy_set *set;

	if (!bytes)
		return;
	rcu_read_lock();
	set = rcu_dereference(ctx->opened_node->policies);
	if (set)
		accel_policy_tell_unpinned(set, ctx, bytes, owed->stamp);
	rcu_read_unlock();
}

/* The first of its stamp, or since the file has paid. */
static noinline void accel_policy_begin_to_owe(struct accel_mem *mem)
{
	struct accel_context *ctx = mem->ctx;
	struct accel_policy_owed *owed = &ctx->policy_owed;

	spin_lock(&owed->lock);
	if (owed->stamp != mem->policy_stamp) {
		accel_policy_pay(ctx);
		owed->stamp = mem->policy_stamp;
		atomic64_add(mem->length, &owed->bytes);
	}
	if (!owed->linked) {
		WRITE_ONCE(owed->linked, true);
		atomic_inc(&accel_policy_debtors);
		llist_add(&owed->link, &accel_policy_list);
	}
	spin_unlock(&owed->lock);
}

/*
 * ctx->lock is held: the stamp does not change. Either who settles finds what is added
 * here, or it is found here that the file is no longer in the list.
 * Return: false: accel_policy_begin_to_owe() does the rest.
 */
static __always_inline bool accel_policy_owe(struct accel_mem *mem)
{
	struct accel_policy_owed *owed = &mem->ctx->policy_owed;

	if (unlikely(owed->stamp != mem->policy_stamp))
		return false;
	atomic64_add(mem->length, &owed->bytes);
	smp_mb__after_atomic();	/* see __accel_policy_settle() */
	return likely(READ_ONCE(owed->linked));
}

/* All that is not just added up. Preemption is off, and on again in the end. */
static noinline void accel_policy_unpin(const struct accel_policy_set *set, struct accel_mem *mem,
					bool owes)
{
	rcu_read_lock();
	preempt_enable_notrace();
	if (owes)
		accel_policy_begin_to_owe(mem);
	else if (set->hooks & BIT(ACCEL_HOOK_MEM_UNPINNED) && accel_policy_in_bulk(mem))
		accel_policy_tell_unpinned(set, mem->ctx, mem->length, mem->policy_stamp);
	if (set->hooks & BIT(ACCEL_HOOK_MEM_UNPIN))
		accel_policy_tell_unpin(set, mem);
	rcu_read_unlock();
}

/* With preemption off: see accel_policy_decide(). */
void __accel_policy_mem_unpin(struct accel_mem *mem)
{
	const struct accel_policy_set *set;
	bool owes;

	preempt_disable_notrace();
	set = rcu_dereference_sched(mem->ctx->opened_node->policies);
	if (unlikely(!set)) {
		preempt_enable_notrace();
	} else {
		owes = set->hooks & BIT(ACCEL_HOOK_MEM_UNPINNED) && accel_policy_in_bulk(mem) &&
		       !atomic_read(&accel_policy_prompt);
		if (likely(owes && accel_policy_owe(mem) &&
			   !(set->hooks & BIT(ACCEL_HOOK_MEM_UNPIN))))
			preempt_enable_notrace();
		else
			accel_policy_unpin(set, mem, owes);
	}
}

/* Told at once: without ctx->lock it may not be owed. */
void __accel_policy_mem_failed(struct accel_mem *mem)
{
	const struct accel_policy_set *set;

	rcu_read_lock();
	set = rcu_dereference(mem->ctx->opened_node->policies);
	if (set) {
		if (accel_policy_in_bulk(mem))
			accel_policy_tell_unpinned(set, mem->ctx, mem->length, mem->policy_stamp);
		accel_policy_tell_unpin(set, mem);
	}
	rcu_read_unlock();
	mem->policy_stamp = 0;
}

/**
 * accel_policy_prompt_begin - owe nothing from now on
 *
 * When it returns, nothing is owed to any policy, until accel_policy_prompt_end().
 *
 * Context: process, may sleep.
 */
void accel_policy_prompt_begin(void)
{
	atomic_inc(&accel_policy_prompt);
	/* whoever has not seen that has added what it owes by then */
	synchronize_rcu();
	accel_policy_settle();
}

/**
 * accel_policy_prompt_end - undo accel_policy_prompt_begin()
 *
 * Whoever may see older sets is through, by a grace period.
 */
void accel_policy_prompt_end(void)
{
	atomic_dec(&accel_policy_prompt);
}

void __accel_policy_settle(void)
{
	struct accel_context *ctx, *next;

	spin_lock(&accel_policy_settle_lock);
	llist_for_each_entry_safe(ctx, next, llist_del_all(&accel_policy_list), policy_owed.link) {
		spin_lock(&ctx->policy_owed.lock);
		WRITE_ONCE(ctx->policy_owed.linked, false);
		smp_mb();	/* see accel_policy_owe() */
		accel_policy_pay(ctx);
		spin_unlock(&ctx->policy_owed.lock);
		/* the file may be gone from here on, see accel_context_teardown() */
		atomic_dec_return_release(&accel_policy_debtors);
	}
	spin_unlock(&accel_policy_settle_lock);
}
