"""`python -m gan`.

`main` (train, diagnose, what the page does, without the page), `weights` (sample, evaluate, export), `shipped` (what
a checkout ships, made anew), the page's own start. Imports everything.
"""
