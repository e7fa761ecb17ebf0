# SPDX-License-Identifier: GPL-2.0-or-later
# Tiny PV guests: a folder each, linked with tests/guest/lib into $(B)/guest/NAME.

guests := hello hello-p2m traps memory events grants abuse answers control mca race pingpong clock share tiny spin crash

guest-lib := start.S trap.S trap.c printf.c console.c memory.c start.c check.c user.c time.c vcpus.c vcpus.S
GUEST_INC := $(shell $(CC) -print-file-name=include)
GUEST_CPP := -nostdinc -isystem $(GUEST_INC) -isystem $(B)/include -Itests/guest \
             -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__
GUEST_CFLAGS := -std=gnu17 -O2 -g -ffreestanding -fno-common -fno-strict-aliasing -fno-stack-protector \
                -fno-pic -fno-pie -mno-red-zone -mgeneral-regs-only -mcmodel=kernel -fno-asynchronous-unwind-tables \
                $(WARN)
# netbsd describes itself as old kernels do, the others by notes.
guests += netbsd
guest-lib += notes.S
guest-lib-obj := $(patsubst %,$(B)/guest/obj/lib/%.o,$(guest-lib))
guest-bin := $(patsubst %,$(B)/guest/%,$(guests))
# The sources of one guest: every .c and .S of its folder, and what guest-more-NAME adds.
guest-obj = $(patsubst tests/guest/%,$(B)/guest/obj/%.o,$(wildcard tests/guest/$(1)/*.[cS]) $(guest-more-$(1)))

# hello again, with the start of day that Linux asks for: p2m list elsewhere, module unmapped.
guest-more-hello-p2m := tests/guest/hello/main.c
guest-lib-of = $(if $(filter netbsd,$(1)),$(filter-out %/notes.S.o,$(guest-lib-obj)),$(guest-lib-obj))

$(B)/guest/obj/%.c.o: tests/guest/%.c $(B)/include/.stamp
	@mkdir -p $(@D)
	@$(CC) $(GUEST_CPP) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/guest/obj/%.S.o: tests/guest/%.S $(B)/include/.stamp
	@mkdir -p $(@D)
	@$(CC) $(GUEST_CPP) -D__ASSEMBLY__ $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

define guest-rule
$(B)/guest/$(1): $(call guest-obj,$(1)) $(call guest-lib-of,$(1)) tests/guest/lib/guest.lds
	@echo "  GUEST $$@"
	@ld -m elf_x86_64 -static -nostdlib --build-id=none -z noexecstack -z max-page-size=0x1000 \
	    --no-warn-rwx-segments -T tests/guest/lib/guest.lds -o $$@ $$(filter %.o,$$^)
-include $(patsubst %.o,%.d,$(call guest-obj,$(1)))
endef
$(foreach g,$(guests),$(eval $(call guest-rule,$(g))))
-include $(guest-lib-obj:.o=.d)

.PHONY: guests
guests: $(guest-bin)
