"""The field buses."""
