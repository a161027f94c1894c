"""Resolved findings put away into files, and how they come back.

`selection` says which may go, `files` writes and reads what `documents` makes of them, `store` puts
a chunk away, `restore` takes a file back, and `tombstones` one that is reported again. `parts` is
what the apps above keep about a finding.
"""
