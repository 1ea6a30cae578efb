"""Calls that wait at the same time, made as one: a commit costs the same for one batch as for twenty."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Together(Generic[Item, Result]):
    """A call on one item that is carried out for all items that wait, in the order of their arrival.

    One round runs at a time. Whoever is first in line leads it; there is no task behind it that would need an owner.
    A round that fails is run again item by item, so that one bad item fails alone.
    """

    def __init__(
        self, run: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], *, weight: Callable[[Item], int], limit: int
    ) -> None:
        """Make a call of `run`.

        Args:
            run: returns a result for each of its items, in their order.
            weight: what an item adds to a round.
            limit: a round takes no further item once its weight is this much.
        """
        self._run = run
        self._weight = weight
        self._limit = limit
        self._waiting: deque[_Call[Item, Result]] = deque()
        self._turn = asyncio.Lock()

    async def __call__(self, item: Item) -> Result:
        """Return the item's result, or raise what `run` raised for it."""
        call = _Call[Item, Result](item)
        self._waiting.append(call)
        try:
            async with self._turn:
                while not call.is_done:
                    await self._round()
        except asyncio.CancelledError:
            if call in self._waiting:
                self._waiting.remove(call)
            raise
        if call.error is not None:
            raise call.error
        return call.results[0]

    async def _round(self) -> None:
        calls: list[_Call[Item, Result]] = []
        weight = 0
        while self._waiting and weight < self._limit:
            calls.append(self._waiting.popleft())
            weight += self._weight(calls[-1].item)
        try:
            await self._settle(calls)
        finally:
            # Cancelled with its leader: the others' items go back to the front of the line.
            self._waiting.extendleft(call for call in reversed(calls) if not call.is_done)

    async def _settle(self, calls: Sequence["_Call[Item, Result]"]) -> None:
        try:
            results = await self._run([call.item for call in calls])
        except Exception as error:  # noqa: BLE001  whatever it is belongs to whoever called
            if len(calls) == 1:
                calls[0].error = error
            else:
                for call in calls:
                    await self._settle([call])
        else:
            for call, result in zip(calls, results, strict=True):
                call.results.append(result)


class _Call(Generic[Item, Result]):
    """An item in line, and what came of it: one result, or an error."""

    __slots__ = ("error", "item", "results")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.results: list[Result] = []
        self.error: Exception | None = None

    @property
    def is_done(self) -> bool:
        return bool(self.results) or self.error is not None
