"""Devices that answer Modbus over TCP."""
