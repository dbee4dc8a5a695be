"""Blitar hub: brings food from where it grows to the cities that need it, so that both ends gain."""
