"""Business time: calendars with holidays and make-up days, and who is on shift."""
