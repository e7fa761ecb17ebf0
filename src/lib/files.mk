# The files of src/lib.
hv-src += src/lib/string.c
hv-src += src/lib/format.c
hv-src += src/lib/json.c
hv-src += src/lib/parse.c
hv-src += src/lib/elf.c
hv-src += src/lib/pvkernel.c
hv-src += src/lib/lzma2.c
hv-src += src/lib/xz.c
hv-src += src/lib/xz_x86.c
hv-src += src/lib/bzimage.c
hv-src += src/lib/unpack.c
hv-src += src/lib/libc_shim.c

# gcc must not make the loops of memmove and strlen into calls of memmove and strlen.
CFLAGS-lib/string := $(if $(findstring gcc,$(CC)),-fno-tree-loop-distribute-patterns)

# The decoder's loop is to fit one page of code, and needs every register.
CFLAGS-lib/lzma2 := -Os -fomit-frame-pointer

# The libraries that unpack kernels, and their headers for the two files that call them.
CFLAGS-lib/unpack := -isystem /usr/include -isystem /usr/include/x86_64-linux-gnu
CFLAGS-lib/xz := $(CFLAGS-lib/unpack)
hv-libs += $(shell $(CC) -print-file-name=libz.a)
hv-libs += $(shell $(CC) -print-file-name=libzstd.a)
hv-libs += $(shell $(CC) -print-file-name=liblz4.a)
