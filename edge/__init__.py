"""The program on the box: drivers, poller, buffer, uploader."""
