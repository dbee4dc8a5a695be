"""Measuring: ratios to what the same work costs in plain PostgreSQL or numpy."""
