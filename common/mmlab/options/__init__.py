"""Choices and options of users for OpenMMLab. The parent reads them, so nothing here imports torch or OpenMMLab."""
