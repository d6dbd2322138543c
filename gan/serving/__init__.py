"""Pictures on request.

`renderer` (one thread, the newest request wins), `browser_export` (a generator as the page draws it), `provenance`
(how a picture was made, as words in its PNG). Imports core, latent, models.
"""
