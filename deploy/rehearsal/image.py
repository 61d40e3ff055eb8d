"""A Dockerfile's steps outside a container: its folders lie below one of ours, its commands are run as they stand."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

PLACES = re.compile(r"(?<![\w./-])/(src|build|app|dist)\b")


@dataclass
class Image:
    """What the Dockerfile's last stage ends with: its environment, its user and its command."""

    app: Path
    """Where its /app is."""

    environment: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    lines = [line for line in dockerfile.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def build(dockerfile: Path, below: Path) -> Image:
    """Run the Dockerfile's steps in a folder. Fails where a step fails, and at an instruction that this program does
    not know."""
    image = Image(below / "app")
    below.mkdir(parents=True, exist_ok=True)
    for word, rest in instructions(dockerfile):
        if word == "FROM":
            image = Image(below / "app", steps=image.steps)
        elif word in ("COPY", "RUN"):
            _do(word, rest, dockerfile.parent, below, image)
        else:
            _note(word, rest, below, image)
    return image


def next_version(image: Image) -> Path:
    """A folder with the same code under the next version, to be put before it on PYTHONPATH."""
    below = image.app.parent
    source, target = below / "next-src", below / "next"
    shutil.copytree(below / "src", source)
    project = (source / "pyproject.toml").read_text()
    (source / "pyproject.toml").write_text(re.sub(r'(?m)^version = "(.*)"', r'version = "\1.post1"', project))
    python = f"{shlex.quote(str(below))}/build/bin/python -m"
    make = f"{python} hatchling build --target wheel --directory ../next-dist"
    install = f"{python} pip install --no-deps --no-index --target ../next ../next-dist/*.whl"
    subprocess.run(["sh", "-ec", f"{make} && {install}"], cwd=source, check=True, capture_output=True)
    return target


def _moved(text: str, below: Path) -> str:
    return PLACES.sub(lambda found: f"{below}/{found[1]}", text)


def _do(word: str, rest: str, context: Path, below: Path, image: Image) -> None:
    if word == "COPY":
        if not rest.startswith("--from="):  # what an earlier stage made is there already
            *sources, target = rest.split()
            _copy([context / source for source in sources], Path(_moved(target, below)))
        return
    image.steps.append(rest)
    # Its image's python is ours here.
    run = re.sub(r"^python\b", lambda _: shlex.quote(sys.executable), _moved(rest, below))
    done = subprocess.run(["sh", "-ec", run], capture_output=True, text=True, check=False, cwd=below)
    assert done.returncode == 0, f"{rest}\n{done.stdout}\n{done.stderr}"


def _note(word: str, rest: str, below: Path, image: Image) -> None:
    if word == "ENV":
        image.environment |= dict(pair.split("=", 1) for pair in _moved(rest, below).split())
    elif word == "USER":
        image.user = rest
    elif word == "HEALTHCHECK":
        image.health = json.loads(rest[rest.index("CMD") + 3 :])
    elif word == "ENTRYPOINT":
        image.entrypoint = json.loads(rest)
    elif word == "CMD":
        image.command = json.loads(rest)
    else:
        assert word in ("ARG", "EXPOSE"), f"an instruction unknown here: {word} {rest}"


def _copy(sources: list[Path], target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for source in sources:
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
