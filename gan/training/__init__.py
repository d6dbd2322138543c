"""One step of a GAN and what makes it fast.

`trainer` (no file, no clock, no thread), `checks` (what it refuses), `device`, `threads`, `malloc`, `footprint`
(memory, from settings alone), `cuda_graphs`, `distributed` and `follower` (several processes), `checkpoint` (a
trainer's whole state in one file). Imports core, data, models, losses.
"""
