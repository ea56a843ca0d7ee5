// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=60 */
/* What is pinned was pinned by an accelctl of another version: named, and mended. */
#include <sys/mman.h>
#include <bpf/bpf.h>

#include "accel_stats.h"
#include "observe.h"

static void pretend(uint32_t version, uint32_t size)
{
	int fd = bpf_obj_get(PINS "/control");
	struct accel_stats_control *c = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (c == MAP_FAILED)
		tap_bail("cannot map " PINS "/control");
	c->version = version;
	c->ctx_size = size;
	munmap(c, 4096);
	close(fd);
}

static void look(const char *what)
{
	tap_is(shell("accelctl observe"), 1, "%s: status is 1", what);
	tap_ok(said("mismatch") && said("accelctl observe off && accelctl observe on"),
	       "%s: status names it, and the way out", what);
	tap_is(shell("accelctl observe on"), 1, "%s: on refuses", what);
	tap_ok(said("accelctl observe off && accelctl observe on"), "%s: and says the same", what);
	tap_is(shell("su alice -c 'accel-top -b -n 1 -d 0.1 --require-latency'"), 4,
	       "%s: a reader does not read it", what);
	tap_ok(said("this tool needs"), "%s: and says why", what);
	tap_is(shell("accel-top -b -n 2 -d 0.2"), 0, "%s: root's loads its own programs", what);
	tap_ok(said("this tool needs") && !said("no latencies"), "%s: and has a note", what);
	tap_is(shell("accelctl observe off && accelctl observe on"), 0, "%s: mended", what);
	tap_is(shell("accelctl observe"), 0, "%s: status is 0", what);
	tap_is(shell("su alice -c 'accel-top -b -n 1 -d 0.1 --require-latency'"), 0,
	       "%s: the reader reads", what);
}

int main(void)
{
	if (shell("accelctl observe on"))
		tap_bail("accelctl observe on failed");
	pretend(ACCEL_STATS_VERSION + 1, sizeof(struct accel_stats_ctx));
	look("a newer version");
	pretend(ACCEL_STATS_VERSION, sizeof(struct accel_stats_ctx) + 8);
	look("other records");
	shell("rm " PINS "/stats_ioctl");
	tap_is(shell("accelctl observe"), 1, "a program is missing: status is 1");
	tap_ok(said("damaged") && said("7 of 8"), "and says so");
	tap_is(shell("accelctl observe on"), 1, "on does not take it for whole");
	tap_ok(said("7 of 8") && said("accelctl observe off && accelctl observe on"),
	       "and says what mends it");
	shell("rm " PINS "/contexts");
	tap_is(shell("accelctl observe on"), 1, "nor when a map is missing");
	tap_ok(said("pins are missing") && said("accelctl observe off && accelctl observe on"),
	       "and says what mends that");
	tap_is(shell("accelctl observe off"), 0, "off");
	return tap_done();
}
