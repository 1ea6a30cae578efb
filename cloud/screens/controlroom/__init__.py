"""The control room: alarms and boxes."""
