"""Training strategies: which model a target is judged on."""
