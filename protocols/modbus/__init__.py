"""From Modbus registers and bits to values."""
