"""The engine that every YMIR executor image stands on. Importing it needs no torch."""
