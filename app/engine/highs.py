"""HiGHS, one thread: the only file that knows the solver. Its floats are proposals, never decisions.

Every caller checks and, where needed, repairs the answer in whole numbers (`exact`, `joint`, `audit`). Limits are
nodes, never clocks, so the same question gets the same answer.
"""

from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt
from highspy._core import _Highs

from app.engine.compiled import Ints
from app.engine.question import Question

Floats = npt.NDArray[np.float64]
#: what is basic in a linear optimum: a question of the same arcs and rows may start from it
Basis = highspy.HighsBasis


@dataclass(frozen=True, slots=True)
class Answer:
    """What HiGHS says."""

    #: shape (arcs,): base units
    flow: Floats
    #: shape (nodes,): prices at the nodes, 0 at node 0; zeros after an integer programme
    price: Floats
    #: shape (rows,): prices of the rows, at least 0; zeros after an integer programme
    row_price: Floats
    #: None after an integer programme
    basis: Basis | None = None


def solve(
    question: Question, whole: Ints | None = None, node_limit: int = 0, basis: Basis | None = None
) -> Answer | None:
    """Return an optimal answer, or None where none exists (or none was found within the limit).

    `whole` lists arcs whose flow must be a whole number; then it is an integer programme of at most `node_limit` nodes.
    """
    # The class beneath highspy.Highs: that one switches callbacks on, which prints a banner before it can be silenced.
    model = _Highs()
    options: dict[str, float | str] = {"output_flag": False, "threads": 1, "parallel": "off", "random_seed": 0}
    if whole is not None:
        options |= {
            "mip_rel_gap": 0.0,
            "mip_abs_gap": 0.5,
            "mip_max_nodes": node_limit,
            "mip_feasibility_tolerance": 1e-9,
        }
    for name, value in options.items():
        model.setOptionValue(name, value)
    model.passModel(_model(question, whole))
    if basis is not None:
        model.setBasis(basis)
    model.run()
    status = model.getModelStatus()
    stopped = highspy.HighsModelStatus.kSolutionLimit
    if status != highspy.HighsModelStatus.kOptimal and not (whole is not None and status == stopped):
        return None
    solution = model.getSolution()
    flow = np.array(solution.col_value, dtype=np.float64)
    if len(flow) != len(question.tail) or not model.getInfo().primal_solution_status:
        return None
    dual = np.zeros(question.nodes - 1 + len(question.rows))
    if whole is None:
        dual = np.array(solution.row_dual, dtype=np.float64)
    balance, rows = dual[: question.nodes - 1], dual[question.nodes - 1 :]
    kept = None if whole is not None else model.getBasis()
    return Answer(flow, np.concatenate([[0.0], balance]), np.maximum(-rows, 0.0), kept)


def _model(question: Question, whole: Ints | None) -> highspy.HighsLp:
    """Write the question column by column: -1 at the tail's row, +1 at the head's, units at the shared rows."""
    q = question
    arcs = np.arange(len(q.tail))
    out, into = q.tail > 0, q.head > 0
    column = np.concatenate([arcs[out], arcs[into], *(row.arcs for row in q.rows)])
    row = np.concatenate(
        [q.tail[out] - 1, q.head[into] - 1, *(np.full(len(r.arcs), q.nodes - 1 + i) for i, r in enumerate(q.rows))]
    )
    value = np.concatenate([-np.ones(out.sum()), np.ones(into.sum()), *(r.units for r in q.rows)])
    sort = np.argsort(column, kind="stable")
    model = highspy.HighsLp()
    model.num_col_ = len(arcs)
    model.num_row_ = q.nodes - 1 + len(q.rows)
    model.col_cost_ = q.cost.astype(np.float64)
    model.col_lower_ = q.low.astype(np.float64)
    model.col_upper_ = q.high.astype(np.float64)
    zero = np.zeros(q.nodes - 1)
    capacity = np.array([r.capacity for r in q.rows], dtype=np.float64)
    full = np.array(q.tight or [False] * len(q.rows), dtype=bool)
    model.row_lower_ = np.concatenate([zero, np.where(full, capacity, -highspy.kHighsInf)])
    model.row_upper_ = np.concatenate([zero, capacity])
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=len(arcs)))]).astype(np.int32)
    model.a_matrix_.index_ = row[sort].astype(np.int32)
    model.a_matrix_.value_ = value[sort].astype(np.float64)
    if whole is not None:
        kinds = [highspy.HighsVarType.kContinuous] * len(arcs)
        for arc in whole:
            kinds[arc] = highspy.HighsVarType.kInteger
        model.integrality_ = kinds
    return model
