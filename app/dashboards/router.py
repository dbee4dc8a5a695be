"""HTTP of dashboards."""

from app.kit.http import router

api = router("dashboards")
