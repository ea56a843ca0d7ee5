// SPDX-License-Identifier: GPL-2.0-only
/* The command lines of contexts' processes; see commands.h. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "proc.h"

struct command {
	uint64_t ctx_id;
	bool asked;
	char text[128];
};

/* By context, ascending. */
struct commands {
	struct command *list;
	size_t nr;
	size_t room;
};

struct commands *commands_new(void)
{
	return calloc(1, sizeof(struct commands));
}

void commands_free(struct commands *c)
{
	if (!c)
		return;
	free(c->list);
	free(c);
}

static void read_command(struct command *cmd, uint32_t pid, const char *comm)
{
	char path[48], name[32], line[sizeof(cmd->text)];
	const char *start;
	size_t len, used;
	FILE *f;

	snprintf(cmd->text, sizeof(cmd->text), "%s", comm);
	if (!pid || !proc_comm((pid_t)pid, name, sizeof(name)) || strcmp(name, comm))
		return;
	snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
	f = fopen(path, "re");
	if (!f)
		return;
	len = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	while (len && !line[len - 1])
		len--;
	if (!len)
		return;
	line[len] = '\0';
	/* Without the directory of the program: its name is what people look for. */
	start = strrchr(line, '/');
	start = start ? start + 1 : line;
	/* A process that has named itself has a reason. */
	cmd->text[0] = '\0';
	if (strncmp(start, comm, strlen(comm)))
		snprintf(cmd->text, sizeof(cmd->text), "%s: ", comm);
	for (char *c = line; c < line + len; c++)
		if (!*c)
			*c = ' ';
	used = strlen(cmd->text);
	snprintf(cmd->text + used, sizeof(cmd->text) - used, "%s", start);
}

const char *commands_get(struct commands *c, uint64_t ctx_id, uint32_t pid, const char *comm)
{
	size_t low = 0, high = c->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c->list[mid].ctx_id < ctx_id)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == c->nr || c->list[low].ctx_id != ctx_id) {
		if (c->nr == c->room) {
			size_t room = c->room ? 2 * c->room : 64;
			struct command *more = realloc(c->list, room * sizeof(*more));

			if (!more)
				return comm;
			c->list = more;
			c->room = room;
		}
		memmove(&c->list[low + 1], &c->list[low], (c->nr - low) * sizeof(*c->list));
		c->nr++;
		c->list[low].ctx_id = ctx_id;
		read_command(&c->list[low], pid, comm);
	}
	c->list[low].asked = true;
	return c->list[low].text;
}

void commands_sweep(struct commands *c)
{
	size_t nr = 0;

	for (size_t i = 0; i < c->nr; i++) {
		if (!c->list[i].asked)
			continue;
		c->list[nr] = c->list[i];
		c->list[nr++].asked = false;
	}
	c->nr = nr;
}
