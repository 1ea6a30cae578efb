"""The front desk and those whom it sends: tickets."""
