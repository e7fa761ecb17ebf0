# The files of src/mem.
hv-src += src/mem/early.c
hv-src += src/mem/frame.c
hv-src += src/mem/heap.c
hv-src += src/mem/hvmap.c src/mem/isolate.c
hv-src += src/mem/init.c
hv-src += src/mem/page_alloc.c
