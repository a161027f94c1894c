"""What the explorer shows of a search: facets, a histogram, one page of findings.

Set-based: the number of statements depends neither on the findings nor on the filters.
"""
