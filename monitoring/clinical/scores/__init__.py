"""Early-warning scores: pure strategies that register themselves, the choice of their inputs, and when a score calls.

Importing the package registers the strategies that MedQL brings; docs/scores.md tells how to add one.
"""

from monitoring.clinical.scores import mews, news2, pews, qsofa, rule_based, shock_index

__all__ = ["mews", "news2", "pews", "qsofa", "rule_based", "shock_index"]
