"""The house rules of ARCHITECTURE.md, read from the imports themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from gan.core.paths import ROOT

MODULES = sorted((ROOT / "gan").rglob("*.py"))

# Which package may import which; what is not here may not. A package may import itself, and none imports what stands
# below it, so there is no circle.
MAY_IMPORT = {
    "core": "",
    "data": "core",
    "models": "core",
    "losses": "core",
    "recipes": "core data",
    "metrics": "core data",
    "training": "core data losses models",
    "latent": "core metrics models",
    "monitor": "core data losses metrics models recipes training",
    "serving": "core data latent models",
    "runs": "core data models monitor recipes training",
    "inspection": "core data latent losses metrics models runs serving training",
    "draw": "core latent models runs serving training",
    "bench": "core data latent losses metrics models monitor recipes runs training",
    "web": "core data inspection latent losses metrics models monitor recipes runs serving training",
    "cli": "bench core data inspection losses metrics models monitor recipes runs training web",
    "__main__": "cli",
}  # fmt: skip
PAGE = ("gradio", "fastapi", "starlette")  # libraries that only gan.web imports
LONGEST_FUNCTION, LONGEST_CLASS = 45, 250  # lines
FLAT = 8  # modules at most that lie in gan/ itself


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def package_of(module: str) -> str:
    """ "gan.core.seeds" -> "core"; of the modules that lie flat, their own name."""
    return module.split(".")[1]


def test_the_table_names_every_package_and_has_no_circle():
    inside = {path.relative_to(ROOT / "gan").parts[0].removesuffix(".py") for path in MODULES}
    assert set(MAY_IMPORT) == inside - {"__init__"}
    names = list(MAY_IMPORT)
    for package, others in MAY_IMPORT.items():
        assert set(others.split()) <= set(names[: names.index(package)])
    assert len(list((ROOT / "gan").glob("*.py"))) <= FLAT


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_what_the_table_allows_and_all_of_it(package):
    """An arrow that nobody uses any more goes from the table as well."""
    own = [path for path in MODULES if path.relative_to(ROOT / "gan").parts[0].removesuffix(".py") == package]
    ours = {i for path in own for i in imports_of(path) if i.startswith("gan.")}
    assert {package_of(i) for i in ours} - {package} == set(MAY_IMPORT[package].split())


@pytest.mark.slow
@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_only_the_page_knows_its_server_and_it_takes_no_step(path):
    imports = imports_of(path)
    if path.relative_to(ROOT / "gan").parts[0] == "web":
        assert not any(i.startswith(("gan.training.trainer", "torch.optim")) for i in imports)
    else:
        assert not any(i.split(".")[0] in PAGE for i in imports)


PACKAGES = sorted({path.parent for path in MODULES if path.parent.name != "assets"})


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_package_says_who_lives_there(package):
    assert len(ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or "") > 60


@pytest.mark.slow
@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_functions_and_classes_can_be_read_at_once(path):
    """Trainer, which reads well from top to bottom, and what only measures may be longer."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert _lines(node) <= LONGEST_FUNCTION, node.name
        elif isinstance(node, ast.ClassDef) and path.relative_to(ROOT / "gan").parts[0] != "bench":
            assert _lines(node) <= LONGEST_CLASS + 50 * (node.name == "Trainer"), node.name


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


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


@pytest.mark.slow
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
