"""Repairs: survey, plan and consent, stock, visits, results, and inspections that come round."""
