"""Findings by UTC day: what was new, fixed and ticketed, and how long it took.

Counts of days are stored and made again for the days that changed; until they are, those days are
counted from the findings themselves. So every number is exactly its findings, at any moment.
"""
