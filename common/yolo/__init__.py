"""Adapter for ultralytics: its trainer and its models behind the engine's interfaces.

Importing `common.yolo` and the modules `params`, `options` and `names` needs neither torch nor ultralytics.
"""
