"""Communities, buildings, units and places."""
