// SPDX-License-Identifier: GPL-2.0-only
/* A policy that is told in bulk of the regions that have ended. Of one file at a time. */
#include "accel_policy.h"
#include "unpinned.h"

char LICENSE[] SEC("license") = "GPL";

struct unpinned books SEC(".bss.books");

static long step(u64 i, void *unused)
{
	return 0;
}

SEC("struct_ops/mem_pin")
int BPF_PROG(books_mem_pin, struct accel_context *actx, struct accel_mem *mem)
{
	u64 held = books.allowed - books.back;

	__sync_fetch_and_add(&books.asked, 1);
	if (mem->policy_settled)
		__sync_fetch_and_add(&books.final, 1);
	if (mem->way == ACCEL_MEM_WAY_DMABUF)
		__sync_fetch_and_add(&books.imports, 1);
	else if (books.limit && held + mem->length > books.limit)
		return -EDQUOT;
	__sync_fetch_and_add(&books.allowed, mem->length);
	return 0;
}

SEC("struct_ops/mem_unpinned")
void BPF_PROG(books_mem_unpinned, struct accel_context *actx, u64 bytes)
{
	if (books.slow)
		bpf_loop(books.slow, step, NULL, 0);
	__sync_fetch_and_add(&books.told, 1);
	__sync_fetch_and_add(&books.back, bytes);
	books.last = bytes;
}

SEC("struct_ops/context_close")
void BPF_PROG(books_close, struct accel_context *actx)
{
	books.at_close = books.allowed - books.back;
	__sync_fetch_and_add(&books.closed, 1);
}

SEC(".struct_ops.link")
struct accel_policy_ops books_ops = {
	.mem_pin = (void *)books_mem_pin,
	.mem_unpinned = (void *)books_mem_unpinned,
	.context_close = (void *)books_close,
	.name = "books",
};
