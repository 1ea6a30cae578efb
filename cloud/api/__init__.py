"""The machines that talk to Gatehouse."""
