/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* dma-bufs as the test programs see them: made by the kernel's own exporters. */
#ifndef SELFTESTS_DMABUF_H
#define SELFTESTS_DMABUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* dmabuf_udmabuf() - a dma-buf of the pages of a new memfd; a descriptor or -errno */
int dmabuf_udmabuf(size_t size);

/* dmabuf_heap() - a dma-buf from the system heap, opened as @mode (O_RDWR, O_RDONLY) */
int dmabuf_heap(size_t size, int mode);

/* dmabuf_map() - the processor's view of it; NULL: errno says why not */
void *dmabuf_map(int dmabuf, size_t size);

/* dmabuf_import(), dmabuf_export() - the ioctls; -errno, or 0 and a descriptor */
int dmabuf_import(int fd, int dmabuf, uint32_t flags, uint64_t *mem_id, uint64_t *length);
int dmabuf_export(int fd, uint64_t mem_id, uint32_t flags);

/* dmabuf_fence() - its fences as one sync_file: what a reader, or a writer, waits for */
int dmabuf_fence(int dmabuf, bool write);

/* dmabuf_status() - of a sync_file: 0 not yet, 1 signalled, -errno signalled with that */
int dmabuf_status(int sync_file);

/* dmabuf_wait() - wait for a sync_file, then its dmabuf_status() */
int dmabuf_wait(int sync_file);

/* dmabuf_count() - dma-bufs that there are in the whole system; -errno */
int dmabuf_count(void);

#endif
