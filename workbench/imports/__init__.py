"""Data sets of people, in the formats that they have, as tasks of the platform."""
