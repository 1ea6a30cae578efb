"""What comes in at the front desk: calls, mails, visits, and what is promised and published there."""
