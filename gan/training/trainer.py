"""One training step of a GAN, and nothing else: no files, no clock, no thread, no printing.

Exactness: the state after k steps is a function of (config, k, the players of each step, changes of learning rates, the
thread count, the kind of machine). Everything random is drawn from a generator that is re-seeded for each step from
(seed, rank, step), so that no random state has to be saved (the idea is EDM2's).

It computes on a processor or on an NVIDIA GPU with the same lines; a GPU replays whole steps (cuda_graphs.py).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, TypedDict

import torch
from torch import Tensor

from gan.core.adam import Adam, AdamState
from gan.core.config import Config
from gan.core.noise import sheet_latents
from gan.core.seeds import NEWEST, Seeds, Stream
from gan.data.catalog import Dataset, Pictures
from gan.data.codes import code_logit_bias, values_of_codes
from gan.losses.adaptive import AdaptiveProbability
from gan.losses.classification import classification_loss
from gan.losses.objectives import OBJECTIVES, mean_verdicts
from gan.losses.penalties import PENALTIES, DiscriminatorStep
from gan.losses.transforms import TRANSFORMS, clip_gradients, clip_weights, joint_norm
from gan.models import as_mixture, build_discriminator, build_generator
from gan.models.layers import Discriminator, Generator, told_codes
from gan.training import distributed
from gan.training.checks import check_config, check_data
from gan.training.cuda_graphs import Batch, CudaGraphs, Inputs, Numbers, send
from gan.training.device import resolved_precision
from gan.training.frozen import learning_parameters

PLAYERS = ("both", "d", "g")
Device = torch.device | str


class Fakes(NamedTuple):
    """Latents [N, z_dim], what their pictures are to be (classes, groups or nothing), and the pictures [N, C, H, W]."""

    z: Tensor
    c: Tensor | None
    x: Tensor


class Look(NamedTuple):
    """What D makes of pictures: logits [N] and features [N, F]."""

    logits: Tensor
    features: Tensor


class _Always(TypedDict):
    G: dict[str, Tensor]
    D: dict[str, Tensor]
    opt_g: AdamState
    opt_d: AdamState
    steps_done: int
    batches_done: int
    lr: dict[str, float]
    format: int


class State(_Always, total=False):
    """Everything that survives a step; `ema` where G is averaged, `augment` where augmentation follows D."""

    ema: dict[str, Tensor]
    augment: dict[str, Tensor]


class Trainer:
    """Two networks, two optimisers, a data set, and `step`.

    Args:
        config: validated; its size, channels and classes are the data set's.
        pictures: the real pictures, uint8 [N, C, H, W].
        device: where to compute.
        format: how its draws begin, see gan.core.seeds.Seeds.

    Raises:
        ConfigError: networks and data do not fit together, a table has no such entry, or a GPU lacks bfloat16.
    """

    def __init__(self, config: Config, pictures: Pictures, device: Device = "cpu", format: int = NEWEST) -> None:
        check_config(config)
        check_data(config, pictures)
        pictures = limit_pictures(pictures, config.data_limit)
        self.config = config
        self.device = torch.device(device)
        if self.device.type == "cuda":
            torch.backends.cudnn.deterministic = True  # exactness; costs a tenth of a step at most
        self.precision = resolved_precision(config, self.device)
        self.objective = OBJECTIVES[config.objective].smoothed(config.label_smoothing)
        self.penalty = PENALTIES[config.penalty]
        self.parts = self.objective.parts if config.update_order == "split" else None  # where each takes a step of D
        self.transforms = [t for t in TRANSFORMS.values() if t.strength(config, 0)]
        self.seeds = Seeds(config.seed, format)
        self.data = Dataset(pictures, self.seeds, config.sampling)
        rng = torch.Generator().manual_seed(self.seeds.of(Stream.FIRST_WEIGHTS))
        self.G = build_generator(config, rng, self.device)
        self.D = build_discriminator(config, rng, self.device)
        choose_labels(self.data, self.G, pictures, config, self.seeds)
        self.g_params: list[Tensor] = list(self.G.parameters())
        self.d_params: list[Tensor] = learning_parameters(self.D, config.freeze_d)
        # Running means and variances, singular vectors: what the networks keep beside their parameters.
        self.statistics = [b for net in (self.G, self.D) for b in net.buffers() if b.is_floating_point()]
        distributed.broadcast([*self.g_params, *self.D.parameters(), *self.statistics])
        betas, eps = (config.beta1, config.beta2), config.adam_eps
        self.opt_g, self.opt_d = (Adam(params, config.d_lr, betas, eps) for params in (self.g_params, self.d_params))
        self.ema = copy.deepcopy(self.G).requires_grad_(False).eval() if config.ema_halflife_images else None
        self.adaptive = AdaptiveProbability.of(config, self.objective, self.device)
        self.steps_done = self.batches_done = 0  # batches: by all processes together, one each per step
        self.lr = {"d": config.d_lr, "g": config.g_lr}  # may change while it runs
        self.rates = dict(self.lr)  # of the last step
        self.rng = torch.Generator(self.device)
        self.graphs = CudaGraphs(self.rng, wanted=distributed.world() == 1)
        self._norms: dict[str, Tensor] | None = None  # of the gradients, in a step that is looked at

    # The step -----------------------------------------------------------------------------------------------------

    def step(self, players: str = "both", grad_norms: bool = False) -> dict[str, Tensor]:
        """Let D, G or both learn once. Returns scalars on the device: the losses and D's mean verdicts.

        Keys: d_loss, d_real, d_fake when D learned, g_loss when G learned; with `grad_norms` also d_grad and g_grad,
        the norms of their gradients, before these are bounded. To ask for them changes nothing.
        """
        cfg = self.config
        self.rng.manual_seed(self.seeds.of(Stream.STEP, distributed.rank(), self.steps_done))
        self.rates = learning_rates(self.lr, self.config.lr_decay_images, self.images_done)
        for network in (self.G, self.D):
            if not network.training:  # to ask is cheaper than to say it to every layer
                network.train()
        batches = [self._batch(k) for k in range(cfg.d_steps if players != "g" else 1)]
        numbers = [self.rates["d"], self.rates["g"], average_share(cfg, self.batches_done, distributed.world())]
        # Steps of one kind do the same with other numbers.
        kind = (players, grad_norms, self._penalty_due, *(t.strength(cfg, self.images_done) for t in self.transforms))
        stats = self.graphs(kind, partial(self._learn, players, grad_norms), batches, numbers)
        self.steps_done += 1
        self.batches_done += distributed.world()
        return stats

    def _learn(self, players: str, grad_norms: bool, batches: Inputs, numbers: Numbers) -> dict[str, Tensor]:
        """What a GPU records. Nothing in here may wait for the device."""
        self._norms = {} if grad_norms else None
        self.opt_d.lr, self.opt_g.lr, average_share = numbers
        update = self._simultaneous if self.config.update_order == "simultaneous" else self._alternate
        stats = update(players, batches)
        distributed.average([*self.statistics, *stats.values()])
        if self.ema is not None and players != "d":
            move_average(self.ema, self.G, average_share)
        return stats | (self._norms or {})

    def _alternate(self, players: str, batches: Inputs) -> dict[str, Tensor]:
        """D learns (d_steps times), then G: on fresh noise, or on the noise D has just seen."""
        stats: dict[str, Tensor] = {}
        same_noise = self.config.update_order == "alternate-same-noise"
        x, c = batches[0]  # as many as D takes steps, one where only G learns
        fakes = self._generate(len(x), c) if same_noise else None
        if players != "g":
            for k, (x, c) in enumerate(batches):
                if k or fakes is None:
                    with torch.no_grad():
                        fakes = self._generate(len(x), c)
                stats |= self._update_d(x, c, fakes)
        if players != "d":
            if not same_noise or fakes is None or not fakes.x.requires_grad:
                fakes = self._generate(len(x), c)
            stats |= self._update_g(x, c, fakes)
        return stats

    def _update_d(self, x: Tensor, c: Tensor | None, fakes: Fakes) -> dict[str, Tensor]:
        if self.parts is not None:
            steps = map(self._split_step, (x, fakes.x.detach()), (c, fakes.c), self.parts)
            (real_loss, real), (fake_loss, fake_) = steps
            loss = (real_loss + fake_loss).mean()
        else:
            x, fake = (pictures.detach().requires_grad_(self._penalty_due) for pictures in (x, fakes.x))
            look, fake_ = self._look_at_pair((x, c), (fake, fakes.c))
            real = look.logits
            loss = self.objective.d_loss(real, fake_).mean()
            penalty = self._penalty(fakes.z, (x, c), fake, (real, fake_))
            self._optimise(loss + misread(self.D, look, c, self.config) + penalty, self.opt_d)
        return {"d_loss": loss.detach(), **self._judged(real, fake_)}

    def _split_step(self, x: Tensor, c: Tensor | None, part: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """One step of D's optimiser on real or on fake pictures alone, as `train_on_batch` called twice does."""
        logits = self._discriminate(x, c, self.rng)  # [N]
        loss = part(logits)
        self._optimise(loss.mean(), self.opt_d)
        return loss.detach(), logits.detach()

    def _update_g(self, x: Tensor, c: Tensor | None, fakes: Fakes) -> dict[str, Tensor]:
        """One step of G; only an objective that compares asks D about the real pictures x once more."""
        fake = self._look(fakes.x, fakes.c, self.rng)
        with torch.no_grad():
            real = self._discriminate(x, c, self.rng) if self.objective.compares else None
        loss = self.objective.g_loss(fake.logits, real).mean()
        self._optimise(loss + misread(self.D, fake, fakes.c, self.config), self.opt_g)
        return {"g_loss": loss.detach()}

    def _simultaneous(self, players: str, batches: Inputs) -> dict[str, Tensor]:
        """One forward pass of both networks gives both gradients; then both learn."""
        x, c = batches[0]
        fakes = self._generate(len(x), c)
        x = x.detach().requires_grad_(self._penalty_due)
        # Not in one pass, or G's gradient would run back through the real half too.
        look, fake_look = self._look(x, c, self.rng), self._look(fakes.x, fakes.c, self.rng)
        real, fake = look.logits, fake_look.logits
        d_loss = self.objective.d_loss(real, fake).mean()
        g_loss = self.objective.g_loss(fake, real).mean()
        cost = d_loss + misread(self.D, look, c, self.config) + self._penalty(fakes.z, (x, c), fakes.x, (real, fake))
        g_cost = g_loss + misread(self.D, fake_look, fakes.c, self.config)
        g_grads = torch.autograd.grad(g_cost, self.g_params, retain_graph=True) if players != "d" else None
        if players != "g":
            self._optimise(cost, self.opt_d)
        if g_grads is not None:
            self._apply(g_grads, self.opt_g)
        return {"d_loss": d_loss.detach(), "g_loss": g_loss.detach(), **self._judged(real, fake)}

    def _judged(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """D's mean verdicts, from its logits [N] of real and of fake pictures; augmentation may follow them."""
        if self.adaptive is not None:
            sign = self.adaptive.sign_of(real)
            distributed.average([sign])
            self.adaptive.follow(sign, len(real) * distributed.world())
        d_real, d_fake = mean_verdicts(self.objective, real, fake)
        return {"d_real": d_real, "d_fake": d_fake}

    @property
    def _penalty_due(self) -> bool:
        return self.penalty is not None and self.steps_done % self.config.penalty_every == 0

    def _penalty(self, z: Tensor, real: Batch, fake: Tensor, logits: tuple[Tensor, Tensor]) -> Tensor | float:
        """The weighted penalty of this step; lazily: every k steps, k times as strong (Karras et al. 2020, app. B)."""
        if self.penalty is None or not self._penalty_due:
            return 0.0
        step = DiscriminatorStep(self.G, self._discriminate, z, *real, fake, *logits, self.rng)
        return self.config.penalty_weight * self.config.penalty_every * self.penalty.cost(step).mean()

    def _discriminate(self, x: Tensor, c: Tensor | None, rng: torch.Generator) -> Tensor:
        return self._look(x, c, rng).logits

    def _look(self, x: Tensor, c: Tensor | None, rng: torch.Generator) -> Look:
        """What D makes of pictures as it sees them in training: through the transforms of this config."""
        chance = None if self.adaptive is None else self.adaptive.p
        for transform in self.transforms:
            if strength := transform.strength(self.config, self.images_done):
                x = transform.apply(x, strength, rng, chance)
        with self._autocast(not self._penalty_due):  # a slope of a network with 8 bits would be mostly noise
            features = self.D.features(x, rng)
            return Look(self.D.logits(features, c).float(), features)

    def _look_at_pair(self, real: Batch, fake: Batch) -> tuple[Look, Tensor]:
        """What D makes of real pictures, and its logits of fake ones; in one pass unless batch statistics mix them."""
        if self.D.has_batch_stats:
            return self._look(*real, self.rng), self._discriminate(*fake, self.rng)
        (x, c), (x_fake, c_fake) = real, fake
        condition = None if c is None else torch.cat([as_mixture(t, self.D.classes) for t in (c, c_fake)])
        logits, features = self._look(torch.cat([x, x_fake]), condition, self.rng)  # of [2N]
        return Look(logits[: len(x)], features[: len(x)]), logits[len(x) :]

    def _optimise(self, loss: Tensor, opt: Adam) -> None:
        self._apply(torch.autograd.grad(loss, opt.params), opt)

    def _apply(self, grads: Sequence[Tensor], opt: Adam) -> None:
        """One step of an optimiser: gradients averaged over all processes and then bounded, so that all bound alike."""
        grads = distributed.average_grads(grads)
        if self._norms is not None:
            self._norms["d_grad" if opt is self.opt_d else "g_grad"] = joint_norm(grads)
        opt.step(self._bounded(grads))
        if self.config.weight_clip and opt is self.opt_d:
            clip_weights(self.d_params, self.config.weight_clip)

    def _bounded(self, grads: Sequence[Tensor]) -> Sequence[Tensor]:
        most = self.config.gradient_clip
        return clip_gradients(grads, most) if most else grads

    def _batch(self, k: int) -> Batch:
        # All processes read on together where all have stopped reading, however many they were then.
        index = self.batches_done * self.config.d_steps + k * distributed.world() + distributed.rank()
        x, c = self.data.batch(index, self.config.batch, self.rng)
        return send(x, self.device), None if c is None else send(c, self.device)

    def _noise(self, n: int) -> Tensor:
        return torch.randn(n, self.config.z_dim, generator=self.rng, device=self.device)

    def _generate(self, n: int, c: Tensor | None) -> Fakes:
        """n generated pictures, of the classes c [n] where there are classes."""
        z = self._noise(n)
        condition = self.G.condition(z, c if self.config.classes else None)
        with self._autocast():
            return Fakes(z, condition, self.G(z, condition, self.rng).float())

    def _autocast(self, wanted: bool = True) -> torch.autocast:
        """Products and convolutions inside compute in bfloat16, forwards and backwards, where that is the precision.

        Weights, their gradients and averages, optimisers, losses, penalties, and whatever people see stay in float32.
        """
        return torch.autocast(self.device.type, torch.bfloat16, enabled=wanted and self.precision == "bfloat16")

    # Looking at it ------------------------------------------------------------------------------------------------

    @property
    def images_done(self) -> int:
        """Pictures of all steps so far in all processes; one D-step's worth where D takes several."""
        return self.batches_done * self.config.batch

    @property
    def shown(self) -> Generator:
        """The generator people see: the averaged one where the recipe has one."""
        return self.G if self.ema is None else self.ema

    @torch.inference_mode()
    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, z_dim], labels -> pictures [N, C, H, W], about [−1, 1]. Leaves training exactly as it was."""
        G = self.shown.eval()  # step() puts its networks back into training mode
        return G(z.to(self.device), None if c is None else c.to(self.device))

    @torch.inference_mode()
    def verdict(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """D's verdict [N] on pictures [N, C, H, W], see Objective.verdict. Leaves training exactly as it was."""
        return self.objective.verdict(self.D.eval()(x.to(self.device), None if c is None else c.to(self.device)))

    def preview_latents(self, n: int, seed: int | None = None) -> tuple[Tensor, Tensor | None]:
        """The same n latents [n, z_dim] for every frame of a run, and what they are: classes in turn, groups, None.

        seed: None is the config's.
        """
        cfg = self.config
        z = sheet_latents("tile", cfg.seed if seed is None else seed, cfg.z_dim, n)
        return z, self.G.condition(z.to(self.device), torch.arange(n) % cfg.classes if cfg.classes else None)

    # State --------------------------------------------------------------------------------------------------------

    def state_dict(self) -> State:
        """Tensors are the live ones, copy them to keep them."""
        state: State = {
            "G": self.G.state_dict(),
            "D": self.D.state_dict(),
            "opt_g": self.opt_g.state_dict(),
            "opt_d": self.opt_d.state_dict(),
            "steps_done": self.steps_done,
            "batches_done": self.batches_done,
            "lr": dict(self.lr),
            "format": self.seeds.format,
        }
        if self.ema is not None:
            state["ema"] = self.ema.state_dict()
        if self.adaptive is not None:
            state["augment"] = self.adaptive.state_dict()
        return state

    def load_state_dict(self, state: State) -> None:
        self.G.load_state_dict(state["G"])
        self.D.load_state_dict(state["D"])
        self.opt_g.load_state_dict(state["opt_g"])
        self.opt_d.load_state_dict(state["opt_d"])
        if self.ema is not None:
            self.ema.load_state_dict(state["ema"])
        if self.adaptive is not None:
            self.adaptive.load_state_dict(state["augment"])
        self.steps_done, self.batches_done = int(state["steps_done"]), int(state["batches_done"])
        self.lr = dict(state["lr"])
        self.graphs.forget()  # the optimisers' moments are other tensors now


def choose_labels(data: Dataset, G: Generator, pictures: Pictures, config: Config, seeds: Seeds) -> None:
    """What D is told of each real picture: its class, its attributes, its group, or nothing; G chooses as often."""
    if config.classes:
        data.labels = pictures.labels
    if config.codes:
        rng = torch.Generator().manual_seed(seeds.of(Stream.CLUSTERS))
        data.labels, shares = values_of_codes(pictures, config, rng)
        G.odds.copy_(torch.cat([code_logit_bias(each, rng) for each in shares]))


def misread(D: Discriminator, look: Look, c: Tensor | None, config: Config) -> Tensor | float:
    """The weighted cost of what D's classifier does not see of what pictures are told to show; in float32."""
    if D.classifier is None:
        return 0.0
    shown, told = D.classifier(look.features.float()), as_mixture(c, D.classes)
    return config.classifier_weight * classification_loss(shown, told, told_codes(config)).mean()


def learning_rates(lr: dict[str, float], after: int, images: int) -> dict[str, float]:
    """Each player's rate after so many images: halved at `after`; 0: it stays."""
    # 1 / (1 + t / T): no end has to be known beforehand, every moment is a good one to stop (Robbins & Monro 1951).
    factor = 1 / (1 + images / after) if after else 1.0
    return {player: rate * factor for player, rate in lr.items()}


def average_share(config: Config, batches: int, world: int) -> float:
    """How far G's average moves towards G in a step after so many batches of all processes; 0 where there is none.

    The half-life grows with the run (a tenth of the images seen), so that the first weights are soon forgotten.
    """
    if not config.ema_halflife_images:
        return 0.0
    halflife = min(config.ema_halflife_images, 0.1 * config.batch * (batches + world))
    return 1 - 0.5 ** (config.batch * world / halflife)


@torch.no_grad()
def move_average(average: Generator, G: Generator, share: float | Tensor) -> None:
    """Exponential moving average of G by a share in [0, 1]: parameters lerped, buffers (running statistics) copied."""
    means: list[Tensor] = list(average.parameters())
    if isinstance(share, Tensor):
        torch._foreach_lerp_(means, list(G.parameters()), [share] * len(means))
    else:
        torch._foreach_lerp_(means, list(G.parameters()), share)
    for mean, now in zip(average.buffers(), G.buffers(), strict=True):
        mean.copy_(now)


def limit_pictures(pictures: Pictures, most: int) -> Pictures:
    """Only the first pictures of a data set, which stays as it is; 0: all."""
    return pictures.first(most) if most else pictures
