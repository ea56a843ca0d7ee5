// SPDX-License-Identifier: GPL-2.0-only
/* The command line; cgroups and engines' speed as it asks for. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "opts.h"
#include "setup.h"

#define CGROUP		"/sys/fs/cgroup"
#define MAX_FILES	512

const char *const op_names[OP_NR + 1] = {
	[OP_NOP] = "nop",
	[OP_COPY] = "copy",
	[OP_FILL] = "fill",
	[OP_COMPARE] = "compare",
	[OP_CRC32C] = "crc32c",
	[OP_FACTORIAL] = "factorial",
	[OP_DMA] = "dma",
	[OP_NR] = NULL,
};

const char *const lat_names[LAT_NR] = {
	[LAT_TURNAROUND] = "turnaround",
	[LAT_QUEUE] = "queue",
	[LAT_RUN] = "run",
	[LAT_MEM_PIN] = "mem_pin",
	[LAT_MEM_UNPIN] = "mem_unpin",
	[LAT_JOB_WAIT] = "job_wait",
	[LAT_SUBMIT] = "soft_submit",
	[LAT_FACTORIAL] = "edu_factorial",
	[LAT_DMA] = "edu_dma",
};

/* As the command line has them, before they are understood. */
static struct {
	struct opt_list devices, files, mix, tenants;
	const char *size, *speed;
	long long processes, contexts, inflight, jobs, rate, repin, duty, seed;
	uint64_t duration, duty_ns;
} raw = {
	.size = "64K",
	.processes = 1,
	.inflight = 4,
	.duty_ns = 10 * 1000000,
	.seed = 1,
};

static struct options *parsed;
static struct config *parsed_cfg;

static int parse_wait(const struct opt *opt, const char *arg)
{
	(void)opt;
	parsed->wait_start = arg;
	return 0;
}

static int parse_flag(const struct opt *opt, const char *arg)
{
	(void)arg;
	*(opt->short_name == 'H' ? &parsed_cfg->hold : &parsed->json) = true;
	return 0;
}

static int parse_interval(const struct opt *opt, const char *arg)
{
	if (opts_parse_duration(arg, &parsed->interval_ns) || !parsed->interval_ns)
		return opts_bad_value(opt, arg, "a duration, such as 1s");
	return 0;
}

static const struct opt table[] = {
	OPTS_GROUP("Where"),
	{ 'D', "device", OPT_LIST, &raw.devices, "DEVICE",
	  "devices: names, all, soft or edu (default all)", .min = 0 },
	{ 'P', "processes", OPT_INT, &raw.processes, "N", "processes of each tenant (default 1)",
	  .min = 1, .max = 4096 },
	{ 'C', "contexts", OPT_INT, &raw.contexts, "N",
	  "open files of each process, dealt out over the devices (default one for each device)",
	  .min = 1, .max = 16384 },
	{ 'T', "tenant", OPT_LIST, &raw.tenants, "NAME=CGROUP[:N]",
	  "N processes called NAME in /sys/fs/cgroup/CGROUP; may be given several times", .min = 0 },
	OPTS_GROUP("What"),
	{ 'm', "mix", OPT_LIST, &raw.mix, "OP=WEIGHT",
	  "how often which job: copy fill compare crc32c nop; factorial dma "
	  "(default copy=4,fill=2,compare=1,crc32c=2,factorial=8,dma=1)", .min = 0 },
	{ 's', "size", OPT_STRING, &raw.size, "MIN[-MAX]", "bytes of a job (default 64K)", .min = 0 },
	{ 'J', "inflight", OPT_INT, &raw.inflight, "N", "jobs at a time of each context (default 4)",
	  .min = 1, .max = LOAD_MAX_INFLIGHT },
	{ 'F', "files", OPT_LIST, &raw.files, "FILE",
	  "what jobs work on, also as plain arguments (default programs and libraries)", .min = 0 },
	{ 0, "repin", OPT_INT, &raw.repin, "JOBS",
	  "unpin and pin a context's memory after so many jobs", .min = 1, .max = 1000000000 },
	{ 0, "seed", OPT_INT, &raw.seed, "N", "of all that is random (default 1)",
	  .max = INT64_MAX },
	OPTS_GROUP("How long, how fast"),
	{ 'd', "duration", OPT_DURATION, &raw.duration, "SEC", "run for so long (default 5s)",
	  .min = 1, .max = UINT64_MAX / 4 },
	{ 'n', "jobs", OPT_INT, &raw.jobs, "N", "run so many jobs in each context",
	  .min = 1, .max = 1000000000000 },
	{ 'r', "rate", OPT_INT, &raw.rate, "N", "start no more jobs a second in each context",
	  .min = 1, .max = 1000000000 },
	{ 0, "duty", OPT_INT, &raw.duty, "PERCENT",
	  "keep engine 0 of each soft device busy for this share of the time, and nothing else (root)",
	  .min = 1, .max = 99 },
	{ 0, "duty-time", OPT_DURATION, &raw.duty_ns, "SEC",
	  "of each of its jobs (default 10ms)", .min = 1000, .max = 1000000000 },
	{ 0, "speed", OPT_STRING, &raw.speed, "LATENCY[,BYTES]",
	  "let each job of the soft devices take at least LATENCY (2ms), and move at most "
	  "BYTES a second (root)", .min = 0 },
	OPTS_GROUP("Report"),
	{ 'i', "interval", OPT_CALL, NULL, "SEC", "report every so often, too",
	  .parse = parse_interval },
	{ 'j', "json", OPT_CALL, NULL, NULL, "JSON, one object a line; see report.c",
	  .parse = parse_flag },
	{ 'w', "wait-start", OPT_CALL, NULL, "FILE",
	  "when all is open, say ready and wait for a line in this file or FIFO; -: stdin",
	  .parse = parse_wait },
	{ 'H', "hold", OPT_CALL, NULL, NULL,
	  "after the report keep all open and pinned, until the end of stdin or SIGTERM",
	  .parse = parse_flag },
	{ 0 },
};

static const char *const usage[] = { "[OPTION...] [FILE...]", NULL };

static const struct opts_spec spec = {
	.name = "load",
	.summary = "Keep accelerators busy with work on real files, verify every result, "
		   "and report exactly what was done.",
	.usage = usage,
	.opts = table,
	.epilog = "Exit: 0 all results were right, 1 not all, 2 usage, 3 no such device.\n"
		  "SIGTERM and SIGINT end the load in good order.\n",
};

static int bad(const char *what, const char *value, const char *accepted)
{
	return opts_usage_error(&spec, "%s '%s': expected %s", what, value, accepted);
}

static bool chosen(const struct dev_info *dev)
{
	if (!raw.devices.count)
		return true;
	for (size_t i = 0; i < raw.devices.count; i++) {
		const char *item = raw.devices.items[i];

		if (!strcmp(item, "all") || !strcmp(item, dev->name) ||
		    ((!strcmp(item, "soft") || !strcmp(item, "edu")) && dev_is(dev, item)))
			return true;
	}
	return false;
}

static int choose_devices(struct config *cfg)
{
	struct dev_info devs[256];
	int n = dev_list(devs, 256);

	for (int i = 0; i < n && i < 256 && cfg->num_devices < LOAD_MAX_DEVICES; i++) {
		if (!chosen(&devs[i]) || !(dev_is(&devs[i], "soft") || dev_is(&devs[i], "edu")))
			continue;
		if (raw.duty && !dev_is(&devs[i], "soft"))
			continue;
		cfg->devices[cfg->num_devices++] = devs[i];
	}
	for (size_t i = 0; i < raw.devices.count; i++) {
		bool found = false;

		for (int k = 0; k < cfg->num_devices; k++)
			found |= !strcmp(raw.devices.items[i], cfg->devices[k].name);
		if (found || strncmp(raw.devices.items[i], "acc", 3))
			continue;
		fprintf(stderr, "load: there is no device %s that this can use; see /sys/class/accelerator\n",
			raw.devices.items[i]);
		return 3;
	}
	if (cfg->num_devices)
		return -1;
	fprintf(stderr, "load: no accelerator%s: load the modules accel_soft or accel_edu\n",
		n > 0 ? " of those asked for" : "");
	return 3;
}

static int parse_mix(struct config *cfg)
{
	static const uint32_t defaults[OP_NR] = {
		[OP_COPY] = 4, [OP_FILL] = 2, [OP_COMPARE] = 1, [OP_CRC32C] = 2,
		[OP_FACTORIAL] = 8, [OP_DMA] = 1,
	};
	uint32_t soft = 0, edu = 0;

	for (size_t i = 0; i < raw.mix.count; i++) {
		char name[16];
		unsigned int weight;
		int op, end = 0;

		if (sscanf(raw.mix.items[i], "%15[a-z0-9]=%u%n", name, &weight, &end) != 2 ||
		    raw.mix.items[i][end] || weight > 1000000)
			return bad("--mix", raw.mix.items[i], "OP=WEIGHT");
		for (op = 0; op < OP_NR && strcmp(name, op_names[op]); op++)
			;
		if (op == OP_NR)
			return bad("--mix", name,
				   "copy, fill, compare, crc32c, nop, factorial or dma");
		cfg->weights[op] = weight;
	}
	for (int op = 0; op < OP_NR; op++)
		*(OPS_SOFT & 1U << op ? &soft : &edu) += cfg->weights[op];
	/* a kind of device that the mix says nothing of works as it does without one */
	for (int op = 0; op < OP_NR; op++)
		if (!(OPS_SOFT & 1U << op ? soft : edu))
			cfg->weights[op] = defaults[op];
	return -1;
}

static int parse_size(struct config *cfg)
{
	char text[64], *dash;

	snprintf(text, sizeof(text), "%s", raw.size);
	dash = strchr(text, '-');
	if (dash)
		*dash++ = '\0';
	if (opts_parse_size(text, &cfg->min_size) ||
	    opts_parse_size(dash ? dash : text, &cfg->max_size) || !cfg->min_size ||
	    cfg->max_size < cfg->min_size || cfg->max_size > 1ULL << 32)
		return bad("--size", raw.size, "MIN or MIN-MAX, such as 4K-1M");
	return -1;
}

static int parse_tenants(struct config *cfg)
{
	if (raw.tenants.count > LOAD_MAX_TENANTS)
		return opts_usage_error(&spec, "more than %d tenants", LOAD_MAX_TENANTS);
	for (size_t i = 0; i < raw.tenants.count; i++) {
		struct tenant *tenant = &cfg->tenants[i];
		int n, end = 0;

		tenant->processes = raw.processes;
		n = sscanf(raw.tenants.items[i], "%15[^=]=%127[^:]%n:%d%n", tenant->name,
			   tenant->cgroup, &end, &tenant->processes, &end);
		if (n < 2 || raw.tenants.items[i][end] || tenant->processes < 1 ||
		    tenant->processes > 4096 || strstr(tenant->cgroup, ".."))
			return bad("--tenant", raw.tenants.items[i], "NAME=CGROUP or NAME=CGROUP:N");
	}
	cfg->num_tenants = raw.tenants.count;
	if (!cfg->num_tenants)
		cfg->tenants[cfg->num_tenants++] = (struct tenant) {
			.name = "load", .processes = raw.processes,
		};
	return -1;
}

static int parse_speed(struct options *options)
{
	char text[64], *comma;

	if (!raw.speed)
		return -1;
	options->speed = true;
	snprintf(text, sizeof(text), "%s", raw.speed);
	comma = strchr(text, ',');
	if (comma)
		*comma++ = '\0';
	if (opts_parse_duration(text, &options->latency_ns) ||
	    (comma && opts_parse_size(comma, &options->bandwidth)))
		return bad("--speed", raw.speed, "LATENCY or LATENCY,BYTES, such as 1ms,100M");
	return -1;
}

/* Programs and libraries: what any machine has, and no two are the same. */
static int choose_files(struct config *cfg, char **more, int num_more)
{
	static const char *const patterns[] = {
		"/usr/bin/*", "/bin/*", "/usr/lib/*/*", "/usr/lib/*", "/lib/*", "/proc/self/exe",
	};
	glob_t found;

	cfg->files = calloc(raw.files.count + num_more + MAX_FILES, sizeof(*cfg->files));
	if (!cfg->files)
		return 1;
	for (size_t i = 0; i < raw.files.count; i++)
		cfg->files[cfg->num_files++] = raw.files.items[i];
	for (int i = 0; i < num_more; i++)
		cfg->files[cfg->num_files++] = more[i];
	for (size_t i = 0; i < cfg->num_files; i++) {
		if (!access(cfg->files[i], R_OK))
			continue;
		fprintf(stderr, "load: cannot read %s: %s\n", cfg->files[i], strerror(errno));
		return 2;
	}
	for (size_t i = 0; !raw.files.count && !num_more && i < 6; i++) {
		if (glob(patterns[i], 0, NULL, &found))
			continue;
		for (size_t k = 0; k < found.gl_pathc && cfg->num_files < MAX_FILES; k++) {
			struct stat st;

			if (!stat(found.gl_pathv[k], &st) && S_ISREG(st.st_mode) &&
			    st.st_size >= 4096 && !access(found.gl_pathv[k], R_OK))
				cfg->files[cfg->num_files++] = strdup(found.gl_pathv[k]);
		}
		globfree(&found);
	}
	return -1;
}

int setup_options(int argc, char **argv, struct config *cfg, struct options *options)
{
	int first, ret;

	parsed = options;
	parsed_cfg = cfg;
	ret = opts_parse(&spec, argc, argv, &first);
	if (ret != OPTS_GO_ON)
		return ret;
	if ((ret = parse_mix(cfg)) >= 0 || (ret = parse_size(cfg)) >= 0 ||
	    (ret = parse_tenants(cfg)) >= 0 || (ret = parse_speed(options)) >= 0 ||
	    (ret = choose_files(cfg, argv + first, argc - first)) >= 0 ||
	    (ret = choose_devices(cfg)) >= 0)
		return ret;
	cfg->contexts = raw.contexts ? raw.contexts : cfg->num_devices;
	cfg->inflight = raw.inflight;
	cfg->jobs = raw.jobs;
	cfg->rate = raw.rate;
	cfg->repin = raw.repin;
	cfg->duty = raw.duty;
	cfg->duty_ns = raw.duty_ns;
	cfg->seed = raw.seed;
	cfg->duration_ns = raw.duration || raw.jobs ? raw.duration : 5 * 1000000000ULL;
	if (cfg->duty) {
		if (raw.tenants.count > 1 || raw.processes > 1 || raw.contexts)
			return opts_usage_error(&spec, "--duty is one context on each device: %s",
						"no --processes, --contexts or second --tenant");
		cfg->inflight = 1;
		cfg->contexts = cfg->num_devices;
		cfg->tenants[0].processes = 1;
	}
	return -1;
}

/* Make the directory and those above it; *@made: how many were not there. */
static bool cgroup_make(const char *name, int *made)
{
	char path[256];

	snprintf(path, sizeof(path), CGROUP "/%s/", name);
	for (char *p = path + strlen(CGROUP) + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (!mkdir(path, 0755)) {
			++*made;
		} else if (errno != EEXIST) {
			fprintf(stderr, "load: cannot make the cgroup %s: %s; is cgroup2 mounted on "
				CGROUP ", and are you root?\n", path, strerror(errno));
			return false;
		}
		*p = '/';
	}
	return true;
}

static void cgroup_remove(const char *name, int made)
{
	char path[256];

	snprintf(path, sizeof(path), CGROUP "/%s", name);
	while (made--) {
		rmdir(path);
		*strrchr(path, '/') = '\0';
	}
}

bool cgroup_enter(const char *name)
{
	char path[256];
	int ret;

	snprintf(path, sizeof(path), CGROUP "/%s/cgroup.procs", name);
	ret = dev_write(path, "0");
	if (ret)
		fprintf(stderr, "load: cannot move into the cgroup %s: %s\n", name, strerror(-ret));
	return !ret;
}

static unsigned long long parameter(const char *name)
{
	unsigned long long value = 0;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/accel_soft/parameters/%s", name);
	f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%llu", &value) != 1)
			value = 0;
		fclose(f);
	}
	return value;
}

static bool set_speed(const struct config *cfg, uint32_t engine, uint64_t latency_ns,
		      uint64_t bandwidth)
{
	for (int i = 0; i < cfg->num_devices; i++) {
		int ret;

		if (!dev_is(&cfg->devices[i], "soft"))
			continue;
		ret = config_speed(cfg->devices[i].name, engine, latency_ns, bandwidth);
		if (!ret)
			continue;
		fprintf(stderr, "load: cannot set the speed of %s: %s%s\n", cfg->devices[i].name,
			strerror(-ret), ret == -EACCES || ret == -EPERM ? "; be root" : "");
		return false;
	}
	return true;
}

bool setup_machine(const struct config *cfg, struct options *options)
{
	for (int t = 0; t < cfg->num_tenants; t++)
		if (cfg->tenants[t].cgroup[0] &&
		    !cgroup_make(cfg->tenants[t].cgroup, &options->made_cgroups[t]))
			return false;
	options->changed_speed = (options->speed || cfg->duty) && !geteuid();
	if (options->speed && !set_speed(cfg, ACCEL_SOFT_ENGINE_ANY, options->latency_ns,
					 options->bandwidth))
		return false;
	return !cfg->duty || set_speed(cfg, 0, cfg->duty_ns, 0);
}

/* All as it was; the processes have ended. */
void setup_undo(const struct config *cfg, const struct options *options)
{
	if (options->changed_speed)
		set_speed(cfg, ACCEL_SOFT_ENGINE_ANY, parameter("latency_ns"),
			  parameter("bandwidth"));
	/* backwards: directories that tenants share go last */
	for (int t = cfg->num_tenants; t--; )
		cgroup_remove(cfg->tenants[t].cgroup, options->made_cgroups[t]);
}
