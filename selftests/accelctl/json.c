/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* vm: DEVICES="edu=1 soft=2" TIMEOUT=60 */
/*
 * accelctl -j: strictly valid JSON, with the members that accelctl(1) documents,
 * in that order, whatever a process is called.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "device.h"
#include "tap.h"

/* A reader that only checks; it notes the members of the objects it meets. */
static const char *at;
static char members[8192];		/* "PATH:key,key,...\n" for the first of each path */

static bool value(const char *path);

static void blank(void)
{
	while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')
		at++;
}

static bool string(char *text, size_t size)
{
	size_t len = 0;

	if (*at++ != '"')
		return false;
	for (; *at != '"'; at++) {
		if ((unsigned char)*at < 0x20)
			return false;	/* also the end of all */
		if (*at == '\\') {
			at++;
			if (*at == 'u') {
				if (strspn(at + 1, "0123456789abcdefABCDEF") < 4)
					return false;
				at += 4;
			} else if (!*at || !strchr("\"\\/bfnrt", *at)) {
				return false;
			}
		}
		if (len + 1 < size)
			text[len++] = *at;
	}
	text[len] = '\0';
	at++;
	return true;
}

static bool number(void)
{
	if (*at == '-')
		at++;
	if (!isdigit(*at) || (*at == '0' && isdigit(at[1])))
		return false;
	at += strspn(at, "0123456789");
	if (*at == '.') {
		if (!isdigit(*++at))
			return false;
		at += strspn(at, "0123456789");
	}
	if (*at == 'e' || *at == 'E') {
		at++;
		at += *at == '+' || *at == '-';
		if (!isdigit(*at))
			return false;
		at += strspn(at, "0123456789");
	}
	return true;
}

static bool word(const char *text)
{
	if (strncmp(at, text, strlen(text)))
		return false;
	at += strlen(text);
	return true;
}

static void note(const char *path, const char *keys)
{
	char line[1024];

	snprintf(line, sizeof(line), "%s:%s\n", path, keys);
	/* once for each shape: objects of one kind have the same members */
	if (!strstr(members, line))
		strncat(members, line, sizeof(members) - strlen(members) - 1);
}

static bool collection(const char *path, char close)
{
	char key[64], below[256], keys[900] = "";

	at++;
	blank();
	for (bool first = true; *at != close; first = false) {
		if (!first && *at++ != ',')
			return false;
		blank();
		snprintf(below, sizeof(below), "%.180s[]", path);
		if (close == '}') {
			if (!string(key, sizeof(key)))
				return false;
			blank();
			if (*at++ != ':')
				return false;
			snprintf(below, sizeof(below), "%.180s.%.60s", path, key);
			if (strlen(keys) + strlen(key) + 2 < sizeof(keys))
				strcat(strcat(keys, first ? "" : ","), key);
		}
		blank();
		if (!value(below))
			return false;
		blank();
	}
	at++;
	if (close == '}')
		note(path, keys);
	return true;
}

static bool value(const char *path)
{
	char text[256];

	switch (*at) {
	case '{':
		return collection(path, '}');
	case '[':
		return collection(path, ']');
	case '"':
		return string(text, sizeof(text));
	case 't':
		return word("true");
	case 'f':
		return word("false");
	case 'n':
		return word("null");
	default:
		return number();
	}
}

static char output[256 * 1024];

/* Run it; what it printed must be @values valid values. */
static bool valid_values(const char *command, int values)
{
	size_t len;
	FILE *f;

	memset(members, 0, sizeof(members));
	f = popen(command, "r");
	len = fread(output, 1, sizeof(output) - 1, f);
	output[len] = '\0';
	at = output;
	blank();
	if (!tap_is(pclose(f), 0, "%s: exit code", command))
		return false;
	for (; values; values--) {
		if (!tap_ok(value(""), "%s: valid", command)) {
			tap_diag("not understood: %.60s", at);
			return false;
		}
		blank();
	}
	return tap_ok(!*at, "%s: nothing follows", command);
}

static bool valid(const char *command)
{
	return valid_values(command, 1);
}

static void has(const char *path, const char *keys)
{
	char line[1024];

	snprintf(line, sizeof(line), "%s:%s\n", path, keys);
	if (!tap_ok(strstr(members, line), "  members of %s", *path ? path : "the document"))
		tap_diag("expected %s", line);
}

#define DEVICE	"name,id,index,driver,type,state,parent,numa_node,firmware,serial,uuid," \
		"exclusive,contexts,pinned_bytes,mapped_bytes,nodes"
#define CONTEXT	"device,device_id,id,node,pid,uid,command,cgroup_id,cgroup,age_ns," \
		"pinned_bytes,mapped_bytes,regions,jobs_open,engines,operations,last_error,time_ns"
#define OP	"calls,errors,in_flight"

int main(void)
{
	/* what a process may be called: quotes, control characters, half a character */
	prctl(PR_SET_NAME, "a\"\\\n\x01\xc3<é");
	if (!tap_ok(dev_open("acc1") >= 0, "open a device"))
		return tap_done();

	if (valid("accelctl -j dev")) {
		has("", "version,devices");
		has(".devices[]", DEVICE);
		has(".devices[].nodes[]", "name,major,minor");
	}
	if (valid("accelctl -j dev show acc0"))
		has(".devices[]", DEVICE);
	if (valid("accelctl --json engine")) {
		has("", "version,engines");
		has(".engines[]", "device,device_id,name,index,depth,queued,running,jobs,errors,"
		    "bytes,busy_ns,wait_ns,time_ns");
	}
	if (valid("accelctl -j ctx")) {
		has("", "version,contexts,not_shown");
		has(".contexts[]", CONTEXT);
		has(".contexts[].engines[]", "name,index,jobs,errors,bytes,busy_ns,wait_ns");
		has(".contexts[].operations.open", OP);
		tap_ok(strstr(output, "\"command\": \"a\\\"\\\\\\n"), "  its command, escaped");
	}
	if (valid("su bob -c 'accelctl -j ctx'"))
		tap_ok(strstr(output, "\"not_shown\": 1"), "  bob: one is not shown");
	if (valid("accelctl -j stats acc1")) {
		has("", "version,stats");
		has(".stats[]", "device,device_id,operations");
		has(".stats[].operations.open", OP);
	}
	if (valid("accelctl -j doctor")) {
		has("", "version,checks,ok");
		has(".checks[]", "check,verdict,found,mend");
	}
	if (valid_values(": >/tmp/mon; accelctl -j monitor >/tmp/mon & m=$!; "
			 "while [ $(wc -l </tmp/mon) -lt 2 ]; do "
			 ": <>/dev/accelerator/acc2; usleep 200000; done; "
			 "kill $m; wait $m 2>/dev/null; head -n 2 /tmp/mon", 2)) {
		has("", "time,event,context");
		has(".context", CONTEXT);
		tap_ok(!strstr(output, "\"pid\": null"), "  by which process, as in here");
	}
	/* It listens when it has heard of the first context. */
	if (valid_values(": >/tmp/mon; accelctl -j monitor >/tmp/mon & m=$!; "
			 "until [ -s /tmp/mon ]; do "
			 ": <>/dev/accelerator/acc2; usleep 200000; done; "
			 "d=/sys/bus/platform/drivers/accel_soft; "
			 "for s in failed ok; do "
			 "echo $s >/sys/class/accelerator/acc2/soft/set_state; done; "
			 "for s in unbind bind; do echo accel_soft.1 >$d/$s; done; "
			 "until grep -q '\"add\"' /tmp/mon; do usleep 200000; done; "
			 "kill $m; wait $m 2>/dev/null; grep -v '\"context\"' /tmp/mon", 4)) {
		const char *p = output;

		has("", "time,event,device");
		has(".device", DEVICE);
		for (size_t i = 0; p && i < 4; i++)
			p = strstr(p + 1, (const char *[]){ "\"change\"", "\"change\"",
							    "\"remove\"", "\"add\"" }[i]);
		tap_ok(p, "  it changes, changes back, goes and comes");
	}
	return tap_done();
}
