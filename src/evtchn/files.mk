# The files of src/evtchn.
