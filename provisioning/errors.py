"""What can go wrong around a box, as a sentence that says what to do."""


class SiteError(Exception):
    """Something that the person at the keyboard can mend; the message says how."""


class BrokerMissing(SiteError):
    """Mosquitto is not installed; the practice building goes on with its Modbus devices."""
