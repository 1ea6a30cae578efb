"""Rules and the life cycle of alarms (ISA-18.2)."""
