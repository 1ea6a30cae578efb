"""Work that somebody must do, by type and deadline."""
