/* SPDX-License-Identifier: GPL-2.0-only */
/* Regions of memory that devices may reach. See linux/accelerator.h, which has it. */
#ifndef _LINUX_ACCELERATOR_MEM_H
#define _LINUX_ACCELERATOR_MEM_H

#include <linux/atomic.h>
#include <linux/dma-direction.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

struct accel_context;
struct accel_iommufd;
struct accel_mem;
struct accel_mem_ops;
struct dma_buf;
struct dma_buf_attachment;
struct mm_struct;
struct user_struct;

/**
 * enum accel_mem_way - how a region was obtained; all are used alike
 * @ACCEL_MEM_WAY_USER: the caller's memory, pinned by the core
 * @ACCEL_MEM_WAY_IOMMUFD: named by an IOVA, pinned by iommufd
 * @ACCEL_MEM_WAY_DMABUF: a dma-buf that somebody else exports
 */
enum accel_mem_way {
	ACCEL_MEM_WAY_USER,
	ACCEL_MEM_WAY_IOMMUFD,
	ACCEL_MEM_WAY_DMABUF,
};

/* Ranges of a region's pages that are told apart, when it is said what was written. */
#define ACCEL_DIRTY_RANGES	4

/* Pages of a region, by number: from the first one to before the end. */
struct accel_pages {
	unsigned long first;
	unsigned long end;
};

/* What the device may have written of a region; has room for one while it is added. */
struct accel_dirty {
	unsigned int num;
	struct accel_pages ranges[ACCEL_DIRTY_RANGES + 1];
};

/**
 * struct accel_mem - a region of memory that the device may reach
 * @ctx: the context that owns it
 * @id: never reused while the core is loaded; also the user's handle
 * @addr: the user's name for its first byte: an address of its own, an IOVA; 0: none
 * @length: bytes
 * @flags: %ACCEL_MEM_READ, %ACCEL_MEM_WRITE or both
 * @way: how it was obtained
 * @sgt: where the device finds it: the table's DMA addresses. Its pages are there for
 *	%ACCEL_MEM_WAY_USER and %ACCEL_MEM_WAY_IOMMUFD only: a dma-buf may have none.
 *	That of a dma-buf may be another one for the next job
 *
 * Valid while a job uses it, see accel_job_use_mem(), and in @mem_map and @mem_unmap.
 * Members above "private" are the driver's to read.
 */
struct accel_mem {
	struct accel_context *ctx;
	u64 id;
	u64 addr;
	u64 length;
	u32 flags;
	enum accel_mem_way way;
	struct sg_table *sgt;
	/* private: the core's */
	struct kref ref;
	const struct accel_mem_ops *ops;
	unsigned long npages;
	u32 nfolios;			/* counted while somebody listens */
	u32 nsegs;			/* after the DMA mapping */
	struct rb_node node;		/* in ctx->mems */
	u32 users;			/* jobs; under ctx->mem_lock */
	bool closing;			/* no new users; likewise */
	bool mapping;			/* being mapped, not valid yet; likewise */
	int revoked;			/* not 0: no new users, and never valid; likewise */
	bool needs_sync;		/* not coherent, or bounced */
	bool needs_unmap;		/* its DMA mapping is something to undo */
	enum dma_data_direction dma_dir;	/* it is mapped for that */
	u64 policy_stamp;		/* who has allowed it to be made */
	bool policy_settled;		/* in mem_pin: nobody is owed a mem_unpinned: no is no */
	struct dma_buf *dmabuf;		/* what it is imported from, or exported as */
	struct sg_table table;		/* what sgt is, where the core makes it */
	union {
		struct {
			struct user_struct *user; /* charged for the pages; NULL: nobody */
			struct mm_struct *mm;	/* and told of them */
		} user;
		struct {
			int fd;
			struct dma_buf_attachment *attach;
			bool stale;		/* the exporter moves it; under its reservation */
			atomic_t active;	/* jobs that use the mapping as it is */
		} import;
		struct {
			struct accel_iommufd *bind;
			struct list_head link;	/* in its list, until iommufd has it back */
			unsigned long pinned;	/* pages that iommufd has pinned */
			u8 state;		/* enum accel_pin_state */
		} iommufd;
	};
	/* From here on not cleared, see accel_mem_alloc(). */
	struct scatterlist first[2];	/* the table's first entries */
	struct accel_dirty dirty;	/* what was written; under ctx->mem_lock */
};

int accel_mem_dma_addr(struct accel_mem *mem, u64 offset, dma_addr_t *addr, size_t *len);
unsigned long accel_mem_best_page_size(const struct accel_mem *mem, unsigned long page_sizes,
				       u64 va);

/**
 * struct accel_mem_iter - a walk over the pages of a device's own page table
 * @va: the device's virtual address of this page
 * @addr: its DMA address
 * @size: bytes, one of the sizes asked for
 * @left: bytes from this page on
 */
struct accel_mem_iter {
	u64 va;
	dma_addr_t addr;
	size_t size;
	u64 left;
	/* private: the core's */
	struct scatterlist *sg;
	size_t offset;
	unsigned long page_sizes;
};

void accel_mem_iter_start(struct accel_mem_iter *it, const struct accel_mem *mem,
			  unsigned long page_sizes, u64 va);
bool accel_mem_iter_next(struct accel_mem_iter *it);

#endif /* _LINUX_ACCELERATOR_MEM_H */
