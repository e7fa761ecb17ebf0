# The files of src/pv.
