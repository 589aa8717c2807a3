"""From candidate images to records that survive a kill, and from these to what the platform reads."""
