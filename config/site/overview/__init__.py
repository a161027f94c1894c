"""What the overview page says. Every number is counted from what was stored; none is estimated,
and each leads to exactly the rows that it counts."""
