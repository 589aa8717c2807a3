"""Faults that are put into the code on purpose, to see that the tests notice them."""
