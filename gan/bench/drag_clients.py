"""The other load client: many people who drag a slider at once, each as the page does it through the server.

python -m gan.bench.drag_clients "http://127.0.0.1:7860/gradio_api/gan/pixels?w=mnist-conditional&c=3" --count 50
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import time
from urllib.parse import urlsplit

from gan.bench.view_clients import Tally, get

FRAME_SECONDS = 1 / 60  # a hand moves a slider at most so often


async def drag(url: str, number: int, seconds: float, tally: Tally) -> None:
    """One hand: a request in flight, then one for where the slider is by now; where it rests must be shown at last.

    `fresh` counts the hands whose last picture is that of their last position, asked for once more on a new connection.
    """
    parts = urlsplit(url)
    streams = await asyncio.open_connection(parts.hostname, parts.port)
    started, shown, at = time.monotonic(), b"", ""
    try:
        while (passed := time.monotonic() - started) < seconds:
            at = f"{parts.path}?{parts.query}&seed={number}&d=0:{3 * math.sin(2 * passed + number):.2f}"
            asked = time.monotonic()
            status, body = await get(streams, parts.netloc, f"{at}&lane=dragger-{number}")
            tally.requests += 1
            tally.times.append(time.monotonic() - asked)
            if status == 200:
                shown = body
            else:
                tally.errors.append(f"status {status}")
            await asyncio.sleep(max(0.0, FRAME_SECONDS - tally.times[-1]))
        again = await asyncio.open_connection(parts.hostname, parts.port)
        _, wanted = await get(again, parts.netloc, at)
        tally.fresh += wanted == shown
        again[1].close()
    except (OSError, ValueError, asyncio.IncompleteReadError) as e:
        tally.errors.append(f"{type(e).__name__}: {e}")
    finally:
        streams[1].close()


async def drag_many(url: str, count: int, seconds: float) -> Tally:
    """`count` hands at once, each from a seed of its own."""
    tally = Tally()
    await asyncio.gather(*(drag(url, number, seconds, tally) for number in range(count)))
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10)
    args = parser.parse_args()
    print(json.dumps(asyncio.run(drag_many(args.url, args.count, args.seconds)).summary()))


if __name__ == "__main__":
    main()
