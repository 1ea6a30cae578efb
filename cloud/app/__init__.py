"""Builds the web application and its background work from settings."""
