"""From the platform's index and annotation files to one columnar Dataset, and from there to what a framework reads."""
