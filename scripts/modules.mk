# SPDX-License-Identifier: GPL-2.0-only
# kernel/DIR/ -> build/modules/RELEASE/DIR/NAME.ko. The kernel's build system writes
# beside the sources, so it gets a directory of links to them, one for each kernel.

KSRC := $(or $(KDIR),$(KERNEL_DIR))
KREL := $(or $(if $(KDIR),$(shell cat $(KDIR)/include/config/kernel.release 2>/dev/null)),$(KERNEL_RELEASE))
KOUT := $(B)/kbuild/$(KREL)

kernel_files := $(shell find kernel -type f 2>/dev/null | LC_ALL=C sort)
kernel_c := $(filter %.c,$(kernel_files))

ifneq ($(kernel_c),)
modules: $(KOUT)/.built
endif

# rewritten only when a file came or went, or another kernel's headers moved in
$(KOUT)/.files: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(KSRC)' $(kernel_files) >$@.new
	@if cmp -s $@ $@.new; then rm $@.new; else mv $@.new $@; fi

$(KOUT)/.built: $(KOUT)/.files $(kernel_files) scripts/kbuild
	$(say) KBUILD $(KREL)
	@# as old as the beginning: a source that is edited meanwhile stays newer
	@touch $(KOUT).begun
	$(Q)V=$(V) PUBLISH=$(abspath $(B)/modules/$(KREL)) scripts/kbuild '$(KSRC)' $(KOUT)
	@mv $(KOUT).begun $@
