// SPDX-License-Identifier: GPL-2.0-only
/* The option table: every type, every complaint, and the texts that it makes. */
#include "unit.h"

#include "opts.h"

static bool flag;
static int verbose, color;
static long long count;
static uint64_t delay, size;
static const char *file;
static struct opt_list list;
static int called;

static const char *const colors[] = { "never", "auto", "always", NULL };

static int call(const struct opt *opt, const char *arg)
{
	called++;
	return strcmp(arg, "good") ? opts_bad_value(opt, arg, "the word good") : 0;
}

static const struct opt table[] = {
	OPTS_GROUP("First"),
	OPT('f', "flag", OPT_FLAG, &flag, NULL, "a flag"),
	OPT('v', "verbose", OPT_COUNT, &verbose, NULL, "more of it"),
	OPT('n', "count", OPT_INT, &count, "N", "a number", .min = 1, .max = 10),
	OPT('d', "delay", OPT_DURATION, &delay, "TIME", "a time", .min = 1000),
	OPTS_GROUP("Second"),
	OPT(0, "size", OPT_SIZE, &size, "SIZE", "a size", .min = 4096, .max = 1 << 20),
	OPT('o', "output", OPT_STRING, &file, "FILE",
	    "a file whose explanation is so long that it does not fit into what is left of one line"),
	OPT('l', "list", OPT_LIST, &list, "A[,...]", "a list"),
	OPT(0, "color", OPT_ENUM, &color, "WHEN", "when", .choices = colors),
	OPT(0, "call", OPT_CALL, NULL, "WORD", "a word", .parse = call),
	OPT(0, "secret", OPT_FLAG, &flag, NULL, "not shown", .hidden = true),
	{ .type = OPT_END }
};

static const char *const usage[] = { "[OPTION...]", "go", NULL };
static const struct opt_command commands[] = { { "go", "goes" }, { NULL, NULL } };
static struct opts_spec spec = {
	.name = "tool-x", .summary = "Is a tool.", .usage = usage, .opts = table,
	.commands = commands, .epilog = "The end.\n",
};
static struct capture out, err;
static int first;

/* Parse a command line of words; what it says is in out.text and err.text. */
static int parse(const char *line)
{
	static char copy[512], *argv[32];
	int argc = 0, code;

	flag = false;
	verbose = color = called = 0;
	count = 0;
	delay = size = 0;
	file = NULL;
	opts_list_free(&list);
	snprintf(copy, sizeof(copy), "tool-x %s", line);
	for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	argv[argc] = NULL;
	capture_begin(&out, stdout);
	capture_begin(&err, stderr);
	code = opts_parse(&spec, argc, argv, &first);
	capture_end(&err);
	capture_end(&out);
	if (code == OPTS_GO_ON) {
		assert_string_equal(out.text, "");
		assert_string_equal(err.text, "");
	}
	return code;
}

static void test_good(void **state)
{
	(void)state;
	assert_int_equal(parse("-fvv -n 3 --delay=1.5ms word --size 64K -o x,y --list a,b -l c "
			       "--color=always --call good more"), OPTS_GO_ON);
	assert_true(flag);
	assert_int_equal(verbose, 2);
	assert_int_equal(count, 3);
	assert_int_equal(delay, 1500000);
	assert_int_equal(size, 65536);
	assert_string_equal(file, "x,y");
	assert_int_equal(list.count, 3);
	assert_string_equal(list.items[2], "c");
	assert_int_equal(color, 2);
	assert_int_equal(called, 1);
	assert_int_equal(first, 16);
}

static void test_operands(void **state)
{
	(void)state;
	assert_int_equal(parse("a -f b"), OPTS_GO_ON);
	assert_true(flag);
	assert_int_equal(first, 2);
	spec.stop_at_operand = true;
	assert_int_equal(parse("a -f b"), OPTS_GO_ON);
	assert_false(flag);
	assert_int_equal(first, 1);
	assert_int_equal(parse("-f -- -v"), OPTS_GO_ON);
	assert_int_equal(first, 3);
	assert_int_equal(verbose, 0);
	spec.stop_at_operand = false;
}

/* It ends with 2, nothing is on stdout, and stderr names all that is to be named. */
static void bad(const char *line, const char *const *named)
{
	assert_int_equal(parse(line), 2);
	assert_string_equal(out.text, "");
	assert_int_equal(strncmp(err.text, "tool-x: ", 8), 0);
	for (; *named; named++)
		if (!strstr(err.text, *named))
			fail_msg("%s: no '%s' in: %s", line, *named, err.text);
}

#define BAD(line, ...) bad(line, (const char *const []){ __VA_ARGS__, NULL })

static void test_bad(void **state)
{
	(void)state;
	BAD("-n 0", "-n/--count", "'0'", "from 1 to 10");
	BAD("-n 11", "'11'", "from 1 to 10");
	BAD("-n 1x", "'1x'");
	BAD("-n 99999999999999999999", "from 1 to 10");
	BAD("-n ", "'-n'", "needs an argument");
	BAD("--count", "'--count'", "needs an argument");
	BAD("-d fast", "-d/--delay", "'fast'", "1.5ms", "seconds");
	BAD("-d -1", "'-1'");
	BAD("-d 10ns", "at least 1.00us");
	BAD("-d 1e400", "'1e400'");
	BAD("-d nan", "'nan'");
	BAD("-d 0x10s", "'0x10s'");
	BAD("--size 1K", "--size", "from 4.00KiB to 1.00MiB");
	BAD("--size 2M", "from 4.00KiB to 1.00MiB");
	BAD("-l a,,b", "-l/--list", "'a,,b'", "commas");
	BAD("--color sometimes", "--color", "'sometimes'", "never, auto, always");
	BAD("--color alway", "did you mean 'always'?");
	BAD("--call bad", "--call", "'bad'", "the word good");
	BAD("-x", "unknown option '-x'", "--help");
	BAD("-fx", "unknown option '-x'");
	BAD("--colour never", "unknown option '--colour'", "did you mean '--color'?");
	BAD("--dleay=1", "did you mean '--delay'?");
	BAD("--wholly-unknown", "unknown option '--wholly-unknown'");
	BAD("--flag=yes", "'--flag=yes'", "takes no argument");
	assert_null(strstr(err.text, "did you mean"));
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} cases[] = {
		{ "0", 0 }, { "5", 5000000000 }, { "0.5", 500000000 }, { ".5s", 500000000 },
		{ "7ns", 7 }, { "10us", 10000 }, { "1.5ms", 1500000 }, { "2S", 2000000000 },
		{ "1m", 60000000000 }, { "2h", 7200000000000 },
	};
	static const char *const wrong[] = {
		"", " 1", "1 ", "-1", "+1", "1x", "ms", "inf", "nan", "0x1", "1e30", "1s2", "1,5",
		"99999999999999999999",
	};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(opts_parse_duration(cases[i].text, &value), 0);
		assert_int_equal(value, cases[i].ns);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (!opts_parse_duration(wrong[i], &value))
			fail_msg("'%s' was taken for %llu", wrong[i], (unsigned long long)value);
	assert_int_equal(opts_parse_size("4K", &value), 0);
	assert_int_equal(value, 4096);
	assert_int_equal(opts_parse_size("1.5GiB", &value), 0);
	assert_int_equal(value, 3ULL << 29);
	assert_int_equal(opts_parse_size("17000000T", &value), -1);
}

static void test_help(void **state)
{
	size_t line = 0;

	(void)state;
	assert_int_equal(parse("--help"), 0);
	assert_string_equal(err.text, "");
	assert_non_null(strstr(out.text, "Usage: tool-x [OPTION...]\n       tool-x go\n"));
	assert_non_null(strstr(out.text, "\nFirst:\n  -f, --flag "));
	assert_non_null(strstr(out.text, "\nSecond:\n      --size=SIZE "));
	assert_non_null(strstr(out.text, "\n  go  "));
	assert_non_null(strstr(out.text, "The end.\n"));
	assert_null(strstr(out.text, "secret"));
	for (const char *c = out.text; *c; c++) {
		line = *c == '\n' ? 0 : line + 1;
		assert_true(line <= 80);
	}
	assert_int_equal(parse("-f -h"), 0);
	assert_int_equal(parse("--version"), 0);
	assert_int_equal(strncmp(out.text, "tool-x ", 7), 0);
}

static void test_man(void **state)
{
	(void)state;
	assert_int_equal(parse("--help-man"), 0);
	assert_non_null(strstr(out.text, "# OPTIONS\n\n## First\n"));
	assert_non_null(strstr(out.text, "*-n*, *--count*=_N_\n\ta number.\n"));
	assert_null(strstr(out.text, "secret"));
}

/* Bash itself completes. */
static void completes(const char *words, const char *want)
{
	char file_name[] = "/tmp/test_opts.XXXXXX", command[512], got[512] = "";
	int fd = mkstemp(file_name);
	FILE *p;

	assert_true(fd >= 0);
	assert_int_equal(parse("--help-completion"), 0);
	assert_int_equal(write(fd, out.text, strlen(out.text)), strlen(out.text));
	close(fd);
	snprintf(command, sizeof(command),
		 "bash -c '. %s; COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _tool_x; echo ${COMPREPLY[@]}'",
		 file_name, words);
	p = popen(command, "r");
	assert_non_null(p);
	if (!fgets(got, sizeof(got), p))
		got[0] = 0;
	assert_int_equal(pclose(p), 0);
	unlink(file_name);
	got[strcspn(got, "\n")] = 0;
	assert_string_equal(got, want);
}

static void test_completion(void **state)
{
	(void)state;
	completes("tool-x --co", "--count --color");
	completes("tool-x --color a", "auto always");
	completes("tool-x --color = al", "always");
	completes("tool-x -f g", "go");
	completes("tool-x --se", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_man),
		cmocka_unit_test(test_completion),
	};
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	opts_list_free(&list);
	return failed;
}
