"""All findings as columns in the memory of a process, to count and filter a million at once.

`current.current()` is the `Table` as of now, or None: then SQL answers, as ever. A table is
immutable: it may be used for as long as anybody likes, by any thread. `matching.matching` and
`explorer.matched.matched` say which findings of it match, as an array of a bool for each place.
"""
