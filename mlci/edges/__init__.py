"""The only modules that touch the world: files, Git, DVC, engines, models."""
