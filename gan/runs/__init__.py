"""Trainings as folders on disk.

`run` (one loop, its commands and failures), `registry` (all of them, with owners), `history`, `kept_checkpoints`,
`snapshot`, `fork`, `archive`, `prepared_sets`, `room`, `sources` (how a run or a generator is named),
`diagnosis_report`. Imports what stands above it, except latent and serving.
"""
