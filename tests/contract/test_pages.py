"""What code and pages refer to is there: every page, every file and every module that one of them names."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("api", "core", "tests", "bench", "alembic", "docs", ".ci", ".github")
SUFFIXES = frozenset({".py", ".md", ".toml", ".ini", ".mako", ".yml", ".yaml", ""})
MADE = frozenset({"core/db/schema/migrations"})
"""Named, and made by a build."""

FILE = re.compile(rf"(?<![\w/.-])(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./*<>-]*\w(?:/|\*+)?")
PAGE = re.compile(r"(?<![\w/.-])[\w-]+\.md\b")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```(?:sh|console)\n.*?^```$", re.DOTALL | re.MULTILINE)
SETTING = re.compile(r"\b[A-Z]+_[A-Z_]+\b")
MODULE = re.compile(r"(?<![\w./@-])(?:api|core)(?:\.(?!md\b)[a-z_]\w*)+")


def sources() -> Iterator[Path]:
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.suffix in SUFFIXES)
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            parts = path.relative_to(ROOT).parts
            if path.is_file() and path.suffix in SUFFIXES and not {"static", "__pycache__"} & set(parts):
                yield path


TEXTS = {path: path.read_text() for path in sources() if path != Path(__file__)}
PAGES = {path: text for path, text in TEXTS.items() if path.suffix == ".md"}


def exists(name: str) -> bool:
    """`name` is a file, a folder, a module without its suffix, or a pattern that something matches."""
    if "<" in name or name in MADE:
        return True
    if "*" in name:
        return any(ROOT.glob(name))
    return (ROOT / name).exists() or (ROOT / f"{name}.py").is_file()


def is_module(name: str) -> bool:
    """`name` is dotted: a package, a module, or something that a module has a word for."""
    place, *rest = ROOT, *name.split(".")
    while rest and (place / rest[0]).is_dir():
        place, *rest = place / rest[0], *rest[1:]
    if not rest:
        return True
    module = place / f"{rest[0]}.py"
    if not module.is_file():
        return False
    return all(re.search(rf"\b{word}\b", module.read_text()) for word in rest[1:])


def test_every_file_that_is_named_is_there() -> None:
    missing = {
        (path, name)
        for path, text in TEXTS.items()
        for name in FILE.findall(text)
        if not exists(name.rstrip("/.")) and not (path.parent / name).exists()
    }
    assert missing == set()


def test_every_page_that_is_named_is_there() -> None:
    """By its place from the root, docs/ or docs/design/, or beside who names it; a link by its place from its page."""
    missing = set()
    for path, text in TEXTS.items():
        links = {link.partition("#")[0] for link in LINK.findall(text)} if path in PAGES else set()
        named = PAGE.findall(LINK.sub("", text))
        missing |= {(path, link) for link in links if link and "://" not in link and not (path.parent / link).exists()}
        places = (path.parent, ROOT, ROOT / "docs", ROOT / "docs" / "design")
        missing |= {(path, name) for name in named if not any((place / name).exists() for place in places)}
    assert missing == set()


def test_every_module_that_a_page_names_is_there() -> None:
    named = {(path, name) for path, text in PAGES.items() for name in MODULE.findall(text)}
    assert {(path, name) for path, name in named if not is_module(name)} == set()


def test_the_modules_of_the_import_contracts_are_there() -> None:
    contracts = (ROOT / "pyproject.toml").read_text().partition("[tool.importlinter]")[2]
    named = {name for name in MODULE.findall(contracts) if "*" not in name}
    assert named
    assert {name for name in named if not is_module(name)} == set()


def test_the_walks_pass_functions_that_are_there() -> None:
    """In a walk, a line's file has the function that stands before it, the last one of several."""
    walks = ROOT / "docs" / "design" / "walks.md"
    steps = re.findall(r"^[└├│ ]*(\w[\w., →]*?) +((?:api|core)/[\w/]+\.py)", walks.read_text(), re.MULTILINE)
    passed = [(name, path) for names, path in steps for name in names.rpartition("→")[2].replace(",", " ").split()]
    assert len(passed) > 30
    assert [
        (name, path)
        for name, path in passed
        if not re.search(rf"\b{name.rpartition('.')[2]}\b", (ROOT / path).read_text())
    ] == []


def test_pictures_are_small_and_each_readme_shows_those_in_its_language() -> None:
    for name, language in (("README.md", "en"), ("README.es.md", "es")):
        made = {str(path.relative_to(ROOT)) for path in (ROOT / "docs" / "pictures").glob(f"*.{language}.webp")}
        assert set(re.findall(r"docs/pictures/[\w.]+", TEXTS[ROOT / name])) == made != set()
    assert max(path.stat().st_size for path in (ROOT / "docs" / "pictures").iterdir()) < 150 * 1024


def test_both_readmes_have_the_same_commands_and_settings() -> None:
    english, spanish = (TEXTS[ROOT / name] for name in ("README.md", "README.es.md"))
    assert FENCED.findall(spanish) == FENCED.findall(english) != []
    assert set(SETTING.findall(spanish)) <= set(SETTING.findall(english))
