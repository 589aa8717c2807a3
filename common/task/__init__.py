"""The task: env.yaml, config.yaml, and the base of all hyper-parameters."""
