"""The dictionary that box and cloud both speak; it does no I/O."""
