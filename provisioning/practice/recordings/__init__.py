"""Recordings of real buildings, with their sources and licences in README.md."""
