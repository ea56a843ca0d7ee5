// SPDX-License-Identifier: GPL-2.0-only
/* A context's regions, found: by jobs that use them, and by who walks over them. */
#include <linux/rbtree.h>

#include "core.h"

/**
 * accel_mem_next_rcu - walk a context's regions without a lock
 * @ctx: the context
 * @id: the least id that will do; out: that of the region, if there is one
 *
 * While other regions come and go, it looks again a few times; but not for ever, as it
 * may have interrupted just that. Then it may pass over one that is there.
 *
 * Context: any, in an RCU read-side critical section.
 * Return: a region, which may end at any time, and be another one then, also of another
 * context, but stays a region as long as the critical section lasts; NULL: there is none.
 */
struct accel_mem *accel_mem_next_rcu(struct accel_context *ctx, u64 *id)
{
	u64 least = *id, have, best = 0;
	struct accel_mem *mem, *found;
	struct rb_node *node;
	int tries = 4;
	unsigned int seq;

	do {
		seq = raw_seqcount_begin(&ctx->mem_seq);
		found = NULL;
		node = rcu_dereference_raw(ctx->mems.rb_node);
		while (node) {
			mem = rb_entry(node, struct accel_mem, node);
			have = READ_ONCE(mem->id);
			if (have < least) {
				node = rcu_dereference_raw(node->rb_right);
				continue;
			}
			/* one that was freed may be in another tree by now */
			if (READ_ONCE(mem->ctx) == ctx) {
				found = mem;
				best = have;
			}
			node = rcu_dereference_raw(node->rb_left);
		}
	} while (read_seqcount_retry(&ctx->mem_seq, seq) && --tries);
	if (found)
		*id = best;
	return found;
}

/**
 * accel_mem_use - find a region by its handle, for a job
 * @ctx: the context that owns it
 * @id: the handle
 * @access: %ACCEL_MEM_READ, %ACCEL_MEM_WRITE or both: what the job will do
 * @offset: first byte
 * @length: bytes
 *
 * Return: the region, until accel_mem_unuse(); ERR_PTR -ENOENT, -EACCES, -ERANGE.
 */
struct accel_mem *accel_mem_use(struct accel_context *ctx, u64 id, u32 access,
				u64 offset, u64 length)
{
	struct accel_mem *mem;

	spin_lock(&ctx->mem_lock);
	mem = accel_mem_find(ctx, id);
	if (!mem)
		mem = ERR_PTR(-ENOENT);
	else if (access & ~mem->flags)
		mem = ERR_PTR(-EACCES);
	else if (offset > mem->length || length > mem->length - offset)
		mem = ERR_PTR(-ERANGE);
	else
		mem->users++;
	spin_unlock(&ctx->mem_lock);
	return mem;
}

/**
 * accel_mem_unuse - a job no longer uses a region
 * @mem: the region
 * @written: the device may have written to the range
 * @offset: first byte of it
 * @length: bytes
 *
 * Context: process.
 */
void accel_mem_unuse(struct accel_mem *mem, bool written, u64 offset, u64 length)
{
	struct accel_context *ctx = mem->ctx;

	spin_lock(&ctx->mem_lock);
	if (written)
		accel_dirty_add(&mem->dirty, offset, length);
	/* Under the lock: whoever sees no users may free the region at once. */
	if (!--mem->users)
		wake_up_all(&ctx->mem_wq);
	spin_unlock(&ctx->mem_lock);
}
