# SPDX-License-Identifier: GPL-2.0-or-later
# Searches of all states (engine.h): the sources are compiled apart, for explore/x86/atomic.h, and without
# sanitizers, which keep notes about stacks. `explore += NAME`, `explore-NAME := src/x/a.c ...`.
explore :=
explore-world := tests/unit/explore/engine.c tests/unit/explore/world.c src/pv/pagetype.c src/pv/entries.c \
                 src/pv/mmu.c src/mem/frame.c
explore += type_explore
explore-type_explore := $(explore-world)
explore += grant_explore
explore-grant_explore := $(explore-world) src/pv/grant_map.c $(addprefix src/grant/,pin.c table.c entry.c map.c admin.c)

EXPLORE_CFLAGS := -Itests/unit/explore -Itests/unit $(UNIT_CPP) -std=gnu17 -O1 -g -fomit-frame-pointer -fno-strict-aliasing \
    -fno-builtin -fno-stack-protector -fcf-protection=none $(WARN) -Wno-shadow

explore-obj = $(patsubst %.c,$(B)/unit/explore/%.o,tests/unit/test_$(1).c $(explore-$(1)))

$(B)/unit/explore/%.o: %.c $(B)/gen/offsets.h
	@mkdir -p $(@D)
	@echo "  CC    $< (explore)"
	@$(CC) $(EXPLORE_CFLAGS) -MMD -MP -c -o $@ $<

define explore-rule
$(B)/unit/test_$(1): $(call explore-obj,$(1))
	@$$(CC) -o $$@ $$^ -lcmocka
-include $(patsubst %.o,%.d,$(call explore-obj,$(1)))
endef
$(foreach t,$(explore),$(eval $(call explore-rule,$(t))))
