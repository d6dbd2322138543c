"""Networks that were told attributes, told groups: each group begins as a drawing that was known before."""

from __future__ import annotations

import pytest
import torch

from gan.core.config import Config
from gan.models import build_discriminator, build_generator
from gan.training.transfer import tell_groups, told_as

OLD = Config(model="skip", size=16, channels=3, width=4, z_dim=12, attributes="3,4", classifier_weight=0.5)
NEW = OLD.changed(attributes="", clusters=6, z_dim=11, classifier_weight=0.0)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_each_group_is_drawn_and_judged_as_the_attributes_that_it_begins_with() -> None:
    G, D = build_generator(OLD, rng()).eval(), build_discriminator(OLD, rng()).eval()
    G.odds.copy_(torch.tensor([0.0, 0, -1e4, 0, 0, 0, 0]))  # the third value of the first attribute never occurs
    assert D.embed is not None
    D.embed.data.normal_(generator=rng(1))
    assert told_as(OLD, NEW) == NEW
    told_g, told_d = tell_groups(dict(G.state_dict()), dict(D.state_dict()), OLD, NEW, rng(2))
    G2, D2 = build_generator(NEW, rng()).eval(), build_discriminator(NEW, rng()).eval()
    G2.load_state_dict(told_g)
    D2.load_state_dict(told_d)
    style = torch.randn(1, 5, generator=rng(3))
    every = [torch.eye(3)[a].tolist() + torch.eye(4)[b].tolist() for a in range(2) for b in range(4)]
    begun = set()
    with torch.inference_mode():
        for group in range(6):
            z = torch.cat([torch.randn(1, 6, generator=rng(group)), style], 1)
            x = G2(z, torch.tensor([group]))
            same = [
                i
                for i, told in enumerate(torch.tensor(every))
                if torch.allclose(G(torch.cat([torch.zeros(1, 7), style], 1), told[None]), x, atol=1e-5)
            ]
            assert len(same) == 1, group
            torch.testing.assert_close(D2(x, torch.tensor([group])), D(x, torch.tensor(every)[same]))
            begun.add(same[0])
    assert len(begun) > 1, "they begin as different ones"


@pytest.mark.parametrize(
    "new", [OLD, OLD.changed(attributes="", z_dim=5), OLD.changed(attributes="2,5")], ids=["same", "nothing", "others"]
)
def test_where_no_groups_are_told_nothing_changes(new: Config) -> None:
    assert told_as(OLD, new) == OLD


def test_groups_that_are_told_already_are_kept() -> None:
    assert told_as(NEW, NEW.changed(clusters=3)) == NEW
