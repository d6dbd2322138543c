"""Pictures on request.

`worker` (a thread with slots: the newest wins, urgent jobs pass, jobs can be cancelled), `generator` (all that can be
asked of a loaded generator, without a thread), `requests` (what is asked), `renderer` (weights by name, one worker
that draws and one that studies and searches), `browser_export` (a generator as the page draws it), `provenance`
(how a picture was made, as words in its PNG). Imports core, latent, models.
"""
