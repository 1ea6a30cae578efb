"""From MQTT messages to values."""
