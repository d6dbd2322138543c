"""Our own speed on a recipe, in a process of its own as the articles' programs are: the Trainer that a run drives.

python -m gan.bench.ours RECIPE --seconds 10 --threads 1. The last line it prints is JSON.
"""

from __future__ import annotations

import argparse
import json

from gan.bench.common import TRAINABLE, add_threads, per_second, trainer_of, use_threads
from gan.core.flags import decimal
from gan.training.malloc import keep_freed_memory


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("recipe", choices=TRAINABLE)
    parser.add_argument("--seconds", type=decimal(0.001, 86_400), default=10)
    parser.add_argument("--warm-up", type=decimal(0, 86_400), default=3)
    add_threads(parser)
    args = parser.parse_args()
    use_threads(args)
    keep_freed_memory()
    trainer = trainer_of(args.recipe)
    per_second(trainer.step, args.warm_up)
    print(json.dumps({"images_per_s": per_second(trainer.step, args.seconds) * trainer.config.batch}))


if __name__ == "__main__":
    main()
