"""Trainings as folders on disk.

`run` (one run: its folder, its state, who watches), `loop` (trains it), `commands` (what it may be asked),
`publishing` (what everybody sees), `measuring`, `meta` (run.json), `history` (RECORDS: what it writes down),
`kept_checkpoints`, `snapshot`. `registry` (how new ones are made) on top of `store` (all of them, with owners),
`admission` (who may train), `memory` (whether there is memory for it), `turns` (who of these learns now),
`turn_taking` (a run's part in it), `recordings`, `starts`, `shipped`, `eviction`, `fork`, `archive`, `prepared_sets`,
`room`, `sources` (how a run or a generator is named), `errors`, `diagnosis_report`. Imports what stands above it,
except latent and serving.
"""
