"""What the networks are asked to do: `objectives`, `penalties`, `transforms` (of what D sees, and of gradients and
weights).

Pure functions in tables; a line in a table is all that a new one needs. Imports core.
"""
