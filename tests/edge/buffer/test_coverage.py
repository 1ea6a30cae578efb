import pytest

from edge.buffer.coverage import Coverage
from protocols.ranges import Range


def test_what_is_here_and_not_held_is_unsent() -> None:
    coverage = Coverage(head=20, held=[(1, 5), (8, 9)], gone=[(1, 3)])
    assert coverage.unsent() == [(6, 7), (10, 20)]
    assert coverage.unsent_rows() == 13


def test_what_is_here_and_held_is_spent() -> None:
    assert Coverage(head=20, held=[(1, 9)], gone=[(1, 3), (9, 10)]).spent() == [(4, 8)]


def test_what_has_gone_unheld_is_declared_until_the_cloud_has_taken_it() -> None:
    coverage = Coverage(head=20, held=[(1, 5)], gone=[(1, 8)])
    assert coverage.undeclared() == [(6, 8)]
    assert coverage.declaring([(6, 7)]).undeclared() == [(8, 8)]


def test_a_cloud_that_holds_less_makes_rows_unsent_again() -> None:
    assert Coverage(head=9, held=[(1, 9)]).holding([(1, 4)]).unsent() == [(5, 9)]


def test_a_cloud_that_holds_less_is_told_of_what_has_gone_since_and_of_every_loss_again() -> None:
    coverage = Coverage(head=20, held=[(1, 9), (12, 20)], gone=[(1, 11)], declared=[(10, 11)])
    assert coverage.undeclared() == []
    assert coverage.holding([(1, 5)]).undeclared() == [(6, 11)]


def test_a_cloud_that_holds_numbers_above_the_newest_moves_the_numbering_past_them() -> None:
    coverage = Coverage(head=5, held=[(1, 5)]).holding([(1, 8)])
    assert coverage.head == 8
    assert coverage.unsent() == []
    assert coverage.holding([(1, 3)]).unsent() == [(4, 5)]


@pytest.mark.parametrize("held", [[(0, 3)], [(5, 3)]], ids=["below 1", "backwards"])
def test_ranges_that_are_none_are_refused(held: list[Range]) -> None:
    with pytest.raises(ValueError, match="must be 1 or more"):
        Coverage(head=9).holding(held)
