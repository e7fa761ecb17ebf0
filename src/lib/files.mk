# The files of src/lib.
hv-src += src/lib/string.c
hv-src += src/lib/format.c
hv-src += src/lib/parse.c
hv-src += src/lib/elf.c
hv-src += src/lib/pvkernel.c
hv-src += src/lib/crc32.c
hv-src += src/lib/lzma2.c
hv-src += src/lib/xz.c
hv-src += src/lib/xz_x86.c

# gcc must not make the loops of memmove and strlen into calls of memmove and strlen.
CFLAGS-lib/string := $(if $(findstring gcc,$(CC)),-fno-tree-loop-distribute-patterns)

# The decoder's loop is to fit one page of code, and needs every register.
CFLAGS-lib/lzma2 := -Os -fomit-frame-pointer
