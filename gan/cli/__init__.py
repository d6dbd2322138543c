"""`python -m gan`.

`main` (train, diagnose, what the page does, without the page), `weights` (sample, evaluate, export, metric-network),
`console`. Imports everything but web.
"""
