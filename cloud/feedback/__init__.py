"""What people think of the work that was done for them."""
