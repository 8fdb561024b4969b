"""A step is a file with `revision`, `down_revision` and `upgrade`. The way back is the copy that was put aside.

A process of the version before may still be sending: what a step adds is nullable or has a default in the database.
"""
