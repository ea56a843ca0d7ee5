/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A writable mapping of several pages, as accel_soft has: what each page shows when the
 * device is gone. Zero, whatever was there before and whatever is written to the others.
 */
#ifndef LIFETIME_SCRATCH_H
#define LIFETIME_SCRATCH_H

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/accelerator_soft.h>

#include "tap.h"

#define SCRATCH_PAGE	4096UL
#define SCRATCH_PAGES	5
#define SCRATCH_WORDS	(SCRATCH_PAGE / sizeof(uint64_t))
#define SCRATCH_HOLE	2	/* is unmapped, which makes two mappings of one */
#define SCRATCH_NEVER	4	/* is not touched while the device is there */
#define SCRATCH_FIRST	(ACCEL_SOFT_SCRATCH_OFFSET + 3 * SCRATCH_PAGE)

/* The same memory, mapped twice: as a whole, and its second page alone. */
struct scratch {
	volatile uint64_t *map;
	volatile uint64_t *second;
	pid_t child;
	int go[2];
};

static inline volatile uint64_t *scratch_page(const struct scratch *s, int n)
{
	return s->map + n * SCRATCH_WORDS;
}

/* Does the whole page have @value in each word? */
static inline int scratch_has(volatile uint64_t *page, uint64_t value)
{
	for (size_t i = 0; i < SCRATCH_WORDS; i++)
		if (page[i] != value)
			return 0;
	return 1;
}

static inline void scratch_fill(volatile uint64_t *page, uint64_t value)
{
	for (size_t i = 0; i < SCRATCH_WORDS; i++)
		page[i] = value;
}

/* In a child that shares the mapping: what the parent has written since, and zero. */
static inline int scratch_child(const struct scratch *s)
{
	char c;

	close(s->go[1]);
	if (read(s->go[0], &c, 1) != 1)
		return 9;
	if (!scratch_has(scratch_page(s, 0), 77))
		return 1;
	if (!scratch_has(scratch_page(s, 1), 0) || !scratch_has(scratch_page(s, 3), 0) ||
	    !scratch_has(scratch_page(s, SCRATCH_NEVER), 0))
		return 2;
	scratch_fill(scratch_page(s, 3), 99);
	return scratch_has(scratch_page(s, 1), 0) ? 0 : 3;
}

/* scratch_map() - of an open file: written to, split, shared with a child; 0 or -errno */
static inline int scratch_map(struct scratch *s, int fd)
{
	s->map = mmap(NULL, SCRATCH_PAGES * SCRATCH_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      SCRATCH_FIRST);
	s->second = mmap(NULL, SCRATCH_PAGE, PROT_READ, MAP_SHARED, fd,
			 SCRATCH_FIRST + SCRATCH_PAGE);
	if (s->map == MAP_FAILED || s->second == MAP_FAILED)
		return -errno;
	for (int n = 0; n < SCRATCH_PAGES; n++)
		if (n != SCRATCH_NEVER)
			scratch_fill(scratch_page(s, n), n + 1);
	if (munmap((void *)scratch_page(s, SCRATCH_HOLE), SCRATCH_PAGE) || pipe(s->go))
		return -errno;
	fflush(stdout);
	s->child = fork();
	if (!s->child)
		_exit(scratch_child(s));
	return s->child < 0 ? -errno : 0;
}

/* scratch_alive() - while the device is there all is kept, and seen by who else maps it */
static inline void scratch_alive(const struct scratch *s, const char *name)
{
	volatile uint64_t *page = scratch_page(s, 0);

	tap_ok(scratch_has(page, 1) && scratch_has(scratch_page(s, 1), 2) &&
	       scratch_has(scratch_page(s, 3), 4), "%s: a writable mapping keeps what is written", name);
	tap_ok(scratch_has(s->second, 2), "%s: a second one of the same memory shows it", name);
	tap_ok(!mprotect((void *)page, SCRATCH_PAGE, PROT_READ) &&
	       !mprotect((void *)page, SCRATCH_PAGE, PROT_READ | PROT_WRITE),
	       "%s: it may be read-only for a while", name);
	page[0] = 1;
	tap_ok(scratch_has(page, 1), "%s: and is written to again", name);
}

/* scratch_gone() - the device is gone, and nobody has touched the mapping since */
static inline void scratch_gone(struct scratch *s, const char *name)
{
	volatile uint64_t *page = scratch_page(s, 0);
	int status = -1;

	page[0] = 77;
	tap_ok(page[0] == 77 && !page[1] && !page[SCRATCH_WORDS - 1],
	       "%s: the writable mapping is empty, and what is written stays", name);
	tap_ok(scratch_has(scratch_page(s, 1), 0), "%s: its other pages do not show it", name);
	tap_ok(scratch_has(scratch_page(s, 3), 0), "%s: nor do those behind a hole", name);
	tap_ok(scratch_has(s->second, 0), "%s: nor does a second mapping", name);
	/* Page 1 was read, and is written to only now. */
	scratch_fill(scratch_page(s, 1), 88);
	tap_ok(scratch_has(scratch_page(s, 1), 88), "%s: one that was read can be written to", name);
	tap_ok(scratch_has(scratch_page(s, 3), 0), "%s: which none of the others shows", name);
	tap_ok(scratch_has(scratch_page(s, SCRATCH_NEVER), 0), "%s: one that was never touched is empty",
	       name);
	tap_ok(scratch_has(s->second, 0), "%s: two mappings have no memory in common", name);
	tap_ok(!mprotect((void *)page, SCRATCH_PAGE, PROT_READ) && page[0] == 77 &&
	       !mprotect((void *)page, SCRATCH_PAGE, PROT_READ | PROT_WRITE),
	       "%s: a page may be read-only for a while", name);
	scratch_fill(page, 77);
	tap_ok(scratch_has(page, 77), "%s: and is written to again", name);
	scratch_fill(scratch_page(s, 1), 0);
	if (write(s->go[1], "x", 1) != 1 || waitpid(s->child, &status, 0) != s->child)
		tap_bail("child: %s", strerror(errno));
	tap_is(status, 0, "%s: a child sees what is written, and zero elsewhere", name);
	tap_ok(scratch_has(scratch_page(s, 3), 99), "%s: what the child writes is seen by its parent",
	       name);
}

static inline void scratch_unmap(struct scratch *s)
{
	munmap((void *)s->map, SCRATCH_PAGES * SCRATCH_PAGE);
	munmap((void *)s->second, SCRATCH_PAGE);
	close(s->go[0]);
	close(s->go[1]);
}

#endif
