"""Several test processes at once: each has a database of its own by pytest-django, and here a Redis of its own.

Loaded before the settings are (`-p` in pyproject.toml).
"""

import os

if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ["REDIS_PREFIX"] = f"medql-{worker}"
