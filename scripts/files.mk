# SPDX-License-Identifier: GPL-2.0-or-later
# Everything that is not compiling: set-up, images, running, analysis.

PY      := /usr/bin/python3
SMP     ?= 2
MEM     ?= 1024
PORT    ?= 8080
ACCEL   ?= tcg
IMAGES  ?= build/images
KERNEL  ?= $(IMAGES)/vmlinuz
RAMDISK ?= $(IMAGES)/ramdisk.gz

.PHONY: setup images check-debian check-many run run-boot-servers iso help analyze format map clean size

setup:
	@scripts/setup.sh

# The kernel and real Xen are fetched with apt-get, so they wait for setup.
$(IMAGES)/vmlinuz: | setup
	@scripts/images.sh $(IMAGES) kernel
$(IMAGES)/xen.elf: | setup
	@scripts/images.sh $(IMAGES) xen
$(IMAGES)/ramdisk.gz: scripts/ramdisk.sh $(wildcard scripts/ramdisk/*) | setup
	@scripts/ramdisk.sh $@

# For dom0, with drivers of the kernel that was fetched.
$(IMAGES)/dom0.gz: $(IMAGES)/ramdisk.gz $(IMAGES)/vmlinuz scripts/dom0_ramdisk.sh scripts/modules.sh scripts/dom0_ramdisk/work
	@scripts/dom0_ramdisk.sh $< $$(echo $(IMAGES)/linux-image-*/lib/modules/*) $@

# A whole Debian 12 to be dom0, three minutes and 850 MB of it, and its way to a login.
$(IMAGES)/debian/disk.img: scripts/dom0_image.sh | setup
	@scripts/dom0_image.sh $(IMAGES)/debian
check-debian: all $(IMAGES)/debian/disk.img
	@LAB_BUILD=$(B) LAB_IMAGES=$(IMAGES) $(PY) tests/system/debian.py

# Many servers created by xl, each with its address; then none.
check-many: all images
	@LAB_BUILD=$(B) LAB_IMAGES=$(IMAGES) $(PY) tests/system/many.py $(N)

# And with Debian's toolstack.
$(IMAGES)/xl.gz: $(IMAGES)/vmlinuz scripts/xl_ramdisk.sh scripts/modules.sh $(wildcard scripts/xl_ramdisk/*) | setup
	@scripts/xl_ramdisk.sh $(IMAGES)/debs $$(echo $(IMAGES)/linux-image-*/lib/modules/*) $< $@

images: $(KERNEL) $(RAMDISK) $(IMAGES)/xen.elf $(IMAGES)/dom0.gz $(IMAGES)/xl.gz $(IMAGES)/demo/dom0.gz

# What `make run` shows: dom0's ramdisk with two servers' configurations, and their disks.
$(IMAGES)/demo/dom0.gz: $(IMAGES)/xl.gz scripts/demo_images.sh $(shell find demo -type f)
	@scripts/demo_images.sh $< $$(echo $(IMAGES)/linux-image-*/lib/modules/*) $(@D)

# Step by step, and each says itself what it does. After the first nothing has to be installed.
STEP := $(MAKE) --no-print-directory
run:
	@echo "run: step 1 of 5: packages"; $(STEP) setup
	@echo "run: step 2 of 5: Debian's kernel"; $(STEP) -s -o setup $(IMAGES)/vmlinuz
	@echo "run: step 3 of 5: Debian's toolstack, the servers' disks"; $(STEP) -s -o setup $(IMAGES)/demo/dom0.gz
	@echo "run: step 4 of 5: Hospes"; $(STEP) -s all
	@echo "run: step 5 of 5: start"
	@HOSPES=$(B)/hospes KERNEL="$(KERNEL)" DEMO=$(IMAGES)/demo SMP=$(SMP) MEM=$(MEM) ACCEL=$(ACCEL) PORT=$(PORT) scripts/run.sh

# Hospes is built by a make of its own: before setup its headers may not be there.
run-boot-servers: setup $(KERNEL) $(RAMDISK)
	@$(STEP) all
	@HOSPES=$(B)/hospes KERNEL="$(KERNEL)" RAMDISK="$(RAMDISK)" SMP=$(SMP) MEM=$(MEM) ACCEL=$(ACCEL) \
	    scripts/run_boot_servers.sh

iso: setup $(KERNEL) $(RAMDISK)
	@$(STEP) all
	@scripts/iso.sh $(B)/hospes.iso $(B)/hospes.gz $(KERNEL) $(RAMDISK) web db

# The compilers' flags are given to the tools, so that they see what is compiled.
analyze: objects
	@$(PY) scripts/analyze.py --build $(B) --cpp="$(HV_CPP)" --cflags="$(HV_CFLAGS)" --only "$(T)" \
	    $(foreach f,$(hv-src:src/%.c=%),$(if $(CFLAGS-$f),--own="$f=$(CFLAGS-$f)")) $(hv-src)

format:
	@clang-format -i $$(git ls-files -co --exclude-standard 'src/*.[ch]' 'tests/*.[ch]' 'bench/*.[ch]')

map:
	@scripts/map.py

# The budget is 30,000 lines of code for the whole of src/.
size:
	@cloc --quiet src | tee $(B)/size.txt
	@awk '/^SUM/ { print "src: " $$5 " lines of code of 30000"; exit $$5 > 30000 }' $(B)/size.txt

clean:
	rm -rf $(filter-out $(IMAGES),$(wildcard $(B)/*))

help:
	@cat scripts/help.txt
