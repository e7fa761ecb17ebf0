# The files of src/evtchn.
hv-src += src/evtchn/evtchn.c
hv-src += src/evtchn/evtchn_2l.c
hv-src += src/evtchn/evtchn_fifo.c
hv-src += src/evtchn/pirq.c
