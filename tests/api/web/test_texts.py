"""Every text that people read is in the catalogs, in every language, and every text of the catalogs is read."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.web.release import CLIENT, release
from core.catalogs.imports.saying import SAID

ENTRY = re.compile(r'^  "([\w.-]+)": (.*),$', re.MULTILINE)
LETTERS = re.compile(r"[^\W\d_]{2,}")
READ = re.compile(r'\b(?:title|aria-label|placeholder|alt|label|action|text|hint|caption)="([^"]*)"')
"""Attributes and properties whose value somebody reads."""
COMMENT = re.compile(r"/\*.*?\*/|^\s*//.*?$", re.DOTALL | re.MULTILINE)
NAMES = frozenset({"Ticket Home"})
"""The same in every language."""
TEXTS = CLIENT / "texts"
MODULES = [
    path for path in sorted(CLIENT.rglob("*.js")) if path.relative_to(CLIENT).parts[0] not in ("vendor", "texts")
]
AREAS = sorted(path.name for path in (TEXTS / "es").iterdir())


def area(language: str, name: str) -> list[tuple[str, str]]:
    return ENTRY.findall((TEXTS / language / name).read_text())


def catalog(language: str) -> dict[str, str]:
    return dict(entry for name in AREAS for entry in area(language, name))


def templates(source: str) -> list[str]:
    """The fixed text of each html template, also of those within another one."""
    source = COMMENT.sub("", source)
    found: list[str] = []
    at = 0
    while (begin := source.find("html`", at)) >= 0:
        at = read_template(source, begin + len("html`"), found)
    return found


def read_template(source: str, at: int, found: list[str]) -> int:
    """Where the template ends whose text begins at `at`. Adds to `found` what is fixed in it, if it is html."""
    is_html, text = source.endswith("html`", 0, at), ""
    while source[at] != "`":
        if source.startswith("${", at):
            at, text = read_expression(source, at + 2, found), text + "\0"
        else:
            at, text = at + 1, text + source[at]
    found += [text] * is_html
    return at + 1


def read_expression(source: str, at: int, found: list[str]) -> int:
    """Where what is put into a template ends; it may have templates, and braces, of its own."""
    while source[at] != "}":
        if source[at] == "`":
            at = read_template(source, at + 1, found)
        else:
            at = read_expression(source, at + 1, found) if source[at] == "{" else at + 1
    return at + 1


def read_by_people(template: str) -> Iterator[str]:
    yield from READ.findall(template)
    yield from re.split(r"<[^<>]*>", re.sub(r"\s+", " ", template))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(CLIENT).as_posix())
def test_a_module_has_no_text_of_its_own(module: Path) -> None:
    texts = [text.strip() for template in templates(module.read_text()) for text in read_by_people(template)]
    assert [text for text in texts if LETTERS.search(text) and text not in NAMES] == []


def test_a_text_in_a_template_would_be_found() -> None:
    source = 'html`<p title="Alta">${t("x")} <b>${list.map((one) => html`<i>${one}</i> dentro`)}</b> y fuera</p>`'
    found = {text.strip() for template in templates(source) for text in read_by_people(template)}
    assert {"Alta", "dentro", "y fuera"} <= {text.strip("\0 ") for text in found}


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_language_has_every_area_once_and_every_text_once(language: str) -> None:
    assert sorted(path.name for path in (TEXTS / language).iterdir()) == AREAS
    served = release().files[f"texts/{language}.js"].body.decode()
    assert not re.search(r"^(import|export (?!const (es|en) =))", served, re.MULTILINE)
    for name in AREAS:
        assert (TEXTS / language / name).read_text().removeprefix("export ") in served, name
        word = re.sub(r"-(\w)", lambda found: found[1].upper(), name.removesuffix(".js"))
        assert f"\n  ...{word},\n" in served, name
    keys = [key for name in AREAS for key, _ in area(language, name)]
    assert [key for key, count in Counter(keys).items() if count > 1] == []


def test_both_languages_have_the_same_texts_with_the_same_values() -> None:
    spanish, english = catalog("es"), catalog("en")
    assert list(spanish) == list(english)
    for key, text in spanish.items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", english[key])), key
        assert ("one:" in text) == ("one:" in english[key]), key
    assert all(LETTERS.search(text) for text in (*spanish.values(), *english.values()))


def test_every_text_is_read_somewhere() -> None:
    """By its key, or by its area where a word of the API chooses it: `t(`standing.${now}`)`, `told("role", …)`."""
    sources = "\n".join(path.read_text() for path in MODULES)
    areas = set(re.findall(r"`([\w.]+)\.\${", sources)) | set(re.findall(r'told\("([\w.]+)",', sources))
    keys = set(re.findall(r'"([\w-]+(?:\.[\w-]+)+)"', sources))
    assert {key for key in catalog("es") if key not in keys and key.rpartition(".")[0] not in areas} == set()


def test_whatever_an_import_says_of_a_file_has_words_here() -> None:
    """By its code, with what it names and no more; numbers and names alone may be left out of the words."""
    for language in ("es", "en"):
        texts = {
            key.removeprefix("importSaid."): text for key, text in catalog(language).items() if "importSaid" in key
        }
        assert texts.keys() == SAID.keys()
        named = {code: set(re.findall(r"{(\w+)}", text)) for code, text in texts.items()}
        assert {code for code in SAID if not named[code] <= set(re.findall(r"{(\w+)}", SAID[code]))} == set()
