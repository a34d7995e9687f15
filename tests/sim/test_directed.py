"""One story for each mechanism, told twice: it holds, and with the mechanism switched off the checker says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from node.domain.journal import JournalDamaged
from node.federation.grouplog.entry import LogEntry, ReceivedEntry, commit_of, seal_entry
from tests.sim.malice import Malice
from tests.sim.network import Answer, Request
from tests.sim.papers import Document, make_key
from tests.sim.rules import SWITCHES
from tests.sim.scene import WARD, Scene, person

Story = Callable[[Scene], None]


def _a_restored_member_is_sent_what_comes_next(scene: Scene) -> None:
    scene.back_up("c")
    scene.say("a")
    scene.rest(10)
    scene.restore("c")
    scene.rest(12)
    scene.say("b")


def _a_host_recovers_without_one_of_its_members(scene: Scene) -> None:
    scene.back_up("a")
    scene.part("a", "b")
    scene.say("a")
    scene.rest(5)
    scene.part("a", "c")
    scene.restore("a")
    scene.join()
    scene.part("a", "c")
    scene.rest(1000)
    scene.say("b")
    scene.rest(10)


def _a_host_is_restored_after_it_took_a_submission(scene: Scene) -> None:
    scene.back_up("a")
    scene.submit("b")
    scene.restore("a")


def _a_host_is_restored_and_writes_on(scene: Scene) -> None:
    scene.back_up("a")
    scene.say("a")
    scene.rest(10)
    scene.restore("a")
    scene.rest(11)
    scene.say("a")


def _a_host_is_restored_to_before_a_removal(scene: Scene) -> None:
    scene.back_up("a")
    scene.workload.put_out(WARD, person("c"))
    scene.rest(10)
    scene.restore("a")
    scene.rest(1000)
    scene.say("a")


def _a_member_is_restored_when_nothing_comes_any_more(scene: Scene) -> None:
    scene.back_up("c")
    scene.say("a")
    scene.rest(10)
    scene.restore("c")
    scene.rest(8)


def _an_answer_comes_before_what_it_answers(scene: Scene) -> None:
    scene.back_up("a")
    parent = scene.submit("b")
    scene.restore("a")
    scene.rest(15)
    scene.say("b", to=parent)


def _an_answer_is_to_what_nobody_has(scene: Scene) -> None:
    scene.say("b", to="https://nowhere.example/posts/1")


STORIES: dict[str, Story] = {
    "gaps": _a_restored_member_is_sent_what_comes_next,
    "chain": _a_host_recovers_without_one_of_its_members,
    "end-to-end": _a_host_is_restored_after_it_took_a_submission,
    "recovery": _a_host_is_restored_and_writes_on,
    "journal": _a_host_is_restored_to_before_a_removal,
    "idle-heads": _a_member_is_restored_when_nothing_comes_any_more,
    "parents": _an_answer_comes_before_what_it_answers,
    "bounded-wait": _an_answer_is_to_what_nobody_has,
}


def test_every_switch_has_its_story() -> None:
    assert set(STORIES) == set(SWITCHES)


@pytest.mark.parametrize("name", STORIES)
def test_the_story_holds(name: str) -> None:
    scene = Scene()

    STORIES[name](scene)

    assert scene.check() == []


@pytest.mark.parametrize("name", STORIES)
def test_without_its_mechanism_the_story_breaks(name: str) -> None:
    scene = Scene(name)

    STORIES[name](scene)

    assert scene.check() != []


def test_a_lost_end_is_put_back_as_it_stood_and_nobody_notices() -> None:
    scene = Scene()
    scene.back_up("a")
    scene.say("b")
    scene.rest(10)
    before = scene.log().head

    scene.restore("a")
    scene.rest(60)

    assert scene.log().head == before
    assert scene.check() == []


def test_a_member_that_was_not_reached_holds_a_recovery_up_for_a_quarter_of_an_hour_and_its_end_is_said_anew() -> None:
    scene = Scene()
    scene.back_up("a")
    scene.part("a", "b")
    late = scene.say("a")
    scene.rest(5)
    scene.part("a", "c")
    scene.restore("a")
    scene.run.world.network.cut = {("a", "c"), ("c", "a")}
    scene.rest(800)
    new = scene.say("a")

    assert scene.list_said() == []
    scene.rest(130)

    assert scene.list_said() == [new["id"]]
    assert scene.check() == []
    assert scene.list_said() == [new["id"], late["id"]]
    assert scene.copy("c").head.epoch == 2


def test_who_withholds_a_copy_delays_nobody_for_longer_and_what_others_hold_comes_back() -> None:
    scene = Scene()
    scene.back_up("a")
    said = scene.say("a")
    scene.rest(10)
    scene.node("b").replace_verb("copies", lambda source, request: None)

    scene.restore("a")
    scene.rest(1000)

    assert scene.node("a").hosting.may_speak(WARD)
    assert scene.list_said() == [said["id"]]
    assert scene.check() == []


def test_forged_entries_are_refused_counted_and_hold_nobody_up() -> None:
    scene = Scene()
    Malice(scene.node("c"))
    scene.node("c").replace_verb("copies", lambda source, request: Answer(200, (forge(scene, request),)))
    scene.back_up("a")
    said = scene.say("b")
    scene.rest(10)

    scene.restore("a")
    scene.rest(60)

    assert scene.list_said() == [said["id"]]
    assert scene.count("refused: handed over without proof") > 0
    assert scene.check() == []


def forge(scene: Scene, request: Request) -> Document:
    """Return an entry behind the host's own, sealed by another key."""
    seq, chain = request.told[0]
    activity = {"type": "Create", "id": "https://c.example/lies/1", "actor": person("c")}
    entry = LogEntry(WARD, 1, seq + 1, chain, activity["id"], "create", commit_of(b"0" * 32, activity))
    wire = {**entry.to_wire(), "proof": seal_entry(entry, make_key("somebody"))}
    return scene.run.world.papers.write(ReceivedEntry(entry, wire, activity, b"0" * 32, ()))


@pytest.mark.parametrize("how", ["another past", "another branch"])
def test_a_second_history_within_an_epoch_is_not_followed_and_is_told(how: str) -> None:
    scene = Scene()
    scene.say("a")
    scene.rest(10)
    before = scene.copy("b").head
    liar = Malice(scene.node("a"))

    liar.tell(WARD, "b", how)
    scene.rest(10)

    assert scene.copy("b").head == before
    assert (WARD, "b") in scene.run.world.truth.forks_reported


def test_words_that_the_journal_knows_as_erased_do_not_come_back_although_the_deletion_is_lost() -> None:
    scene = Scene()
    post = scene.say("a")
    scene.rest(10)
    scene.back_up("a", "b", "c")
    scene.hold()
    scene.take_back(post)

    scene.restore("a")

    assert scene.check() == []
    assert post["id"] not in scene.list_said()
    assert all(each.salt is None for each in scene.copy("b").entries if each.entry.activity == post["id"])


def test_a_deletion_that_comes_before_what_it_deletes_leaves_nothing_of_it() -> None:
    scene = Scene()
    scene.back_up("a")
    post = scene.submit("b")
    scene.restore("a")
    scene.rest(15)
    scene.take_back(post)

    assert scene.check() == []
    assert post["id"] not in scene.list_said()


def test_who_left_and_came_back_since_the_backup_is_shown_nothing_from_before_they_came_back() -> None:
    scene = Scene(is_since_join=True)
    scene.back_up("a", "c")
    undo = {"type": "Undo", "id": f"{person('c')}/undo", "actor": person("c"), "audience": WARD}
    scene.node("c").copies.leave(WARD, person("c"), undo)
    scene.rest(10)
    scene.say("a")
    scene.rest(10)
    scene.enter("c")
    scene.restore("c")
    scene.restore("a")

    assert scene.check() == []
    assert scene.copy("c").base.seq == 2


def test_a_copy_whose_base_was_lost_begins_anew() -> None:
    scene = Scene(members="b", is_since_join=True)
    scene.back_up("a")
    scene.say("a")
    scene.rest(10)
    scene.enter("c")
    scene.part("a", "bc")
    scene.restore("a")
    scene.rest(1000)
    scene.say("a")
    scene.join()

    assert scene.check() == []
    assert scene.count("repair: copy begun anew") == 1


def test_a_restore_that_nobody_declared_is_shown_by_the_journal_before_a_number_is_given_twice() -> None:
    scene = Scene()
    post = scene.say("a")
    scene.rest(10)
    scene.back_up("a")
    scene.take_back(post)
    scene.rest(10)

    scene.restore("a", is_declared=False)
    scene.rest(10.1)
    scene.say("a")

    assert scene.check() == []
    assert scene.count("repair: restore shown by the journal") == 1
    assert max(len(chains) for chains in scene.run.world.truth.promises[WARD].numbered.values()) == 1


def test_a_restore_that_not_even_the_journal_shows_is_shown_by_a_member() -> None:
    scene = Scene()
    scene.back_up("a")
    scene.say("b")
    scene.rest(10)

    scene.restore("a", is_declared=False)

    assert scene.check() == []
    assert scene.count("repair: restore shown by a peer") == 1


def test_where_the_journal_burned_with_the_machine_later_epochs_are_learned_from_what_members_hold() -> None:
    scene = Scene()
    scene.back_up("a")
    _a_host_is_restored_and_writes_on(scene)
    scene.rest(60)
    epoch = scene.log().head.epoch

    scene.restore("a", burns_journal=True)
    scene.rest(60)
    scene.say("a")

    assert scene.check() == []
    assert scene.log().head.epoch > epoch


def test_a_journal_whose_last_line_was_torn_is_whole_again_after_the_next_start() -> None:
    scene = Scene()
    node = scene.node("a")
    scene.workload.put_out(WARD, person("c"))
    node.disk.journal = node.disk.journal[:-7]
    node.die()

    node.start()

    assert node.disk.read_journal_lines()
    assert scene.check() == []


def test_a_journal_damaged_in_its_middle_is_not_read() -> None:
    scene = Scene()
    scene.node("a").disk.journal = scene.node("a").disk.journal.replace('{"at"', '{"at', 1)

    with pytest.raises(JournalDamaged):
        scene.node("a").disk.read_journal_lines()


def test_a_restored_host_says_again_that_somebody_is_out() -> None:
    scene = Scene()
    scene.back_up("a")
    scene.part("a", "c")
    scene.workload.put_out(WARD, person("c"))
    scene.restore("a")
    scene.rest(60)
    scene.join()

    assert scene.check() == []
    assert scene.node("c").disk.get(("people", WARD)) == frozenset()


def test_an_authors_restored_node_cannot_bring_back_what_was_taken_back() -> None:
    scene = Scene()
    scene.back_up("a", "c")
    post = scene.submit("b")
    scene.back_up("b")
    scene.rest(90)
    scene.take_back(post)
    scene.rest(10)

    for node in "abc":
        scene.restore(node)

    assert scene.check() == []
    assert post["id"] not in scene.list_said()
    assert scene.count("submission refused") > 0


def test_what_one_node_gave_is_not_given_by_the_next() -> None:
    scene = Scene(members="bcde")
    scene.back_up("a")
    for _ in range(5):
        scene.say("a")
    scene.rest(10)
    missing = scene.log().head.seq

    scene.restore("a")
    scene.rest(60)

    assert scene.count("handed over") == missing
    assert scene.check() == []
