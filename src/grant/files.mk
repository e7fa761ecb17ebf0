# The files of src/grant.
hv-src += src/grant/pin.c
hv-src += src/grant/table.c
hv-src += src/grant/entry.c
hv-src += src/grant/map.c
hv-src += src/grant/copy.c
hv-src += src/grant/transfer.c
hv-src += src/grant/admin.c
hv-src += src/grant/op.c
