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


def _text_without_encoding(call: ast.Call) -> bool:
    """Whether a call reads or writes text in whatever encoding this machine happens to use."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = {keyword.arg for keyword in call.keywords}
    if name in ("read_text", "write_text"):
        return "encoding" not in given
    if name in ("run", "Popen", "check_output"):
        return bool(given & {"text", "universal_newlines"})
    first = name in ("NamedTemporaryFile", "TemporaryFile") or isinstance(call.func, ast.Attribute)
    modes = call.args[0 if first else 1 :][:1]
    mode = modes[0].value if modes and isinstance(modes[0], ast.Constant) else None if modes else ""
    looks_like_a_mode = isinstance(mode, str) and set(mode) <= set("rwaxt+")
    if name in ("open", "fdopen"):
        return looks_like_a_mode and "encoding" not in given
    return name in ("NamedTemporaryFile", "TemporaryFile") and looks_like_a_mode and bool(mode)


@pytest.mark.parametrize("path", [*MODULES, ROOT / "app.py"], ids=lambda p: p.relative_to(ROOT).as_posix())
def test_text_files_are_utf_8_on_every_system(path):
    """Without an encoding Python takes the system's own, which on Windows lacks most letters."""
    calls = (n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call))
    assert [call.lineno for call in calls if _text_without_encoding(call)] == []


def test_text_without_an_encoding_is_noticed():
    for code, found in {
        'open("a")': True, 'open("a", "w")': True, 'path.open()': True, 'path.open("a")': True,
        'path.read_text()': True, 'path.write_text("a")': True, 'subprocess.run(["a"], text=True)': True,
        'NamedTemporaryFile("w")': True,
        'open("a", "rb")': False, 'path.open("wb")': False, 'path.read_text(encoding="utf-8")': False,
        'open("a", encoding="utf-8")': False, 'av.open(out, "w")': False, 'z.open(entry)': False,
        'subprocess.run(["a"], encoding="utf-8")': False, 'NamedTemporaryFile()': False,
    }.items():  # fmt: skip
        assert _text_without_encoding(ast.parse(code, mode="eval").body) is found, code
