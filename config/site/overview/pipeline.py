"""What the rules decided in the last 24 hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.utils import timezone

from automation.decisions.log import RESULTS, count_results, evaluations
from config.lib.log_pages import RANGES
from config.site.overview import links


class Step(NamedTuple):
    label: str
    number: int  # of evaluations
    tone: str
    href: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    numbers: Mapping[str, int]  # of each result; of "" all

    @property
    def evaluations(self) -> int:
        """A finding that changed and was evaluated again counts each time."""
        return self.numbers[""]

    @property
    def steps(self) -> list[Step]:
        """In the order of the pipeline, each with the rows that it counts."""
        everything = Step("Evaluations", self.evaluations, "", links.evaluations())
        return [
            everything,
            *(
                Step(result.label, self.numbers[name], result.tone, links.evaluations(result=name))
                for name, result in RESULTS.items()
            ),
        ]


def pipeline() -> Pipeline:
    since = timezone.now() - RANGES[links.LAST_DAY].length
    return Pipeline(count_results(evaluations(since=since)))
