"""Everybody's way in: sign-in, sign-out, the first page and how pages look."""
