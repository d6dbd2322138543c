"""The load clients, each many people in one process, for benchmarks and tests.

`watch`: viewers of a run, who poll as the page does, or did until November 2026 where the address ends in `live`.
`drag`: people who drag a slider at once, through the server.

python -m gan.bench.load_clients watch http://127.0.0.1:7860/gradio_api/gan/runs/ID/follow --count 50 --seconds 20
python -m gan.bench.load_clients drag "http://127.0.0.1:7860/gradio_api/gan/pixels?w=mnist-conditional&c=3" --count 50
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import math
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

Moment = tuple[int, int]  # version, step

PROMPT_SECONDS = 1.0  # an update that comes within that is one in time
FRAME_SECONDS = 1 / 60  # a hand moves a slider at most so often


@dataclass
class Tally:
    """What the viewers met. Times in seconds from sending a request to having its whole body."""

    requests: int = 0
    fresh: int = 0  # answers that brought a new moment of the run
    bytes: int = 0  # heads and bodies of all answers, as they came
    errors: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    started: float = field(default_factory=lambda: 1e3 * time.time())
    moments: list[Moment] = field(default_factory=list)  # of each picture made since
    ages: list[float] = field(default_factory=list)  # of these pictures, when they had come

    def steps_per_second(self) -> float:
        """Of the run, between the first and the last picture; a version is the millisecond of its making."""
        if len(self.moments) < 2:
            return float("nan")
        (begun, first), (ended, last) = min(self.moments), max(self.moments)
        return 1e3 * (last - first) / (ended - begun)

    def quantile(self, share: float) -> float:
        ordered = sorted(self.times) or [float("nan")]
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def summary(self) -> dict[str, float]:
        return {
            "requests": self.requests,
            "fresh": self.fresh,
            "errors": len(self.errors),
            "bytes": self.bytes,
            "p50_ms": round(self.quantile(0.5) * 1e3, 2),
            "p95_ms": round(self.quantile(0.95) * 1e3, 2),
            "steps_per_s": round(self.steps_per_second(), 4),
            "answers_in_time": round(_share_in_time(self.times), 4),
            "updates_in_time": round(_share_in_time(self.ages), 4),
        }


def _share_in_time(seconds: list[float]) -> float:
    return sum(s <= PROMPT_SECONDS for s in seconds) / len(seconds) if seconds else float("nan")


async def watch(url: str, seconds: float, interval: float, delay: float, tally: Tally) -> None:
    """One viewer: polls like the page does, over one kept connection, asking only for what is newer."""
    parts = urlsplit(url)
    await asyncio.sleep(delay)
    end, since, streams = time.monotonic() + seconds, "", None
    while time.monotonic() < end:
        started = time.monotonic()
        try:
            if streams is None:
                streams = await asyncio.open_connection(parts.hostname, parts.port)
            path = f"{parts.path}?since={since}"
            status, body, size = await asyncio.wait_for(get(streams, parts.netloc, path), 10)
            tally.requests += 1
            tally.bytes += size
            tally.times.append(time.monotonic() - started)
            if status == 200:
                since, moment = news_of(body)
                tally.fresh += moment is not None
                if moment and moment[0] > tally.started:  # not what a pause has left
                    tally.moments.append(moment)
                    tally.ages.append(time.time() - moment[0] / 1e3)
            elif status != 204:
                tally.errors.append(f"status {status}")
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError) as e:
            tally.errors.append(f"{type(e).__name__}: {e}")
            streams = None
        await asyncio.sleep(max(0.0, interval - (time.monotonic() - started)))
    if streams is not None:
        streams[1].close()


def news_of(body: bytes) -> tuple[str, Moment | None]:
    """What to ask with next time, and a new moment of the run, in an answer of `follow` or, formerly, `live`."""
    said = json.loads(body.partition(b"\n")[0])
    moment = said.get("snapshot") if "cursor" in said else said
    since = said.get("cursor") or str(said["version"])
    return since, (moment["version"], moment["step"]) if moment else None


async def get(streams: tuple, host: str, path: str) -> tuple[int, bytes, int]:
    """Status and body of an address, over a kept connection; and the bytes that came, packed as for a browser."""
    reader, writer = streams
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next((int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)
    sent = await reader.readexactly(length)
    body = gzip.decompress(sent) if "content-encoding: gzip" in head else sent
    return int(head.split()[1]), body, len(head) + length


async def watch_many(url: str, count: int, seconds: float, interval: float = 1.0) -> Tally:
    """`count` viewers for `seconds`, their polls spread evenly over the interval."""
    tally = Tally()
    delays = (interval * i / count for i in range(count))
    await asyncio.gather(*(watch(url, seconds, interval, delay, tally) for delay in delays))
    return tally


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
            status, body, size = await get(streams, parts.netloc, f"{at}&slot=dragger-{number}")
            tally.requests += 1
            tally.bytes += size
            tally.times.append(time.monotonic() - asked)
            if status == 200:
                shown = body
            else:
                tally.errors.append(f"status {status}")
            await asyncio.sleep(max(0.0, FRAME_SECONDS - tally.times[-1]))
        again = await asyncio.open_connection(parts.hostname, parts.port)
        _, wanted, _ = await get(again, parts.netloc, at)
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


CLIENTS = {"watch": watch_many, "drag": drag_many}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("url")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    args = parser.parse_args()
    tally = asyncio.run(CLIENTS[args.client](args.url, args.count, args.seconds))
    print(json.dumps(tally.summary()))


if __name__ == "__main__":
    main()
