"""What is known about GANs: YAML for people, types for programs."""

__version__ = "0.1.0.dev0"
