"""A shell for a framework: commands that bundles contribute, and the ways to reach it."""
