"""Our Adam against torch's."""

from __future__ import annotations

import pytest
import torch

from gan.core.adam import Adam

SETTINGS = {"lr": 3e-3, "betas": (0.4, 0.97), "eps": 1e-7}


def tensors() -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(2)
    return [torch.randn(shape, generator=rng) for shape in ((6, 4, 3, 3), (5, 7), (9,))]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_many_steps_agree_with_torch(layout):
    ours, theirs = tensors(), [t.requires_grad_() for t in tensors()]
    ours[0] = ours[0].contiguous(memory_format=layout)
    mine, torchs = Adam(ours, **SETTINGS), torch.optim.Adam(theirs, fused=True, **SETTINGS)
    rng = torch.Generator().manual_seed(3)
    for _ in range(20):
        grads = [torch.randn(t.shape, generator=rng) for t in theirs]  # contiguous, whatever the parameter is
        mine.step(grads)
        for t, g in zip(theirs, grads, strict=True):
            t.grad = g
        torchs.step()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b.detach(), rtol=0, atol=0)


def test_a_loaded_state_takes_the_layout_of_its_parameter():
    p = tensors()[0].contiguous(memory_format=torch.channels_last)
    straight = Adam([p.clone()], **SETTINGS)
    straight.step([torch.ones_like(p)])
    saved = {"state": {0: {name: t.contiguous().clone() for name, t in straight.state[0].items()}}}
    resumed = Adam([straight.params[0].clone()], **SETTINGS)
    resumed.load_state_dict(saved)
    for opt in (straight, resumed):
        opt.step([torch.full_like(p, 0.3)])
    assert torch.equal(straight.params[0], resumed.params[0])


def test_the_order_of_a_loaded_state_does_not_matter():
    params = [torch.randn(n + 1) for n in range(12)]
    opt = Adam(params, **SETTINGS)
    opt.step(params)
    shuffled = dict(sorted(opt.state_dict()["state"].items(), key=lambda item: str(item[0])))  # 0, 1, 10, 11, 2, ...
    again = Adam([p.clone() for p in params], **SETTINGS)
    again.load_state_dict({"state": shuffled})
    for o in (opt, again):
        o.step([torch.ones_like(p) for p in params])
    assert all(torch.equal(a, b) for a, b in zip(params, again.params, strict=True))
