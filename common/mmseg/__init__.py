"""Adapter for mmsegmentation: what semantic segmentation has of its own, besides `common.mmlab`.

Importing `common.mmseg` and the module `params` needs neither torch nor OpenMMLab.
"""
