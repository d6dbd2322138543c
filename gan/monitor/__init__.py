"""What a training run says about itself.

`records` (what is written down, and when), `signals`, `likeness`, `live_metrics`, and `diagnosis/`, which makes words
of them. Imports core, data, losses, metrics, models, recipes, training.
"""
