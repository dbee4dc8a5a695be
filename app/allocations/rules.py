"""States of a posting. Every transition is one row; the quantities decide between open and exhausted."""

from enum import StrEnum


class State(StrEnum):
    """Where a posting stands."""

    OPEN = "open"
    EXHAUSTED = "exhausted"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


#: (from, to) -> the event it is told by, after the name of the subject
TRANSITIONS: dict[tuple[State, State], str] = {
    (State.OPEN, State.EXHAUSTED): "exhausted",
    (State.EXHAUSTED, State.OPEN): "reopened",
    (State.OPEN, State.WITHDRAWN): "withdrawn",
    (State.EXHAUSTED, State.WITHDRAWN): "withdrawn",
    (State.OPEN, State.EXPIRED): "expired",
    (State.EXHAUSTED, State.EXPIRED): "expired",
}

#: states in which returned quantity can be matched again
LIVE = (State.OPEN, State.EXHAUSTED)


def event_of(before: State, after: State) -> str | None:
    """Return the event of a transition, None when the state stays.

    Raises KeyError for a transition that is not in the table: it is a bug.
    """
    return None if before == after else TRANSITIONS[before, after]
