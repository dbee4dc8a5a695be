"""What can go wrong with listening."""

from app.kit.problems import TooManyRequests
from app.kit.text import Text


class TooManyStreams(TooManyRequests):
    """429: the key holds as many streams as it may."""

    code = "too_many_streams"
    title = Text(
        "Kunci ini sudah membuka aliran sebanyak yang diizinkan. Tutup satu dulu.",
        "This key holds as many streams as it may. Close one first.",
    )

    def __init__(self) -> None:
        """Ask the client to come back after a heartbeat."""
        super().__init__(headers={"Retry-After": "15"})
