"""The commands of gan-runner, one module for what belongs together."""
