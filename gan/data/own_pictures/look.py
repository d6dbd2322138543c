"""What pixels tell besides what they show: copies, one colour, darkness."""

from __future__ import annotations

import numpy as np

from gan.data.own_pictures.summary import of_pixels
from gan.data.pictures import Split


def pixel_notes(split: Split) -> list[str]:
    """Sentences on the pictures of a split, whose bytes come in pieces of whole pictures."""
    _, channels, size, _ = split.shape
    seen: set[int] = set()  # 64 bits of each picture
    count, flat, light = 0, 0, 0.0
    for pixels in split.images():
        values = np.frombuffer(pixels, np.uint8).reshape(-1, channels, size**2)
        seen.update(hash(picture.tobytes()) for picture in values)
        count += len(values)
        flat += int((values.min(-1) == values.max(-1)).all(-1).sum())
        light += float(values.mean((1, 2)).sum())
    return of_pixels(count, flat, light / max(1, count), count - len(seen))
