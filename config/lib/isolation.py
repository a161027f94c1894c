"""One bad item never stops the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import structlog
from django.db import OperationalError

log = structlog.stdlib.get_logger(__name__)
T = TypeVar("T")


def run_each(items: Iterable[T], work: Callable[[T], object]) -> None:
    """Do `work` with each item; one that raises is logged, and the others go on.

    At the end what was raised is raised as an ExceptionGroup, so that the task which did this
    counts as failed. Call it outside of transactions: an error of the database ends one.
    """
    errors: list[Exception] = []
    for item in items:
        try:
            work(item)
        except OperationalError:  # the database's own trouble: the others would meet it, too
            raise
        except Exception as error:
            log.exception("One of several failed", item=str(item))
            errors.append(error)
    if errors:
        raise ExceptionGroup(f"{len(errors)} failed, the others were done", errors)


def run_batch(items: Sequence[T], work: Callable[[Sequence[T]], object]) -> None:
    """Do `work` with all items at once; if that raises, with each of them alone.

    `work` is a transaction of its own. Raises as `run_each` does, and what is the database's own
    trouble, which no item is to blame for.
    """
    try:
        work(items)
    except OperationalError:
        raise
    except Exception:
        log.exception("A batch failed, its items are done one by one", items=len(items))
        run_each([[item] for item in items], work)
