"""Uploading a file and letting the worker take it."""

from typing import Any

from app import worker

PONGGOK, DEPOK = "Koperasi peternak Ponggok (contoh)", "Pedagang telur Depok (contoh)"


async def upload(
    api: Any, content: bytes, key: str, *, name: str = "stok.xlsx", kind: str = "listings", **form: Any
) -> Any:
    """Send a file; returns the answer to the POST."""
    data = {"kind": kind, **{field: str(value) for field, value in form.items()}}
    return await api.post("/v1/imports", files={"file": (name, content)}, data=data, headers=api.as_(key))


async def taken(api: Any, answer: Any, key: str, language: str = "id") -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Let the worker take an accepted file; returns job and result."""
    assert answer.status_code == 202, answer.text
    assert await worker.do_next_job(api.database, api.clock)
    job = (await api.get(answer.headers["location"], headers=api.as_(key))).json()
    if job["status"] != "done":
        return job, None
    headers = api.as_(key, **{"Accept-Language": language})
    return job, (await api.get(job["result_url"], headers=headers)).json()["result"]


async def refused_import(api: Any, key: str) -> str:
    """Upload a file of which nothing can be taken; returns its id, under which there is an error workbook."""
    answer = await upload(api, b"Komoditas,Kualitas,Jumlah,Satuan,Harga\nberas,medium,dua,ton,12000", key)
    _, result = await taken(api, answer, key)
    assert result is not None
    return str(answer.json()["id"])


async def download(api: Any, address: str, key: str) -> Any:
    return await api.get(address, headers=api.as_(key))
