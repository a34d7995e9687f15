"""The benchmark: CPU per activity beside what the machine can do at all, measured in the same run.

`make bench` runs everything; `python -m bench ingest --quick` one scenario, shortly. Times on one machine mean nothing
on another: read the ratio to the physical limit, and compare runs of one machine only. What must never happen (lost,
doubled, dropped) is the tests' matter, yet every scenario refuses to report a figure when something was not accepted.
"""
