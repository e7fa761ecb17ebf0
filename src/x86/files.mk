# The files of src/x86.
hv-src += src/x86/entry.S src/x86/entry_fast.S src/x86/trap.c src/x86/desc.c src/x86/cpu.c src/x86/guest.c src/x86/fpu.c \
          src/x86/lapic.c src/x86/uaccess.c src/x86/bootfp.c src/x86/spinlock.c src/x86/topology.c \
          src/x86/spec.c src/x86/patch.c src/x86/thunks.S src/x86/gate.S src/x86/gate.c
