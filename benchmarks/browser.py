"""The system's Chromium, looking at a hub that runs: for `./dev screenshots`, `./dev bench pages` and the tests."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from app.web.built import FOLDER

#: names that systems give it
NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Return the path of the system's Chromium, or None where there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def missing() -> list[str]:
    """Return what a browser needs here and does not find, each with what helps."""
    needs = {
        "Chromium (apt-get install chromium)": chromium(),
        "built pages (python ui/build.py)": (FOLDER / "manifest.json").exists(),
    }
    return [what for what, there in needs.items() if not there]


def require() -> None:
    """Raise SystemExit saying what is missing, before anything is started for nothing."""
    if missing():
        raise SystemExit(f"there is no {', no '.join(missing())} here")


@contextmanager
def opened() -> Iterator[Any]:
    """Start Chromium; it ends with the block. Start servers before: no event loop starts beside Playwright's."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - the other benches do without

    with sync_playwright() as playwright:
        # its sandbox does not start as root; it opens nothing but our own pages
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


def cookies_of(base: str, *, key: str | None, language: str) -> list[dict[str, str]]:
    """Return the cookies of a browser that has chosen a language and, with an API key, is signed in."""
    cookies = {"lang": language}
    if key:
        cookies |= httpx.post(f"{base}/v1/sessions", json={"api_key": key}).cookies
    return [{"name": name, "value": value, "url": base} for name, value in cookies.items()]
