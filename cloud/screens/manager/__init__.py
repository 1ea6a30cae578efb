"""Managers: what does not go as it should, and where to look."""
