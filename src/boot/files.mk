# The files of src/boot.
hv-src += src/boot/head.S
hv-src += src/boot/trampoline.S
hv-src += src/boot/multiboot.c
hv-src += src/boot/memmap.c
hv-src += src/boot/smp.c
hv-src += src/boot/main.c
