"""Everything that the box says to the cloud."""
