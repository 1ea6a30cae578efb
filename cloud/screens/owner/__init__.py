"""Owners on their telephones: their home, what they report, and what is known of them."""
