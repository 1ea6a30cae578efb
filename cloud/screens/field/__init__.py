"""The screen of whoever repairs: the day, and each job of it, on a telephone that may have no network."""
