"""What a box is told about its place, parsed once and passed down in parts."""
