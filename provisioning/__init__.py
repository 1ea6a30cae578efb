"""What happens before and around a box, and the practice building."""
