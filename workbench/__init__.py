"""For people, never inside an image: sample data, the platform's side of a task, its checks and its report."""
