# The files of src/lib.
hv-src += src/lib/string.c
hv-src += src/lib/format.c
hv-src += src/lib/parse.c
hv-src += src/lib/elf.c
hv-src += src/lib/pvkernel.c

# gcc must not make the loops of memmove and strlen into calls of memmove and strlen.
CFLAGS-lib/string := $(if $(findstring gcc,$(CC)),-fno-tree-loop-distribute-patterns)
