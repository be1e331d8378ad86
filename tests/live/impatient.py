"""The application that waits five seconds, not two minutes, for who does not read; for daphne."""

from __future__ import annotations

from medql import pacing
from medql.asgi import application

__all__ = ["application"]

pacing.PATIENCE = 5.0
