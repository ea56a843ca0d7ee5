// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=10,hotplug=acpi" TIMEOUT=60 */
/* QEMU takes a device out of its slot (device_del) while it is in use in every way at once. */
#include "../lifetime/ways.h"
#include "hotplug.h"

static int port;

static int take_out(void)
{
	return hotplug_ask(port) ?: hotplug_gone(port);
}

static int put_in(void)
{
	struct dev_info dev;

	return hotplug_add(port) ?: hotplug_await(port, 1, &dev);
}

int main(void)
{
	static const struct way way = {
		.name = "edu device_del", .driver = "edu", .go = take_out, .back = put_in,
	};
	struct dev_info used, dev;
	int ports = hotplug_init();

	/* the scene takes the first of the driver's */
	if (dev_find("edu", 0, &used))
		tap_bail("no edu");
	while (port < ports && (hotplug_find(port, &dev) || strcmp(dev.name, used.name)))
		port++;
	if (port == ports)
		tap_bail("%s is in no slot", used.name);
	test_way(&way);
	return tap_done();
}
