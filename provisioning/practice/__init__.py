"""The practice building: devices that speak real protocols and play recordings of real buildings."""
