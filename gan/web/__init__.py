"""The page, and the only package that imports gradio.

`server` starts it, `page` puts it together, `tabs/` has the markup and `routes/` the answers, `static/` the scripts;
`middleware` and `access` stand before everything, `settings` reads flags and environment. Imports everything but bench
and cli, and never a training step (`training.trainer`).
"""
