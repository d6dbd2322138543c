"""Pictures to learn from.

`catalog` (shipped and downloaded sets), `pictures` (the prepared file), `own_pictures` (from a stranger's files to a
prepared file), `clusters` (groups of like pictures), `codes` (what networks are told), `assets/` (what is
shipped). Imports core.
"""
