"""Kernels: loops over arrays that numba compiles to machine code, or plain Python where numba is not installed.

Every kernel states its signature, so it is compiled, or taken from numba's cache, when its module is imported: in
set-up (`python -m app.engine.compiled`) and at the start of a process, never inside a request.
"""

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

try:
    from numba import njit
    from numba.core import caching
except ImportError:
    njit = None  # type: ignore[assignment]

Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]
Signs = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]

#: whether kernels are machine code
COMPILED = njit is not None
#: modules that hold kernels
KERNELS = ("pivots", "simplex", "bands", "parcels")

_Kernel = TypeVar("_Kernel", bound=Callable[..., Any])


def kernel(signature: str) -> Callable[[_Kernel], _Kernel]:
    """Compile a function for one signature in numba's notation (i8: 64-bit integer, i8[::1]: a row of them)."""

    def compiled(function: _Kernel) -> _Kernel:
        if njit is None:
            return function
        try:
            return cast("_Kernel", njit(signature, cache=True)(function))
        except (RuntimeError, OSError):  # nowhere to keep it: compiled at every start, still before the first request
            return cast("_Kernel", njit(signature)(function))

    return compiled


def prepare() -> bool:
    """Compile every kernel into numba's cache, or load it from there; return whether there is a compiler."""
    for name in KERNELS:
        import_module(f"app.engine.{name}")
    return COMPILED


if njit is not None:

    class _Beside(caching.InTreeCacheLocator):
        """The cache beside the sources, also where it may be read and not written: numba would pass it over."""

        def ensure_cache_path(self) -> None:
            """Be content with a folder that is there."""
            folder = Path(self.get_cache_path())  # type: ignore[no-untyped-call]
            if not folder.is_dir() or os.access(folder, os.W_OK):
                super().ensure_cache_path()  # type: ignore[no-untyped-call]

    if not os.environ.get("NUMBA_CACHE_DIR"):
        caching.CacheImpl._locator_classes.insert(0, _Beside)  # noqa: SLF001 - there is no public way to say it

if __name__ == "__main__":
    prepare()
