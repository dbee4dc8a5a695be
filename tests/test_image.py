"""The image, as far as it can be read without building it."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_image_holds_no_tool_of_development() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    tools = {re.split(r"[\[>]", one)[0] for extra in extras.values() for one in extra} - {"blitar-hub"}
    steps = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    (dropped,) = re.findall(r"pip uninstall --yes (.*)", steps)
    assert tools <= set(dropped.split())
