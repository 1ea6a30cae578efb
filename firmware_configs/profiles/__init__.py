"""The device profiles that come with Gatehouse: one YAML file for each model."""
