"""A verb is one transaction, tried again when it lost a race; the verbs of accounts stand in the same queue."""

from accounts.transactions import TRIES, WriterBusy, retried

__all__ = ["TRIES", "WriterBusy", "retried"]
