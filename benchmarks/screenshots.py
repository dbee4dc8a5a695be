"""`./dev screenshots`: photographs pages of the opening scenario for README, so that its pictures stay true.

The scenario is loaded into a scratch folder and told by a clock that stands: the same pages make the same pictures.
"""

import base64
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.browser import cookies_of, opened, require
from benchmarks.stand import running_stand

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"
#: when the scenario is told
AT = datetime.fromisoformat("2026-11-24T08:00:00+07:00")
#: of WebP, 100 is the best
QUALITY = 82


class Picture(NamedTuple):
    """One page as one kind of viewer sees it."""

    name: str
    path: str
    #: whose key signs in: `hub`, or a party of the scenario
    who: str | None
    width: int
    height: int


PICTURES = (
    Picture("peta", "/peta", None, 1280, 800),
    Picture("meja", "/meja", "hub", 1280, 960),
    Picture("jual", "/jual?komoditas=telur-ayam-ras", "Koperasi peternak Ponggok (contoh)", 390, 780),
)


def main() -> int:
    """Take every picture in both languages."""
    require()
    with running_stand(clock_at=AT) as stand, opened() as browser:
        FOLDER.mkdir(exist_ok=True)
        for picture in PICTURES:
            key = stand.key_of(picture.who) if picture.who else None
            for language in ("id", "en"):
                file = FOLDER / f"{picture.name}.{language}.webp"
                file.write_bytes(photograph(browser, stand.base, picture, key=key, language=language))
                print(f"{file.relative_to(FOLDER.parent.parent)}  {file.stat().st_size // 1024} KB")
    return 0


def photograph(browser: Any, base: str, picture: Picture, *, key: str | None, language: str) -> bytes:
    """Return a page as WebP, as much of it as a screen holds; a phone's screen has two dots for each pixel."""
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        device_scale_factor=2 if picture.width < 600 else 1,  # noqa: PLR2004 - a phone
        reduced_motion="reduce",
    )
    context.add_cookies(cookies_of(base, key=key, language=language))
    page = context.new_page()
    page.goto(base + picture.path, wait_until="networkidle")
    page.wait_for_selector(".loading", state="detached")
    devtools = context.new_cdp_session(page)
    taken = devtools.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    context.close()
    return base64.b64decode(taken["data"])


if __name__ == "__main__":
    sys.exit(main())
