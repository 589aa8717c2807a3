"""What was asked: env.yaml, config.yaml, and the base of all hyper-parameters."""
