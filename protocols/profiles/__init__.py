"""What a device model measures and how it is read, as a file declares it."""
