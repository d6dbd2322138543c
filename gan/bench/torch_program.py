"""The program of article 003 in plain PyTorch, written anew: what our recipe `mlp` is measured against.

Data as the article reads them: one picture at a time through torchvision's transforms, put together by a DataLoader.
python -m gan.bench.torch_program PICTURES.npy --seconds 10. The last line it prints is JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

Z_DIM, BATCH, LR = 100, 64, 2e-4


class Digits(Dataset):
    """Pictures as torchvision's MNIST gives them: a PIL image, transformed each time it is asked for."""

    def __init__(self, pictures: np.ndarray) -> None:
        self.pictures = pictures
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5], [0.5])])

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.pictures[i])), 0  # its label, which the program never reads


class Program:
    """Two networks, two Adams, one endless DataLoader; `step` returns how many real pictures it took."""

    def __init__(self, pictures: np.ndarray) -> None:
        self.generator, self.discriminator = _generator(), _discriminator()
        self.g_adam = torch.optim.Adam(self.generator.parameters(), lr=LR)
        self.d_adam = torch.optim.Adam(self.discriminator.parameters(), lr=LR)
        self.loss = nn.BCELoss()
        self.batches = _endless(DataLoader(Digits(pictures), batch_size=BATCH, shuffle=True))

    def step(self) -> int:
        real = next(self.batches)[0].flatten(1)  # [N, 784]
        n = len(real)
        ones, zeros = torch.ones(n, 1), torch.zeros(n, 1)

        self.d_adam.zero_grad()
        fake = self.generator(torch.randn(n, Z_DIM))
        on_real, on_fake = self.discriminator(real), self.discriminator(fake.detach())
        (self.loss(on_real, ones) + self.loss(on_fake, zeros)).backward()
        self.d_adam.step()

        self.g_adam.zero_grad()
        self.loss(self.discriminator(self.generator(torch.randn(n, Z_DIM))), ones).backward()
        self.g_adam.step()
        return n


def _generator() -> nn.Module:
    return nn.Sequential(
        *(nn.Linear(Z_DIM, 128), nn.ReLU()),
        *(nn.Linear(128, 256), nn.BatchNorm1d(256), nn.ReLU()),
        *(nn.Linear(256, 512), nn.BatchNorm1d(512), nn.ReLU()),
        *(nn.Linear(512, 784), nn.Tanh()),
    )


def _discriminator() -> nn.Module:
    return nn.Sequential(
        *(nn.Linear(784, 512), nn.LeakyReLU(0.2)),
        *(nn.Linear(512, 256), nn.LeakyReLU(0.2)),
        *(nn.Linear(256, 1), nn.Sigmoid()),
    )


def _endless(loader: DataLoader) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        yield from loader


def run(step: Callable[[], int], seconds: float) -> float:
    """Real pictures a second."""
    pictures, started = 0, time.perf_counter()
    while True:
        pictures += step()
        passed = time.perf_counter() - started
        if passed >= seconds:
            return pictures / passed


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("pictures", help="uint8 [N, 28, 28] as .npy")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--warm-up", type=float, default=3)
    args = parser.parse_args()
    program = Program(np.load(args.pictures))
    run(program.step, args.warm_up)
    print(json.dumps({"images_per_s": run(program.step, args.seconds)}))


if __name__ == "__main__":
    main()
