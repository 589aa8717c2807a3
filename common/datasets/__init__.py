"""Data sets: the platform's index and annotation files to one columnar Dataset, and that to files of a framework."""
