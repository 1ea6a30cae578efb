from edge.poller.schedule import Schedule


def test_a_group_stays_on_its_grid_however_late_it_was_read() -> None:
    schedule = Schedule([1.0], start_s=10.0)
    due = []
    for read_s in (10.0, 11.3, 12.1):
        due.append(schedule.next()[0])
        schedule.read(1.0, now_s=read_s)
    assert [*due, schedule.next()[0]] == [10.0, 11.0, 12.0, 13.0]


def test_of_groups_due_together_the_shortest_comes_first() -> None:
    schedule = Schedule([60.0, 1.0], start_s=0.0)
    assert schedule.next() == (0.0, 1.0)
    schedule.read(1.0, now_s=0.0)
    assert schedule.next() == (0.0, 60.0)


def test_a_read_that_ends_after_the_next_instant_did_not_keep_its_pace() -> None:
    schedule = Schedule([1.0], start_s=0.0)
    assert [schedule.read(1.0, now_s=now_s) for now_s in (0.4, 2.5, 2.9)] == [True, False, True]


def test_missed_instants_are_left_out_and_the_next_read_follows_at_once() -> None:
    schedule = Schedule([1.0], start_s=0.0)
    schedule.read(1.0, now_s=7.5)
    assert schedule.next() == (7.0, 1.0)


def test_a_postponed_group_lets_others_pass_and_keeps_its_grid() -> None:
    schedule = Schedule([1.0, 60.0], start_s=0.0)
    schedule.postpone(1.0, until_s=5.5)
    assert schedule.next() == (0.0, 60.0)
    schedule.read(60.0, now_s=0.2)
    assert schedule.next() == (5.5, 1.0)
    assert schedule.read(1.0, now_s=5.6), "an outage is no lack of pace"
    assert schedule.next() == (6.0, 1.0)
