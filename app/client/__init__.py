"""The Python client: what an integrator or analyst writes instead of HTTP.

Words: the hub (`Hub`), rows of a list (`Rows`), a refusal (`HubProblem`). Invariants: answers have the shapes that the
server itself describes; a change is sent once in effect, however often its answer is lost.
"""

from app.client.errors import HubProblem, HubUnreachable
from app.client.hub import Hub
from app.client.rows import Rows

__all__ = ["Hub", "HubProblem", "HubUnreachable", "Rows"]
