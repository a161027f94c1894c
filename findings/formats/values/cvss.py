"""CVSS 3 base scores from their vectors (first.org/cvss/v3.1/specification-document, section 7).

For reports that hold a vector and no score. Other versions of CVSS give None.
"""

from __future__ import annotations

_WEIGHTS = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES = {
    "U": {"N": 0.85, "L": 0.62, "H": 0.27},
    "C": {"N": 0.85, "L": 0.68, "H": 0.5},
}  # by scope: unchanged, changed


def base_score(vector: str) -> float | None:
    """The score of a vector like "CVSS:3.1/AV:N/AC:L/…"; None if it is no whole one."""
    version, *parts = vector.strip().split("/")
    metrics = dict(part.split(":", 1) for part in parts if ":" in part)
    if version not in ("CVSS:3.0", "CVSS:3.1"):
        return None
    try:
        scope = metrics["S"]
        privileges = _PRIVILEGES[scope][metrics["PR"]]
        weight = {name: values[metrics[name]] for name, values in _WEIGHTS.items()}
    except KeyError:
        return None
    return _score(weight, privileges, is_changed=scope == "C")


def _score(weight: dict[str, float], privileges: float, *, is_changed: bool) -> float:
    base = 1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"])
    impact = 6.42 * base
    if is_changed:
        impact = 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15
    if impact <= 0:
        return 0.0
    exploitability = 8.22 * weight["AV"] * weight["AC"] * privileges * weight["UI"]
    total = impact + exploitability
    return _rounded_up(min(1.08 * total if is_changed else total, 10.0))


def _rounded_up(score: float) -> float:
    """To one decimal, without the error of floats (appendix A)."""
    hundred_thousandths = round(score * 100_000)
    if hundred_thousandths % 10_000 == 0:
        return hundred_thousandths / 100_000
    return (hundred_thousandths // 10_000 + 1) / 10
