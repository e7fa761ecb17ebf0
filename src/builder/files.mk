# The files of src/builder.
hv-src += src/builder/layout.c
hv-src += src/builder/args.c
