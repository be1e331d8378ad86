"""Moments as the board's script counts ages from them."""

from datetime import datetime


def epoch(at: datetime) -> str:
    """Seconds since 1970."""
    return f"{at.timestamp():.3f}"
