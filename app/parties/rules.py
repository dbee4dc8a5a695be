"""Pure rules of keys: how they are written, found and proved."""

import hashlib
import hmac
import re
from datetime import datetime, timedelta

_KEY = re.compile(r"btc_[a-z0-9]{1,20}_([A-Za-z0-9_-]{43})", re.ASCII)
#: random characters of a key that are stored and shown, to find it by
SHOWN = 8
#: the time of last use is written at most this often
USE_RECORDED_EVERY = timedelta(minutes=1)
MOST_LIVE_KEYS = 20
#: a sign-in link opens a session for this long
LINK_LIFETIME = timedelta(hours=2)
#: a browser's session lasts a working day
SESSION_LIFETIME = timedelta(hours=12)


def write_key(environment: str, secret: str) -> str:
    """Return a whole key: btc_<environment>_<random>."""
    return f"btc_{environment}_{secret}"


def prefix_of(key: str) -> str | None:
    """Return the part by which a key is found, or None when this is no key of ours."""
    match = _KEY.fullmatch(key)
    return key[: match.start(1) + SHOWN] if match else None


def hash_of(key: str) -> bytes:
    """Return the SHA-256 under which a key is stored."""
    return hashlib.sha256(key.encode()).digest()


def proves(key: str, stored: bytes) -> bool:
    """Tell whether the key is the one behind the hash, in constant time."""
    return hmac.compare_digest(hash_of(key), stored)


def is_live(now: datetime, *, expires_at: datetime | None, revoked_at: datetime | None) -> bool:
    """Tell whether a key still opens something."""
    return revoked_at is None and (expires_at is None or now < expires_at)


def use_is_worth_recording(now: datetime, last_used_at: datetime | None) -> bool:
    """Tell whether this use should be written down."""
    return last_used_at is None or now - last_used_at >= USE_RECORDED_EVERY
