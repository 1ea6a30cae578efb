"""Messages to people: the inbox, the channels that carry them outside, and the evidence of it."""
