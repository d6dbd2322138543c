"""`python -m gan`.

`main` (train, diagnose, what the page does, without the page), `weights` (sample, evaluate, export, metric-network),
the page's own start. Imports everything.
"""
