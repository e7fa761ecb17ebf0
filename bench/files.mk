# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark: `make bench` measures and writes bench/RESULTS.md and bench/results.svg.
# It counts instructions, so it may run beside anything. T=native,xen,dom0,server,pair: only these.

$(B)/bench/init: bench/bench.c $(B)/include/.stamp
	@mkdir -p $(@D)
	@$(CC) -std=gnu17 -O2 -static -isystem $(B)/include $(WARN) -o $@ $<
$(B)/bench/true: bench/true.S
	@mkdir -p $(@D)
	@$(CC) -static -nostdlib -o $@ $<
$(B)/bench/counts.so: bench/counts.c
	@mkdir -p $(@D)
	@$(CC) -std=gnu17 -O2 -fPIC -shared -fvisibility=hidden $(WARN) -o $@ $<

.PHONY: bench
bench: setup
	@$(MAKE) --no-print-directory bench-built

bench-built: all images guests $(B)/bench/init $(B)/bench/true $(B)/bench/counts.so
	@$(PY) bench/run.py --build $(B) --images $(IMAGES) --only "$(T)"

# How costs grow with the machine: a tiny guest, and `make bench-scale` for its table and chart.
$(B)/bench/scale: $(B)/bench/scale.o $(guest-lib-obj) tests/guest/lib/guest.lds
	@ld -m elf_x86_64 -static -nostdlib --build-id=none -z noexecstack -z max-page-size=0x1000 \
	    --no-warn-rwx-segments -T tests/guest/lib/guest.lds -o $@ $(filter %.o,$^)
$(B)/bench/scale.o: bench/scale/main.c $(B)/include/.stamp
	@mkdir -p $(@D)
	@$(CC) $(GUEST_CPP) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<
-include $(B)/bench/scale.d

.PHONY: bench-scale
bench-scale: setup
	@$(MAKE) --no-print-directory bench-scale-built
bench-scale-built: all $(B)/bench/scale
	@$(PY) bench/scale.py --build $(B)
