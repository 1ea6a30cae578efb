"""Boxes, devices, points, and what they measured."""
