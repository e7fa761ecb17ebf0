# The files of src/abi.
