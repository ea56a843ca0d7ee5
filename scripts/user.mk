# SPDX-License-Identifier: GPL-2.0-only
# tools/lib/*.c              -> build/lib/libaccel_tools.a
# tools/accel*/*.c           -> build/bin/DIRECTORY, build/completion/DIRECTORY
# docs/man/NAME.N.scd        -> build/man/NAME.N
# selftests/unit/NAME.c      -> build/selftests/unit/NAME, for this host, with sanitizers
# selftests/AREA/NAME.c      -> build/selftests/AREA/NAME, for the guest; where the
#                               area has a file SINGLE, all its .c make AREA/AREA
# selftests/compat/NAME.c    -> the same, as 32-bit programs without a C library
# selftests/lib/*.c          -> linked into every guest test program
# selftests/vm/{guest,host}  -> build/vm/{agent,vmhost}

CFLAGS ?= -O2 -g
U_CFLAGS := -std=c11 -D_GNU_SOURCE -DACCEL_VERSION='"$(VERSION)"' -Wall -Wextra -Werror $(CFLAGS) \
	-I tools/lib -I bpf -I $(B)/bpf -I kernel/include/uapi
T_CFLAGS := $(U_CFLAGS) -I selftests/lib -I kernel/bench -I kernel/tests
ASAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1
U_LIBS := -Wl,--as-needed -lbpf -lelf -lz -lncursesw -ltinfo -lmnl -lsmartcols -lmicrohttpd -lm -lpthread

obj = $(patsubst %.c,$(B)/obj/%.o,$1)
asan = $(patsubst %.c,$(B)/obj-asan/%.o,$1)
deps :=

# $1: command line after the name of the output; in place at once, never half written
link = $(Q)$(CC) -o $@.new $1 && mv -f $@.new $@

# every user of a skeleton needs it before its own dependencies are known
$(B)/obj/%.o: %.c scripts/user.mk | $(bpf_skels)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(if $(filter selftests/%,$<),$(T_CFLAGS),$(U_CFLAGS)) -MMD -MP -c $< -o $@

# the test machine's own programs need none, and no one else's mistakes either
$(B)/obj/selftests/vm/%.o: selftests/vm/%.c scripts/user.mk
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(T_CFLAGS) -MMD -MP -c $< -o $@

$(B)/obj-asan/%.o: %.c scripts/user.mk | $(bpf_skels)
	$(say) CC '$< (sanitized)'
	@mkdir -p $(@D)
	$(Q)$(CC) $(T_CFLAGS) $(ASAN) -MMD -MP -c $< -o $@

# ---- the library ----

lib_src := $(wildcard tools/lib/*.c)
LIB := $(if $(lib_src),$(B)/lib/libaccel_tools.a)
LIB_ASAN := $(if $(lib_src),$(B)/lib/libaccel_tools_asan.a)
deps += $(call obj,$(lib_src)) $(call asan,$(lib_src))

$(B)/lib/libaccel_tools.a: $(call obj,$(lib_src)) $(B)/lib/.lib_src
$(B)/lib/libaccel_tools_asan.a: $(call asan,$(lib_src)) $(B)/lib/.lib_src
$(B)/lib/%.a:
	$(say) AR $@
	@mkdir -p $(@D)
	$(Q)rm -f $@.new && ar rcs $@.new $(filter %.o,$^) && mv $@.new $@

# so that a source that went away is noticed
$(B)/lib/.lib_src: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(lib_src) >$@.new
	@if cmp -s $@ $@.new; then rm $@.new; else mv $@.new $@; fi

# ---- tools ----

tool_dirs := $(sort $(foreach d,$(wildcard tools/accel*/),$(if $(wildcard $(d)*.c),$(notdir $(d:/=)))))
tool_bins := $(tool_dirs:%=$(B)/bin/%)

define tool_rule
$(B)/bin/$1: $$(call obj,$$(wildcard tools/$1/*.c)) $(LIB)
	$$(say) LINK $$@
	@mkdir -p $$(@D)
	$$(call link,$$(filter %.o %.a,$$^) $$(U_LIBS))
deps += $$(call obj,$$(wildcard tools/$1/*.c))
endef
$(foreach t,$(tool_dirs),$(eval $(call tool_rule,$t)))

# accelctl has them inside
$(B)/obj/tools/accelctl/policy_objects.o: $(filter $(B)/bpf/policies/%,$(bpf_objs))

# of the same option tables, by the tools themselves
tool_completions := $(tool_dirs:%=$(B)/completion/%)

$(tool_completions): $(B)/completion/%: $(B)/bin/%
	@mkdir -p $(@D)
	$(Q)$< --help-completion >$@.new && mv $@.new $@

tools: $(LIB) $(tool_bins) $(tool_completions)

# ---- manuals ----

man_pages := $(patsubst docs/man/%.scd,$(B)/man/%,$(wildcard docs/man/*.scd))

# dated, in its heading, as its source
$(man_pages): $(B)/man/%: docs/man/%.scd
	$(say) MAN $@
	@mkdir -p $(@D)
	$(Q)SOURCE_DATE_EPOCH=$$(stat -c %Y $<) scdoc <$< >$@.new && mv $@.new $@

man: $(man_pages)

# ---- tests ----

test_lib_src := $(wildcard selftests/lib/*.c)
test_lib := $(call obj,$(test_lib_src))
deps += $(test_lib)

unit_src := $(wildcard selftests/unit/*.c)
unit_bins := $(unit_src:%.c=$(B)/%)
deps += $(call asan,$(unit_src))

$(unit_bins): $(B)/%: $(B)/obj-asan/%.o $(LIB_ASAN)
	$(say) LINK $@
	@mkdir -p $(@D)
	$(call link,$(ASAN) $(filter %.o %.a,$^) -lcmocka $(U_LIBS))

areas := $(filter-out unit vm lib compat,$(notdir $(patsubst %/,%,$(wildcard selftests/*/))))
single_areas := $(foreach a,$(areas),$(if $(wildcard selftests/$a/SINGLE),$a))
multi_src := $(filter-out %.bpf.c,$(foreach a,$(filter-out $(single_areas),$(areas)),$(wildcard selftests/$a/*.c)))
multi_bins := $(multi_src:%.c=$(B)/%)
single_bins := $(foreach a,$(single_areas),$(if $(wildcard selftests/$a/*.c),$(B)/selftests/$a/$a))
deps += $(call obj,$(multi_src))

$(multi_bins): $(B)/%: $(B)/obj/%.o $(test_lib) $(LIB)
	$(say) LINK $@
	@mkdir -p $(@D)
	$(call link,$(filter %.o %.a,$^) $(U_LIBS))

# It forks 10,000 times: with half the mappings, in two thirds of the time
$(B)/selftests/storm/kill: private U_LIBS := -static

define single_rule
$(B)/selftests/$1/$1: $$(call obj,$$(wildcard selftests/$1/*.c)) $(test_lib) $(LIB)
	$$(say) LINK $$@
	@mkdir -p $$(@D)
	$$(call link,$$(filter %.o %.a,$$^) $$(U_LIBS))
deps += $$(call obj,$$(wildcard selftests/$1/*.c))
endef
$(foreach a,$(single_areas),$(eval $(call single_rule,$a)))

# 32-bit callers: there need not be a 32-bit C library. The headers of asm/ are in a
# directory that -m32 does not search.
compat_bins := $(patsubst %.c,$(B)/%,$(wildcard selftests/compat/*.c))

$(compat_bins): $(B)/%: %.c scripts/user.mk $(wildcard kernel/include/uapi/linux/*.h)
	$(say) CC '$< (32 bits)'
	@mkdir -p $(@D)
	$(call link,-m32 -std=gnu11 -Wall -Wextra -Werror -O2 -ffreestanding -fno-stack-protector \
		-fno-pic -no-pie -nostdlib -static -I kernel/include/uapi \
		-idirafter /usr/include/$(shell $(CC) -print-multiarch) $<)

selftests: $(unit_bins) $(multi_bins) $(single_bins) $(compat_bins)

# ---- the test machine ----

machine: $(B)/vm/agent $(B)/vm/vmhost
deps += $(call obj,$(wildcard selftests/vm/*.c))

$(B)/vm/agent: $(call obj,selftests/vm/agent.c selftests/vm/boot.c)
$(B)/vm/vmhost: $(call obj,selftests/vm/host.c)
$(B)/vm/agent $(B)/vm/vmhost:
	$(say) LINK $@
	@mkdir -p $(@D)
	$(call link,$^)

-include $(patsubst %.o,%.d,$(deps))
