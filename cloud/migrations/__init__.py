"""The business database's steps from each version to the next."""
