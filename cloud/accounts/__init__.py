"""Organisations, their people and how these sign in."""
