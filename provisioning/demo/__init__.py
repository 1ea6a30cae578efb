"""The demo: a cloud, a practice estate, a practice building and a box that claims itself, all under one folder."""
