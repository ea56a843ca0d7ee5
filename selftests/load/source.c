// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory that jobs read: files of this machine. Contexts with an even number
 * have a file mapped, as a program that checksums files would; the others read
 * files, one after the other, into memory of their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load.h"

static size_t page_up(size_t n)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (n + page - 1) / page * page;
}

/* The first file from @first on that is as long as the largest job. */
static bool map_file(struct worker *w, size_t first, size_t wanted)
{
	const struct config *cfg = w->cfg;

	for (size_t i = 0; i < cfg->num_files; i++) {
		int fd = open(cfg->files[(first + i) % cfg->num_files], O_RDONLY | O_CLOEXEC);
		struct stat st;
		void *data = MAP_FAILED;

		if (fd < 0)
			continue;
		if (!fstat(fd, &st) && (size_t)st.st_size >= cfg->max_size) {
			if (wanted > page_up(st.st_size))
				wanted = page_up(st.st_size);
			data = mmap(NULL, wanted, PROT_READ, MAP_PRIVATE, fd, 0);
		}
		close(fd);
		if (data == MAP_FAILED)
			continue;
		w->src = (struct region) { .data = data, .length = wanted,
					   .flags = ACCEL_MEM_READ };
		return true;
	}
	return false;
}

static bool read_files(struct worker *w, size_t first, size_t wanted)
{
	const struct config *cfg = w->cfg;
	size_t filled = 0, empty = 0;
	uint8_t *data;

	data = mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED) {
		complain(w, "no memory for %zu bytes of source: %s", wanted, strerror(errno));
		return false;
	}
	/* round and round, until it is full */
	for (size_t i = first; filled < wanted && empty < cfg->num_files; i++) {
		int fd = open(cfg->files[i % cfg->num_files], O_RDONLY | O_CLOEXEC);
		size_t before = filled;
		ssize_t n;

		while (fd >= 0 && filled < wanted &&
		       (n = read(fd, data + filled, wanted - filled)) > 0)
			filled += n;
		if (fd >= 0)
			close(fd);
		empty = filled == before ? empty + 1 : 0;
	}
	w->src = (struct region) { .data = data, .length = wanted, .flags = ACCEL_MEM_READ };
	if (filled == wanted)
		return true;
	complain(w, "none of the files can be read");
	return false;
}

bool source_open(struct worker *w, int index)
{
	/* more than a job needs, so that jobs begin at different places */
	size_t wanted = page_up(w->cfg->max_size * 2);

	if (index % 2 == 0 && map_file(w, index, wanted))
		return true;
	return read_files(w, index, wanted);
}
