"""The audit log: who did what, when and from where, in rows that vouch for each other.

`events` writes, `chain` links, checks and prunes, `changes` says what differs between two rows of
a history, `history` makes an event of each, `log` reads for the page, `export` for a file.
"""
