"""The OpenAPI document, finished: what every route answers, problems as problem+json."""

from typing import Any

from fastapi import FastAPI

from app.kit.http import ProblemDocument
from app.kit.spreadsheet import XLSX

HTTP_METHODS = ("get", "post", "patch", "put", "delete")


def finish(app: FastAPI) -> None:
    """Let `app` describe itself fully; the document is made once."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = describe()
            schemas = document["components"]["schemas"]
            schemas["Problem"] = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schemas["Problem"].pop("$defs")
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            for operation in operations(document):
                _finish_operation(operation)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # how FastAPI is told to describe itself


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all operations of an OpenAPI document."""
    return [path[method] for path in document["paths"].values() for method in HTTP_METHODS if method in path]


def _finish_operation(operation: dict[str, Any]) -> None:
    formats = [one for one in operation.get("parameters", ()) if one["name"] == "format"]
    if formats and "xlsx" in formats[0]["schema"]["enum"]:
        content = operation["responses"]["200"]["content"]
        content |= {
            "text/csv": {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        }
    # FastAPI documents its own shape of 422 unless the route says otherwise
    validation = operation["responses"].get("422", {}).get("content", {})
    if "application/json" in validation and "application/problem+json" in validation:
        del validation["application/json"]
