"""Data laid onto boxes and the one source of how pages look, with its loaders."""
