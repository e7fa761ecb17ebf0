# The files of src/pv.
hv-src += src/pv/ports.c src/pv/device.c
hv-src += src/pv/pagetype.c src/pv/entries.c src/pv/mmu.c src/pv/descriptors.c src/pv/traps.c src/pv/ptwrite.c \
          src/pv/privop.c src/pv/msr.c src/pv/cpuid.c src/pv/debugreg.c src/pv/iret.c src/pv/grant_map.c src/pv/domain.c src/pv/dump.c \
          src/pv/policy.c src/pv/hypercall_page.c
# The hot paths: no frame pointer (a panic's report shows their callers).
CFLAGS-pv/mmu := -fomit-frame-pointer
CFLAGS-pv/ptwrite := -fomit-frame-pointer
CFLAGS-pv/traps := -fomit-frame-pointer
