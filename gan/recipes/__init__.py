"""Settings of programs: `catalog` (RECIPES, and the articles' programs), `failures` (trainings that fail on purpose).

Imports core and data.
"""
