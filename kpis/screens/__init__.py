"""Screens as devices: their codes, their tokens, and what they tell of themselves."""
