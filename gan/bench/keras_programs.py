"""Four articles' programs in their own framework, written anew: what our recipes are measured against.

Runs as a script in an environment that has TensorFlow and nothing of ours:
python keras_programs.py NAME PICTURES.npy --seconds 10. The last line it prints is JSON.

Three articles train with `train_on_batch`; only 004 prints its loop, which draws the fakes with `predict`. 000 and 001
get the same loop, but as in our recipes one step of D on real and fake pictures together.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import layers

Z_DIM, BATCH = 100, 64
LEAST_STEPS = 5  # of the warm-up: every function is traced and compiled in the first


class Game:
    """G and D taught in turn by `train_on_batch`; `step` returns how many real pictures it took."""

    def __init__(
        self, pictures: np.ndarray, generator: keras.Model, discriminator: keras.Model, split: bool, generate: str
    ) -> None:
        self.pictures, self.generator, self.discriminator = pictures, generator, discriminator
        self.split, self.generate = split, generate
        discriminator.compile(optimizer="adam", loss="binary_crossentropy")
        # Keras 3 decides what a compiled model may learn at its first batch, not when it is compiled: frozen before
        # that, this discriminator would never learn, and nothing would say so.
        self.teach_discriminator()
        discriminator.trainable = False
        noise = keras.Input((Z_DIM,))
        self.both = keras.Model(noise, discriminator(generator(noise)))
        self.both.compile(optimizer="adam", loss="binary_crossentropy")

    def step(self) -> int:
        self.teach_discriminator()
        self.both.train_on_batch(np.random.randn(BATCH, Z_DIM), np.ones((BATCH, 1)))
        return BATCH

    def teach_discriminator(self) -> None:
        real = self.pictures[np.random.randint(0, len(self.pictures), BATCH)]
        fake, ones, zeros = self.draw(), np.ones((BATCH, 1)), np.zeros((BATCH, 1))
        if self.split:
            self.discriminator.train_on_batch(real, ones)
            self.discriminator.train_on_batch(fake, zeros)
        else:
            self.discriminator.train_on_batch(np.concatenate([real, fake]), np.concatenate([ones, zeros]))

    def draw(self) -> np.ndarray:
        noise = np.random.randn(BATCH, Z_DIM)
        if self.generate == "predict":
            return self.generator.predict(noise, verbose=0)
        return self.generator(noise, training=True).numpy()


def dense(pictures: np.ndarray, generate: str) -> Game:
    """Article 000."""
    generator = keras.Sequential(
        [
            keras.Input((Z_DIM,)),
            layers.Dense(128),
            layers.LeakyReLU(negative_slope=0.2),
            layers.BatchNormalization(),
            layers.Dense(784, activation="tanh"),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(128),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    return Game(pictures.reshape(-1, 784), generator, discriminator, False, generate)


def dcgan_upsample(pictures: np.ndarray, generate: str) -> Game:
    """Article 001, its last activation repaired to tanh."""
    generator = keras.Sequential(
        [
            keras.Input((Z_DIM,)),
            layers.Dense(128 * 7 * 7, activation="relu"),
            layers.Reshape((7, 7, 128)),
            layers.UpSampling2D(),
            layers.Conv2D(128, 3, padding="same", activation="relu"),
            layers.BatchNormalization(momentum=0.8),
            layers.UpSampling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.BatchNormalization(momentum=0.8),
            layers.Conv2D(1, 3, padding="same", activation="tanh"),
        ]
    )
    discriminator = keras.Sequential([keras.Input((28, 28, 1))])
    for channels, stride in ((32, 2), (64, 2), (128, 2), (256, 1)):
        discriminator.add(layers.Conv2D(channels, 3, strides=stride, padding="same"))
        if channels == 64:
            discriminator.add(layers.ZeroPadding2D(((0, 1), (0, 1))))
        if channels > 32:
            discriminator.add(layers.BatchNormalization(momentum=0.8))
        discriminator.add(layers.LeakyReLU(negative_slope=0.2))
        discriminator.add(layers.Dropout(0.25))
    discriminator.add(layers.Flatten())
    discriminator.add(layers.Dense(1, activation="sigmoid"))
    return Game(pictures, generator, discriminator, False, generate)


def conv_small(pictures: np.ndarray, generate: str) -> Game:
    """Article 004, its sizes repaired to meet and its last activation to tanh."""
    generator = keras.Sequential(
        [
            keras.Input((Z_DIM,)),
            layers.Dense(392, activation="relu"),
            layers.Reshape((7, 7, 8)),
            layers.Conv2DTranspose(64, 4, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(64, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    return Game(pictures, generator, discriminator, True, generate)


class Simultaneous:
    """Article 002: one compiled function, one forward pass of both networks, two tapes."""

    def __init__(self, pictures: np.ndarray) -> None:
        self.generator, self.discriminator = _transposed_generator(), _transposed_discriminator()
        self.g_adam, self.d_adam = keras.optimizers.Adam(1e-4), keras.optimizers.Adam(1e-4)
        self.entropy = keras.losses.BinaryCrossentropy(from_logits=True)
        self.data = tf.data.Dataset.from_tensor_slices(pictures).shuffle(len(pictures)).batch(256)
        self.batches = iter(self.data)

    def step(self) -> int:
        try:
            real = next(self.batches)
        except StopIteration:
            self.batches = iter(self.data)
            real = next(self.batches)
        self.learn(real)
        return len(real)

    @tf.function
    def learn(self, real: tf.Tensor) -> None:
        noise = tf.random.normal([256, Z_DIM])
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = self.generator(noise, training=True)
            on_real, on_fake = self.discriminator(real, training=True), self.discriminator(fake, training=True)
            g_loss = self.entropy(tf.ones_like(on_fake), on_fake)
            d_loss = self.entropy(tf.ones_like(on_real), on_real) + self.entropy(tf.zeros_like(on_fake), on_fake)
        g_weights, d_weights = self.generator.trainable_variables, self.discriminator.trainable_variables
        g_gradients, d_gradients = g_tape.gradient(g_loss, g_weights), d_tape.gradient(d_loss, d_weights)
        self.g_adam.apply_gradients(zip(g_gradients, g_weights, strict=True))
        self.d_adam.apply_gradients(zip(d_gradients, d_weights, strict=True))


def dcgan_transposed(pictures: np.ndarray, generate: str) -> Simultaneous:
    """Article 002; it never draws fakes apart."""
    return Simultaneous(pictures)


def _transposed_generator() -> keras.Model:
    layer = {"padding": "same", "use_bias": False}
    return keras.Sequential(
        [
            keras.Input((Z_DIM,)),
            layers.Dense(7 * 7 * 256, use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            layers.Reshape((7, 7, 256)),
            layers.Conv2DTranspose(128, 5, strides=1, **layer),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            layers.Conv2DTranspose(64, 5, strides=2, **layer),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            layers.Conv2DTranspose(1, 5, strides=2, activation="tanh", **layer),
        ]
    )


def _transposed_discriminator() -> keras.Model:
    model = keras.Sequential([keras.Input((28, 28, 1))])
    for channels in (64, 128):
        model.add(layers.Conv2D(channels, 5, strides=2, padding="same"))
        model.add(layers.LeakyReLU())
        model.add(layers.Dropout(0.3))
    model.add(layers.Flatten())
    model.add(layers.Dense(1))
    return model


PROGRAMS: dict[str, Callable[[np.ndarray, str], Game | Simultaneous]] = {
    "dense": dense,
    "dcgan-upsample": dcgan_upsample,
    "dcgan-transposed": dcgan_transposed,
    "conv-small": conv_small,
}


def run(step: Callable[[], int], seconds: float, least_steps: int = 1) -> float:
    """Real pictures a second."""
    pictures, steps, started = 0, 0, time.perf_counter()
    while True:
        pictures += step()
        steps += 1
        passed = time.perf_counter() - started
        if passed >= seconds and steps >= least_steps:
            return pictures / passed


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=PROGRAMS)
    parser.add_argument("pictures", help="uint8 [N, 28, 28] as .npy")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--warm-up", type=float, default=3)
    parser.add_argument("--generate", choices=["predict", "call"], default="predict")
    args = parser.parse_args()
    pictures = (np.load(args.pictures).astype(np.float32)[..., None] - 127.5) / 127.5
    program = PROGRAMS[args.name](pictures, args.generate)
    networks = {"G": program.generator, "D": program.discriminator}
    before = {name: network.get_weights() for name, network in networks.items()}
    run(program.step, args.warm_up, LEAST_STEPS)
    for name, network in networks.items():
        if not all(np.any(a != b) for a, b in zip(before[name], network.get_weights(), strict=True)):
            sys.exit(f"In the {args.name} program {name} does not learn, so its speed says nothing.")
    print(json.dumps({"images_per_s": run(program.step, args.seconds), "keras": keras.__version__}))


if __name__ == "__main__":
    main()
