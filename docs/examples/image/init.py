"""Adapter for the detectors of torchvision."""
