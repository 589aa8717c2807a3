#!/usr/bin/env bash
# What the platform starts. `exec`, so that signals reach the image itself. YMIR_IMAGE is set by the recipe.
exec python3 "/app/${YMIR_IMAGE:?}/start.py"
