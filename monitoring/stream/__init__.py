"""The event stream `/ws`: what happened to alerts, numbered so that nobody misses one, and the vitals as they come.

docs/adr/0008-event-stream.md says why it is built so.
"""
