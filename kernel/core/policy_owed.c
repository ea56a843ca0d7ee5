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
 */
#include <linux/llist.h>
#include <linux/spinlock.h>

#include "policy.h"

/* Files that owe, until what they owed has been told. */
atomic_t accel_policy_debtors = ATOMIC_INIT(0);

static LLIST_HEAD(accel_policy_list);

/* Held until those that were in the list have been told: who finds it empty has to wait. */
static DEFINE_SPINLOCK(accel_policy_settle_lock);

/* @owed->lock is held. */
static void accel_policy_pay(struct accel_context *ctx)
{
	struct accel_policy_owed *owed = &ctx->policy_owed;
	u64 bytes = atomic64_xchg(&owed->bytes, 0);

	if (bytes)
		accel_policy_tell_unpinned(ctx, bytes, owed->stamp);
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
 */
static __always_inline void accel_policy_owe(struct accel_mem *mem)
{
	struct accel_policy_owed *owed = &mem->ctx->policy_owed;

	if (likely(owed->stamp == mem->policy_stamp)) {
		atomic64_add(mem->length, &owed->bytes);
		smp_mb__after_atomic();	/* see __accel_policy_settle() */
		if (likely(READ_ONCE(owed->linked)))
			return;
	}
	accel_policy_begin_to_owe(mem);
}

void __accel_policy_mem_unpin(struct accel_mem *mem)
{
	u32 hooks = READ_ONCE(mem->ctx->opened_node->policy_hooks);

	if (hooks & BIT(ACCEL_HOOK_MEM_UNPINNED) && accel_policy_in_bulk(mem))
		accel_policy_owe(mem);
	if (hooks & BIT(ACCEL_HOOK_MEM_UNPIN))
		accel_policy_tell_unpin(mem);
	mem->policy_stamp = 0;
}

/* Told at once: without ctx->lock it may not be owed. */
void __accel_policy_mem_failed(struct accel_mem *mem)
{
	if (accel_policy_in_bulk(mem))
		accel_policy_tell_unpinned(mem->ctx, mem->length, mem->policy_stamp);
	accel_policy_tell_unpin(mem);
	mem->policy_stamp = 0;
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
