"""The durable store of what was read and not yet let go."""
