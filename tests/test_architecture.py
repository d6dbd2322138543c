"""The house rules of ARCHITECTURE.md, read from the imports themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "gan").rglob("*.py"))
LEAVES = {"config", "objectives", "penalties", "seeds", "dist", "picture", "latent", "attributes"}
ALLOWED_IN_LEAVES = {"gan.config", "gan.seeds", "gan.models", "gan.models.layers"}


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_imports_follow_the_house(path):
    imports, inside_web = imports_of(path), path.parent.name == "web"
    if not inside_web:
        assert not any(i.split(".")[0] in ("gradio", "fastapi", "starlette") for i in imports)
        assert not any(i.startswith("gan.web") for i in imports)
    else:
        assert not any(i.startswith("gan.trainer") or i.startswith("torch.optim") for i in imports)
    if path.parent.name == "gan" and path.stem in LEAVES:
        ours = {i for i in imports if i.startswith("gan.")}
        assert all(any(i == a or i.startswith(a + ".") for a in ALLOWED_IN_LEAVES) for i in ours), ours


def test_nothing_draws_from_the_global_generator():
    """torch.manual_seed and np.random.seed would tie training to who looks at it."""
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        assert "torch.manual_seed" not in text and "np.random.seed" not in text, path
