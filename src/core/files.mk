# The files of src/core.
