"""Puts the parts of the box together and runs, checks or probes them."""
