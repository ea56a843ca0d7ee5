# SPDX-License-Identifier: GPL-2.0-only
# bpf/NAME.bpf.c          -> build/bpf/NAME.bpf.o and NAME.skel.h (struct NAME_bpf)
# bpf/policies/NAME.bpf.c -> build/bpf/policies/NAME.bpf.o
# selftests/AREA/NAME.bpf.c -> build/selftests/AREA/NAME.bpf.o, for the guest

BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH_BPF) -Wall -Werror \
	-isystem $(B)/bpf -I bpf -I kernel/include/uapi \
	-idirafter /usr/include/$(shell uname -m)-linux-gnu
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)

bpf_src := $(wildcard bpf/*.bpf.c)
bpf_policies := $(wildcard bpf/policies/*.bpf.c)
bpf_skels := $(bpf_src:bpf/%.bpf.c=$(B)/bpf/%.skel.h)
bpf_objs := $(patsubst bpf/%.c,$(B)/bpf/%.o,$(bpf_src) $(bpf_policies))

bpf_tests := $(patsubst %.bpf.c,$(B)/%.bpf.o,$(wildcard selftests/*/*.bpf.c))

bpf: $(bpf_skels) $(bpf_objs) $(bpf_tests)

# types of the kernel that the modules are built against, else the running one's
vmlinux_btf := $(firstword $(wildcard $(KSRC)/vmlinux) $(wildcard /sys/kernel/btf/vmlinux))

$(B)/bpf/vmlinux.h: $(vmlinux_btf) | $(B)/bpf/
	$(say) VMLINUX $@
	$(Q)[[ -n '$(vmlinux_btf)' ]] || { echo 'no vmlinux with BTF in $(KSRC) nor in /sys/kernel/btf: run make setup' >&2; exit 1; }
	$(Q)$(BPFTOOL) btf dump file $(vmlinux_btf) format c >$@.new && mv $@.new $@

$(B)/obj/bpf/%.bpf.o: bpf/%.bpf.c $(B)/bpf/vmlinux.h
	$(say) CLANG $<
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@

$(B)/bpf/%.bpf.o: $(B)/obj/bpf/%.bpf.o
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen object $@ $<

$(B)/bpf/%.skel.h: $(B)/bpf/%.bpf.o
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name $(subst -,_,$*)_bpf >$@.new && mv $@.new $@

$(B)/obj/selftests/%.bpf.o: selftests/%.bpf.c $(B)/bpf/vmlinux.h
	$(say) CLANG $<
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@

$(B)/selftests/%.bpf.o: $(B)/obj/selftests/%.bpf.o
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen object $@ $<

-include $(patsubst $(B)/%.bpf.o,$(B)/obj/%.bpf.d,$(bpf_tests))
-include $(patsubst bpf/%.c,$(B)/obj/bpf/%.d,$(bpf_src) $(bpf_policies))
