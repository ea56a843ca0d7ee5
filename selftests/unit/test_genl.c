// SPDX-License-Identifier: GPL-2.0-only
/* Generic netlink's exchanges, with a kernel that says what a test wrote down for it. */
#include "unit.h"

#include <errno.h>
#include <libmnl/libmnl.h>

/* The socket is not there; all else is as it is. */
#define mnl_socket_sendto	fake_sendto
#define mnl_socket_recvfrom	fake_recvfrom
static ssize_t fake_sendto(const struct mnl_socket *nl, const void *buf, size_t len);
static ssize_t fake_recvfrom(const struct mnl_socket *nl, void *buf, size_t len);
#include "../../tools/lib/genl.c"
#undef mnl_socket_sendto
#undef mnl_socket_recvfrom

static struct answer {
	uint16_t type;
	uint16_t flags;
} answers[4];

static int num_answers, next, replies;

static ssize_t fake_sendto(const struct mnl_socket *nl, const void *buf, size_t len)
{
	(void)nl, (void)buf;
	return len;
}

/* One message at a time, as what is longer than one buffer comes. */
static ssize_t fake_recvfrom(const struct mnl_socket *nl, void *buf, size_t len)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	int *status;

	(void)nl, (void)len;
	assert_true(next < num_answers);
	nlh->nlmsg_type = answers[next].type;
	nlh->nlmsg_flags = answers[next++].flags;
	if (nlh->nlmsg_type == NLMSG_DONE) {
		status = mnl_nlmsg_put_extra_header(nlh, sizeof(*status));
		*status = 0;
	} else {
		mnl_nlmsg_put_extra_header(nlh, sizeof(struct genlmsghdr));
	}
	return nlh->nlmsg_len;
}

static int count(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	(void)cmd, (void)nlh, (void)arg;
	replies++;
	return 0;
}

static int dump(const struct answer *what, int num)
{
	/* the next number is 0, of which take() looks at no answer's: they need none */
	struct genl g = { .seq = UINT32_MAX };

	memcpy(answers, what, num * sizeof(*what));
	num_answers = num;
	next = replies = 0;
	return genl_request(&g, 1, NLM_F_DUMP, NULL, count, NULL);
}

#define FAMILY	0x20

static void test_dump(void **state)
{
	static const struct answer whole[] = {
		{ FAMILY, NLM_F_MULTI }, { FAMILY, NLM_F_MULTI }, { NLMSG_DONE, NLM_F_MULTI },
	};

	(void)state;
	assert_int_equal(dump(whole, 3), 0);
	assert_int_equal(replies, 2);
}

/* What was told changed meanwhile: it is taken to its end, and told to be of no use. */
static void test_interrupted(void **state)
{
	static const struct answer amid[] = {
		{ FAMILY, NLM_F_MULTI }, { FAMILY, NLM_F_MULTI | NLM_F_DUMP_INTR },
		{ FAMILY, NLM_F_MULTI }, { NLMSG_DONE, NLM_F_MULTI },
	};
	static const struct answer at_end[] = {
		{ FAMILY, NLM_F_MULTI }, { NLMSG_DONE, NLM_F_MULTI | NLM_F_DUMP_INTR },
	};
	static const struct answer after[] = { { NLMSG_DONE, NLM_F_MULTI } };

	(void)state;
	assert_int_equal(dump(amid, 4), -EINTR);
	assert_int_equal(replies, 3);
	assert_int_equal(next, 4);
	assert_int_equal(dump(at_end, 2), -EINTR);
	assert_int_equal(dump(after, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_interrupted),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
