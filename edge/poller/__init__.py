"""Reads devices on their own cadence and hands what they say to the buffer."""
