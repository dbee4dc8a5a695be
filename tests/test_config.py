"""Settings from the environment: read once, a wrong one named."""

from pathlib import Path

import pytest

from app.config import CHECKOUT, Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.from_environment({"DATABASE_URL": "", "HUB_DATA_DIR": "", "HUB_POOL_SIZE": ""})
    assert settings == Settings()
    assert (settings.database_url, settings.data_dir) == (None, CHECKOUT / ".hub")


def test_variables_take_their_place() -> None:
    settings = Settings.from_environment(
        {
            "DATABASE_URL": "postgresql://h/d",
            "HUB_DATA_DIR": "/srv/hub",
            "HUB_REQUESTS_PER_MINUTE": "60",
            "HUB_CLOCK_AT": "2026-11-24T08:00:00+07:00",
        }
    )
    assert (settings.database_url, settings.data_dir) == ("postgresql://h/d", Path("/srv/hub"))
    assert settings.requests_per_minute == 60
    assert settings.clock_at is not None
    assert settings.clock_at.isoformat() == "2026-11-24T08:00:00+07:00"


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "1_000", " 5"])
@pytest.mark.parametrize(
    "name", ["HUB_POOL_SIZE", "HUB_CLEARING_JOB_THRESHOLD", "HUB_MAX_BODY_BYTES", "HUB_MAX_FILE_BYTES"]
)
def test_a_wrong_number_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings.from_environment({name: value})


@pytest.mark.parametrize("value", ["tomorrow", "2026-11-24T08:00:00"])
def test_a_clock_needs_an_instant_with_its_zone(value: str) -> None:
    with pytest.raises(ValueError, match="HUB_CLOCK_AT"):
        Settings.from_environment({"HUB_CLOCK_AT": value})
