"""How good pictures are.

`formulas` (FID, KID and others, pure), `evaluate` (the protocol), `classifier` and `inception` (what they look
through), `nearest` (training pictures), `stroke_attributes`, `patch_distance`. Imports core and data.
"""
