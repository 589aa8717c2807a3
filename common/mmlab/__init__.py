"""Adapter for OpenMMLab: its runner and its models behind the engine's interfaces.

Importing `common.mmlab` and the modules `configs`, `keys`, `literals`, `options` and `params` needs neither torch nor
OpenMMLab.
"""
