"""Makers of the reference docs: each turns something countable in the code into one page."""
