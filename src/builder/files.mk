# The files of src/builder.
hv-src += src/builder/layout.c
hv-src += src/builder/args.c
hv-src += src/builder/console_line.c
hv-src += src/builder/console_ring.c
hv-src += src/builder/console.c
hv-src += src/builder/tables.c
hv-src += src/builder/build.c
hv-src += src/builder/life.c
hv-src += src/builder/servers.c
hv-src += src/builder/prompt.c
hv-src += src/builder/image.c
hv-src += src/builder/hardware.c
