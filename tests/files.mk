# SPDX-License-Identifier: GPL-2.0-or-later
# How tests are built and run. tests/check.py runs the suites and adds up.

unit :=
include tests/unit/files.mk

# Unit tests are host programs: tests/fake stands in for the headers of src/x86,
# every test runs under the address and undefined-behaviour sanitizers.
UNIT_CPP    := -isystem $(B)/include -Itests/fake -Isrc -I$(B)/gen -D__XEN__ -DHOSPES_DEBUG=1 -DHOSPES_SANITIZE=1 \
               -include lib/config.h
UNIT_CFLAGS := -std=gnu17 -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing -fno-builtin \
               -fsanitize=address,undefined -fno-sanitize-recover=all $(WARN)

unit-bin = $(patsubst %,$(B)/unit/test_%,$(unit) $(explore))
unit-obj = $(patsubst %.c,$(B)/unit/obj/%.o,tests/unit/test_$(1).c $(unit-$(1)))

$(B)/unit/obj/%.o: %.c $(B)/gen/offsets.h
	@mkdir -p $(@D)
	@echo "  CC    $< (unit)"
	@$(CC) $(UNIT_CPP) $(UNIT_CFLAGS) $(CFLAGS-unit-$(*F)) -MMD -MP -c -o $@ $<

define unit-rule
$(B)/unit/test_$(1): $(call unit-obj,$(1))
	@$$(CC) $$(UNIT_CFLAGS) -o $$@ $$^ -lcmocka $$(unit-libs-$(1))
-include $(patsubst %.o,%.d,$(call unit-obj,$(1)))
endef
$(foreach t,$(unit),$(eval $(call unit-rule,$(t))))
include tests/unit/explore/files.mk

include tests/guest/files.mk
include tests/fuzz/files.mk

CHECK = $(PY) tests/check.py --build $(B) --images $(IMAGES) --unit "$(unit) $(explore)" --fuzz "$(fuzz-targets)" \
            --guests "$(guests)" --only "$(T)"

.PHONY: unit check-unit check-guest check-system check check-built debug check-debug check-sanitised
.SECONDARY:
unit check-unit: $(if $(T),$(filter $(B)/unit/test_$(T)%,$(unit-bin)),$(unit-bin))
	@$(CHECK) unit

check-guest: all guests images
	@$(CHECK) guest

check-system: all guests images
	@$(CHECK) system

# Everything, from nothing: a second make builds once set-up has brought what it needs.
check: setup
	@$(MAKE) --no-print-directory -j$$(nproc) check-built

check-built: all guests images $(unit-bin) $(fuzz-bin)
	@$(CHECK) unit fuzz guest system

# The sanitised build, and all guest and system tests on it.
debug: | setup
	@$(MAKE) --no-print-directory B=$(B)/debug SANITIZE=1 all
	@cp $(B)/debug/hospes $(B)/hospes-debug

check-debug: debug
	@$(MAKE) --no-print-directory B=$(B)/debug SANITIZE=1 IMAGES=$(IMAGES) check-sanitised

check-sanitised: all guests images
	@$(CHECK) --sanitised guest system
