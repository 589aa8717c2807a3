"""Speed and memory of the engine, each figure a ratio of two things measured in one run. `make bench` runs them all."""
