"""The pages: serves what `ui/` was built into, and the forms that work without script.

Words: page, frame (what the server writes around a page), built (what Vite made). Invariants: nothing is fetched from
outside; no inline script; every change in a browser's session proves that it comes from our own page.
"""
