"""The box as a device of its own, and the inventory of all that hangs on it."""
