"""The engine of every YMIR executor image. Importing it needs no torch."""
