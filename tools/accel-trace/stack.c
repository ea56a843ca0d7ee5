// SPDX-License-Identifier: GPL-2.0-only
/* Kernel addresses to names, from /proc/kallsyms. No address is ever shown. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

struct symbol {
	uint64_t address;
	char *name;
};

static struct symbol *symbols;
static size_t num_symbols;
static bool loaded;

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static void load(void)
{
	char line[512], name[256], type;
	size_t room = 0;
	uint64_t address;
	FILE *f;

	loaded = true;
	f = fopen("/proc/kallsyms", "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNx64 " %c %255s", &address, &type, name) != 3 ||
		    !address || !strchr("tTwW", type))
			continue;
		if (num_symbols == room) {
			struct symbol *more;

			room = room ? room * 2 : 65536;
			more = realloc(symbols, room * sizeof(*symbols));
			if (!more)
				break;
			symbols = more;
		}
		symbols[num_symbols].address = address;
		symbols[num_symbols].name = strdup(name);
		if (!symbols[num_symbols].name)
			break;
		num_symbols++;
	}
	fclose(f);
	qsort(symbols, num_symbols, sizeof(*symbols), by_address);
}

const char *stack_symbol(uint64_t address, uint64_t *offset)
{
	size_t low = 0, high;

	if (!loaded)
		load();
	high = num_symbols;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return "[unknown]";
	if (offset)
		*offset = address - symbols[low - 1].address;
	return symbols[low - 1].name;
}

int stack_first(const __u64 *stack)
{
	int i = 0;

	/* The tracer's own frames on top: how many depends on the JIT. */
	while (i < ACCEL_EV_STACK_DEPTH && stack[i]) {
		const char *name = stack_symbol(stack[i], NULL);

		if (strncmp(name, "bpf_prog_", 9) && strncmp(name, "bpf_trace_run", 13) &&
		    strncmp(name, "bpf_trampoline_", 15) && strncmp(name, "___bpf_prog_run", 15) &&
		    strncmp(name, "__bpf_prog_run", 14))
			break;
		i++;
	}
	return i;
}

void print_stack(struct out *o, const __u64 *stack)
{
	for (int i = stack_first(stack); i < ACCEL_EV_STACK_DEPTH && stack[i]; i++) {
		uint64_t offset = 0;
		const char *name = stack_symbol(stack[i], &offset);
		char *at = out_line(o);

		at = put_strn(put_text(at, "        > "), name, 512);
		at = put_hex(put_text(at, "+"), offset);
		*at++ = '\n';
		out_end(o, at);
	}
}
