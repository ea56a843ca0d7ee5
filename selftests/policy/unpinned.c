// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=2" TIMEOUT=180 */
/*
 * A policy that is told in bulk of what has ended (mem_unpinned): late, as long as it
 * makes no difference; before a refusal is final, before the file's end, before user
 * space reads its books; of all that it has allowed, and of nothing else.
 */
#include "dmabuf.h"
#include "tenants.h"

static struct dev_info dev;
static char *memory;

static void bulk_attach(struct policy *p, const char *name, int priority)
{
	policy_start(p, "unpinned.bpf.o", name, NULL, priority);
}

static int pin_and_unpin(int fd, uint64_t size)
{
	uint64_t mem;

	return dev_pin(fd, memory, size, RW, &mem) ?: dev_unpin(fd, mem);
}

/* Late; and in time, where it would have refused. */
static void before_a_refusal(void)
{
	struct unpinned *books;
	struct policy p;
	uint64_t mem;
	int fd, bad = 0;

	bulk_attach(&p, "books", 0);
	books = p.books;
	fd = dev_open(dev.name);
	for (int i = 0; i < 100; i++)
		bad += pin_and_unpin(fd, PAGE) != 0;
	tap_is(bad, 0, "100 pages are pinned and released");
	tap_is(books->asked, 100, "it is asked for each");
	tap_is(books->final, 1, "a refusal of the first one would have been final");
	tap_is(books->told, 0, "and told of none, as it makes no difference");
	books->limit = 100 * PAGE;
	tap_is(dev_pin(fd, memory, 99 * PAGE, RW, &mem), 0, "what its books do not allow");
	tap_is(books->asked, 102, "  is put to it again");
	tap_is(books->told, 1, "  after it was told, once");
	tap_is(books->last, 100 * PAGE, "  of all that have ended");
	tap_is(dev_pin(fd, memory, 2 * PAGE, RW, NULL), -EDQUOT, "too much");
	tap_is(books->asked, 103, "  is refused at once: it has been told all");
	tap_is(pin_and_unpin(fd, PAGE), 0, "the last page");
	tap_is(pin_and_unpin(fd, PAGE), 0, "  can be had again");
	tap_is(books->asked, 105 + 1, "  when it has been told of the first time");
	tap_is(dev_pin(fd, memory, 2 * PAGE, RW, NULL), -EDQUOT, "too much, of which it is asked twice");
	tap_is(policy_figure("books", "hooks.mem_pin.refused"), 2, "  is refused twice in all");
	tap_is(policy_figure("books", "hooks.mem_pin.calls"), 105, "  of 105 calls");
	books->limit = 0;
	tap_is(dev_pin(fd, (void *)0x10000, PAGE, RW, NULL), -EFAULT, "one that fails");
	tap_is(books->last, PAGE, "  is told of at once");
	tap_is(books->allowed - books->back, 99 * PAGE, "  and with it all but what is there");
	close(fd);
	tap_is(books->closed, 1, "the file is closed");
	tap_is(books->at_close, 0, "  of which it has been told all by then");
	policy_close(&p);
}

static void before_it_is_looked_at(void)
{
	struct policy p;
	int fd;

	bulk_attach(&p, "books", 0);
	fd = dev_open(dev.name);
	pin_and_unpin(fd, PAGE);
	tap_is(p.books->back, 0, "pinned and released, and not told of");
	tap_is(policy_figure("books", "hooks.mem_unpinned.calls"), 1, "until somebody looks at it");
	tap_is(p.books->back, PAGE, "its books are right then");
	close(fd);
	policy_close(&p);
}

/* Imports are their exporter's. */
static void imported(void)
{
	int dmabuf = dmabuf_udmabuf(4 * PAGE), fd;
	uint64_t mem, length;
	struct policy p;

	bulk_attach(&p, "books", 0);
	fd = dev_open(dev.name);
	tap_is(dmabuf_import(fd, dmabuf, RW, &mem, &length), 0, "an import");
	tap_is(p.books->imports, 1, "it is asked about");
	dev_unpin(fd, mem);
	close(fd);
	close(dmabuf);
	policy_figure("books", "calls");
	tap_is(p.books->told, 0, "and is not told of its end");
	policy_close(&p);
}

/* Each of two hears of what it has allowed: the later one of less, who is refused of nothing. */
static void others(void)
{
	struct policy first, second;
	uint64_t older, newer;
	int fd;

	bulk_attach(&first, "first", 0);
	fd = dev_open(dev.name);
	dev_pin(fd, memory, 3 * PAGE, RW, &older);
	pin_and_unpin(fd, PAGE);
	bulk_attach(&second, "second", 1);
	tap_is(dev_pin(fd, memory, 2 * PAGE, RW, &newer), 0, "a region that both have allowed");
	dev_unpin(fd, older);
	dev_unpin(fd, newer);
	policy_figure("first", "calls");
	tap_is(first.books->back, 6 * PAGE, "the first hears of all");
	tap_is(second.books->back, 2 * PAGE, "the second of what it has allowed");
	second.books->limit = PAGE;
	tap_is(dev_pin(fd, memory, 2 * PAGE, RW, NULL), -EDQUOT, "what the second refuses");
	tap_is(first.books->last, 2 * PAGE, "  the first hears of at once");
	tap_is(first.books->allowed - first.books->back, 0, "  with which its books are even");
	tap_is(second.books->back, 2 * PAGE, "  the second does not");
	second.books->limit = 0;
	dev_pin(fd, memory, PAGE, RW, &newer);
	dev_unpin(fd, newer);
	policy_close(&second);
	policy_figure("first", "calls");
	tap_is(first.books->allowed - first.books->back, 0,
	       "the second has gone meanwhile: the first is told all the same");
	pin_and_unpin(fd, PAGE);
	policy_close(&first);
	close(fd);
	tap_ok(true, "a file that owes outlives its policies");
}

/* What its device's end has ended, while the file stays open. */
static void unplugged(void)
{
	struct dev_info gone;
	struct policy p;
	uint64_t mem;
	int fd;

	if (dev_find("soft", 1, &gone))
		tap_bail("no second soft device");
	bulk_attach(&p, "books", 0);
	fd = dev_open(gone.name);
	dev_pin(fd, memory, 5 * PAGE, RW, &mem);
	dev_write("/sys/bus/platform/drivers/accel_soft/unbind", "accel_soft.1");
	tap_is(p.books->back, 5 * PAGE, "unplug: it is told");
	close(fd);
	dev_write("/sys/bus/platform/drivers/accel_soft/bind", "accel_soft.1");
	policy_close(&p);
}

/* Refused again and again; and so it settles, for all. */
static void hammer(void *arg)
{
	volatile bool *stop = arg;
	int fd = dev_open(dev.name);

	while (!*stop)
		dev_pin(fd, memory, 8 * PAGE, RW, NULL);
}

/*
 * Who gives back may take again at once, although somebody else is just telling the policy
 * of it, which takes so long that one processor after the other gets its turn, where
 * there is one thread for all. All in one limit, of which nobody but this process gets any.
 */
static void in_turn(void)
{
	volatile bool *stop = shared(PAGE);
	int fd, bad = 0, n = 20;
	struct policy p;
	pid_t pids[3];

	bulk_attach(&p, "books", 0);
	p.books->limit = 4 * PAGE;
	fd = dev_open(dev.name);
	for (int i = 0; i < 3; i++)
		pids[i] = tenant("/", hammer, (void *)stop);
	while (p.books->asked < 100)
		usleep(1000);
	p.books->slow = 1 << 22;
	for (int i = 0; i < n; i++) {
		bad += pin_and_unpin(fd, 4 * PAGE) != 0;
		usleep(1000);
	}
	p.books->slow = 0;
	*stop = true;
	for (int i = 0; i < 3; i++)
		tenant_end(pids[i]);
	tap_is(bad, 0, "%d times all of it, given back and taken again, with others who are refused", n);
	tap_ok(p.books->told > 1, "  told %llu times", p.books->told);
	policy_figure("books", "calls");
	tap_is(p.books->allowed - p.books->back, 0, "  and the books are even");
	close(fd);
	policy_close(&p);
}

int main(void)
{
	policy_begin();
	memory = pages(100 * PAGE);
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	before_a_refusal();
	before_it_is_looked_at();
	imported();
	others();
	unplugged();
	in_turn();
	return tap_done();
}
