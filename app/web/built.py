"""What Vite made of `ui/`: which files a page needs, and each file as a browser takes it."""

import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.responses import Response

#: made by `ui/build.py`, part of the wheel
FOLDER = Path(__file__).parent / "built"
#: names hold a hash of the content, so a copy never goes stale
FOR_EVER = "public, max-age=31536000, immutable"
#: coding -> ending of the twin, best first
CODINGS = {"br": ".br", "gzip": ".gz"}


@dataclass(frozen=True, slots=True)
class Needs:
    """The files of one page."""

    script: str
    #: what the script imports, fetched at once instead of one after another
    modules: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """All files, read once; empty where the pages were never built."""

    #: entry in `ui/src/pages/` -> its files
    pages: Mapping[str, Needs] = field(default_factory=dict)
    #: name with the twin's ending -> content
    files: Mapping[str, bytes] = field(default_factory=dict)

    @staticmethod
    def read(folder: Path = FOLDER) -> "Built":
        """Read the manifest and the files that it is about."""
        manifest = folder / "manifest.json"
        if not manifest.exists():
            return Built()
        chunks = json.loads(manifest.read_text(encoding="utf-8"))
        pages = {Path(name).stem: _needs(chunks, name) for name, chunk in chunks.items() if chunk.get("isEntry")}
        return Built(pages, {path.name: path.read_bytes() for path in (folder / "assets").iterdir()})

    def answer(self, name: str, accepted: str) -> Response | None:
        """Return a file in the best coding that the browser accepts, or None when there is no such file."""
        if name not in self.files or name.endswith(tuple(CODINGS.values())):
            return None
        codings = {coding.partition(";")[0].strip() for coding in accepted.split(",")}
        coding = next((one for one, ending in CODINGS.items() if one in codings and name + ending in self.files), None)
        headers = {"cache-control": FOR_EVER, "vary": "Accept-Encoding"}
        if coding:
            headers["content-encoding"] = coding
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Response(self.files[name + CODINGS.get(coding or "", "")], headers=headers, media_type=media_type)


def _needs(chunks: Mapping[str, Mapping[str, object]], entry: str) -> Needs:
    modules: dict[str, None] = {}
    styles: dict[str, None] = {}

    def visit(name: str) -> None:
        chunk = chunks[name]
        for imported in _names(chunk, "imports"):
            file = f"/{chunks[imported]['file']}"
            if file not in modules:
                modules[file] = None
                visit(imported)
        styles.update({f"/{style}": None for style in _names(chunk, "css")})

    visit(entry)
    return Needs(f"/{chunks[entry]['file']}", tuple(modules), tuple(styles))


def _names(chunk: Mapping[str, object], of: str) -> list[str]:
    names = chunk.get(of, [])
    return [str(name) for name in names] if isinstance(names, list) else []
