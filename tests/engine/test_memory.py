"""What the engine remembers of a pool makes it faster and changes no byte."""

import gc
import pickle
import random
from dataclasses import replace
from io import BytesIO

import pytest

from app.engine import joint
from app.engine import serve as serving
from app.engine.canonical import encode_clearing
from app.engine.clear import clear
from app.engine.memory import Memory
from app.engine.model import Departure, Market, Pool
from app.engine.question import Question
from app.engine.rows import Linear
from benchmarks.books import book as seeded_book
from tests.engine.markets import demand, random_market


def a_few_changed(dice: random.Random, book: Market) -> Market:
    """Return the market with orders resized, repriced, gone or new, and capacity booked."""

    def changed(rows: tuple) -> tuple:  # type: ignore[type-arg]
        found = []
        for row in rows:
            what = dice.random()
            if what < 0.1:
                continue
            if what < 0.3:
                row = replace(row, quantity=dice.randint(1, 6))  # noqa: PLW2901 - the changed row
            if what > 0.9:
                found.append(replace(row, id=f"{row.id}-{dice.randint(0, 99)}-new", last_day=row.last_day + 1))
            found.append(row)
        return tuple({row.id: row for row in found}.values())

    def pool_of(pool: Pool) -> Pool:
        return replace(pool, listings=changed(pool.listings), demands=changed(pool.demands))

    def booked(k: Departure) -> Departure:
        return replace(k, free_g=max(k.free_g - 1000 * dice.randint(0, 2), 0)) if dice.random() < 0.3 else k

    return replace(
        book,
        pools=tuple(pool_of(pool) for pool in book.pools),
        departures=tuple(booked(k) for k in book.departures if dice.random() < 0.95),
    )


@pytest.mark.parametrize("block", range(10))
def test_five_changes_cleared_warm_give_the_bytes_of_a_cold_clearing(block: int) -> None:
    """Grades, freshness, ties, shared departures, smallest fills: warm and cold differ in nothing."""
    recalled = 0
    for seed in range(block * 15, block * 15 + 15):
        dice = random.Random(seed)
        book = random_market(
            seed + 150_000,
            orders=6,
            pools=1 + seed % 2,
            tight=seed % 3 == 0,
            fills=0.2 * (seed % 4 == 0),
            ties=seed % 2 == 0,
        )
        memory = Memory()
        for _ in range(6):
            assert encode_clearing(clear(book, memory)) == encode_clearing(clear(book)), seed
            book = a_few_changed(dice, book)
        recalled += memory.recalled
    assert recalled >= 15 * 5


def test_a_large_book_is_cleared_warm_with_fewer_pivots() -> None:
    """The warm way is taken: pivots are counted, and a memory of nothing is the control."""
    book, memory = seeded_book(2000, seed=7), Memory()
    clear(book, memory)
    (kept,) = memory._kept.values()
    cold = kept.state.pivots
    (pool,) = book.pools
    fewer = replace(book, pools=(replace(pool, demands=(*pool.demands[:-5], demand("new", 40, 29_000))),))
    warm = encode_clearing(clear(fewer, memory))
    (kept,) = memory._kept.values()
    assert memory.recalled == 1
    assert kept.state.pivots < cold / 5
    assert warm == encode_clearing(clear(fewer))
    forgetful = Memory(most_arcs=0)
    clear(book, forgetful)
    clear(fewer, forgetful)
    assert forgetful.recalled == 0


def test_pools_joined_by_shared_departures_are_solved_again_only_where_something_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same figures from other farmers: nothing is asked. Other figures: solved anew. The bytes are cold ones."""
    asked: list[int] = []
    ask = joint.linear

    def counted(question: Question, before: Linear | None = None) -> Linear | None:
        asked.append(1)
        return ask(question, before)

    monkeypatch.setattr(joint, "linear", counted)
    joined = 0
    for seed in range(30):
        book = random_market(seed + 190_000, orders=8, pools=3, tight=True, fills=0.2)
        memory, named, more = Memory(), renamed(book), a_few_changed(random.Random(seed), book)
        cold = [encode_clearing(clear(each)) for each in (book, named, more)]
        asked.clear()
        warm = [encode_clearing(clear(book, memory))]
        first = len(asked)
        warm.append(encode_clearing(clear(named, memory)))
        assert len(asked) == first
        warm.append(encode_clearing(clear(more, memory)))
        assert warm == cold
        joined += first > 0 and len(asked) > first
    assert joined >= 10


def renamed(book: Market) -> Market:
    """Return the market with other names for the orders, in the same order."""

    def pool_of(pool: Pool) -> Pool:
        listings = tuple(replace(row, id=f"{row.id}-later") for row in pool.listings)
        demands = tuple(replace(row, id=f"{row.id}-later") for row in pool.demands)
        return replace(pool, listings=listings, demands=demands)

    return replace(book, pools=tuple(pool_of(pool) for pool in book.pools))


def test_the_pool_used_least_lately_is_forgotten_first() -> None:
    first, second = (seeded_book(200, seed=seed) for seed in (1, 2))
    memory = Memory()
    clear(first, memory)
    (kept,) = memory._kept.values()
    small = Memory(most_arcs=len(kept.tail) * 3 // 2)
    other = replace(second, pools=(replace(second.pools[0], commodity="other"),))
    for book in (first, other):
        clear(book, small)
    assert list(small._kept) == ["other"]


def test_the_engine_s_process_remembers_from_one_question_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    memory, dice = Memory(), random.Random(3)
    monkeypatch.setattr(serving, "Memory", lambda: memory)
    book = seeded_book(400, seed=5)
    books = [book, a_few_changed(dice, book), a_few_changed(dice, book)]
    answers = BytesIO()
    serving.serve(BytesIO(b"".join(pickle.dumps(book) for book in books)), answers)
    answers.seek(0)
    for book in books:
        document_and_clearing = pickle.load(answers)  # noqa: S301 - written above
        assert encode_clearing(document_and_clearing[1]) == encode_clearing(clear(book))
    assert memory.recalled == 2


def test_the_collector_of_cycles_rests_while_a_market_is_cleared_and_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    collecting = []

    def fails(*_: object) -> None:
        collecting.append(gc.isenabled())
        raise ArithmeticError

    monkeypatch.setattr(serving, "clear", fails)
    assert gc.isenabled()
    with pytest.raises(ArithmeticError):
        serving.solve(seeded_book(20, seed=5), Memory())
    assert collecting == [False]
    assert gc.isenabled()
