"""Every sentence of the pages stands in the catalogue once, is used, and has the same gaps in every language."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from functools import cache
from typing import Any

import pytest

from node.community.members.sessions import DATE_STYLES
from node.community.peering.steps import SENTENCES as PEER_TEST
from node.community.verification.desk import DECISIONS
from node.community.verification.service import OFFERS
from node.domain.actors import CLASSES
from node.domain.following import FOLLOWED, LEVELS, MUTED, UNFOLLOWED
from node.domain.groups import HISTORIES, POLICIES, ROLES
from node.domain.inviting import STATES as INVITATION_STATES
from node.domain.registers import KNOWN as REGISTERS
from node.domain.scopes import KNOWN as SCOPES
from node.domain.searching import PROBLEMS
from node.domain.specialties import KNOWN
from node.domain.verification import EVERY_METHOD, STATES
from node.foundation import errors
from node.views.asking import LASTS
from node.views.translated import load_services, translate
from tests.support.house import NODE, list_python, list_texts, parse, short

SENTENCES = NODE / "views" / "sentences"
TEMPLATES = NODE / "views" / "templates"
LANGUAGES = sorted(path.stem for path in SENTENCES.glob("*.toml"))
# Keys that a page puts together, by their beginning, with the values that must be there; None where pages only choose
# among what stands in the catalogue.
DYNAMIC: dict[str, tuple[str, ...] | None] = {
    "announcement.room_": ("low", "scarce", "full"),
    "apply.offer_": tuple(OFFERS),
    "attested.": None,
    "attested.problem_": None,
    "audit_actions.": None,
    "audit_desk.": None,
    "checks.": None,
    "dates.": None,
    "dates.month_": tuple(str(number) for number in range(1, 13)),
    "dates.weekday_": tuple(str(number) for number in range(1, 8)),
    "inviting.": ("note", "inviter", "created", "expires", "came_in", "state", "all_verified", "all_operators"),
    "inviting.all_": ("verified", "operators"),
    "inviting.is_": INVITATION_STATES,
    "specialty.": KNOWN,
    "distance.": ("unmute", "unblock"),
    "first_day.": ("contact", "machine", "peer", "group", "member"),
    "following.is_": (FOLLOWED, MUTED, UNFOLLOWED),
    "following.level_": LEVELS,
    "following.means_": LEVELS,
    "groups.policy_": tuple(POLICIES),
    "join.": None,
    "join.decides_": None,
    "join.read_": tuple(HISTORIES),
    "lane_errors.": None,
    "member_desk.": None,
    "new_group.history_": tuple(HISTORIES),
    "new_group.policy_": tuple(POLICIES),
    "node_desk.": None,
    "notices.": None,
    "peer_desk.": None,
    "peer_test.": tuple(PEER_TEST),
    "peers_desk.": None,
    "registers.form_": tuple(register.name for register in REGISTERS),
    "person.": None,
    "poll.lasts_": tuple(str(seconds) for seconds in LASTS),
    "plain.": ("support", "charter", "about"),
    "readers.": ("can", "will"),
    "report.rule_": None,
    "roles.": tuple(ROLES),
    "authorize.refused_": (
        "invalid_client",
        "redirect",
        "unsupported_response_type",
        "invalid_request",
        "invalid_scope",
    ),
    "scopes.": tuple(scope.replace(":", "_") for scope in SCOPES),
    "search.problem_": (*PROBLEMS, "no_group", "no_person", "date", "order"),
    "settings.dates_": tuple(DATE_STYLES),
    "shell.": (
        "catch-up",
        "groups",
        "search",
        "write",
        "notifications",
        "peers",
        "node",
        "verification",
        "support",
        "me",
    ),
    "verify.class_": tuple(CLASSES),
    "verify.method_": tuple(EVERY_METHOD),
    "verify_desk.": None,
    "verify_desk.decision_": tuple(DECISIONS),
    "verify_desk.is_": ("waiting", "asked", "verified", "declined", "lapsed", *STATES),
    "traffic.": ("received", "delivered", "failed"),
}
_KEY = re.compile(r"[a-z_]+\.[a-z0-9_-]+")
_IN_TEMPLATE = re.compile(r"""(?<![\w.=])["']([a-z_]+\.[a-z0-9_-]*)["'](\s*~)?""")


@cache
def _catalogue(language: str) -> dict[str, Any]:
    """Return {key: sentence, or its forms}."""
    sections = tomllib.loads((SENTENCES / f"{language}.toml").read_text("utf-8"))
    return {f"{name}.{key}": value for name, section in sections.items() for key, value in section.items()}


@cache
def _used() -> tuple[dict[str, str], dict[str, str]]:
    """Return {key: file} of every whole key, and {beginning: file} of those that are put together."""
    whole, begun = {}, {}
    sections = {key.partition(".")[0] for key in _catalogue("en")}
    for path in sorted(TEMPLATES.rglob("*.html")):
        for key, is_begun in _IN_TEMPLATE.findall(path.read_text("utf-8")):
            if not key.endswith(".html"):
                (begun if is_begun or key[-1] in "._" else whole)[key] = path.name
    for path in sorted((NODE / "views").rglob("*.py")):
        for _, text in list_texts(parse(path)):
            if text.partition(".")[0] in sections and _KEY.fullmatch(text) and not text.endswith(".html"):
                whole[text] = path.name
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.JoinedStr) and isinstance(first := node.values[0], ast.Constant):
                section, dot, rest = str(first.value).partition(".")
                if dot and section in sections and re.fullmatch(r"[a-z_]*", rest):
                    begun[str(first.value)] = path.name
                    whole.pop(str(first.value), None)
    return whole, begun


def _forms(sentence: Any) -> list[str]:
    return list(sentence.values()) if isinstance(sentence, dict) else [sentence]


def _gaps(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_every_sentence_that_a_page_says_stands_in_the_catalogue() -> None:
    whole, begun = _used()

    missing = {key: file for key, file in whole.items() if key not in _catalogue("en")}

    assert missing == {}
    assert {beginning: file for beginning, file in begun.items() if not beginning.startswith(tuple(DYNAMIC))} == {}


def test_every_sentence_of_the_catalogue_is_said_somewhere() -> None:
    whole, begun = _used()

    unsaid = [key for key in _catalogue("en") if key not in whole and not key.startswith(tuple(begun))]

    assert unsaid == []


@pytest.mark.parametrize("beginning", sorted(beginning for beginning, values in DYNAMIC.items() if values))
def test_sentences_that_are_put_together_are_all_there(beginning: str) -> None:
    keys = {f"{beginning}{value}" for value in DYNAMIC[beginning] or ()}

    assert keys - _catalogue("en").keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_sentences(language: str) -> None:
    assert _catalogue(language).keys() ^ _catalogue("en").keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_has_the_same_gaps_in_every_language(language: str) -> None:
    english, differ = _catalogue("en"), {}

    for key, sentence in _catalogue(language).items():
        wanted = set().union(*map(_gaps, _forms(english.get(key, ""))))
        if set().union(*map(_gaps, _forms(sentence))) != wanted:
            differ[key] = sentence

    assert differ == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_that_counts_has_a_form_for_one_and_for_more(language: str) -> None:
    english = _catalogue("en")

    wrong = {
        key: sentence
        for key, sentence in _catalogue(language).items()
        if isinstance(sentence, dict) != isinstance(english.get(key), dict)
        or (isinstance(sentence, dict) and (sentence.keys() != {"one", "other"} or "n" not in _gaps(sentence["other"])))
    }

    assert wrong == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_holds_no_markup_and_no_stray_space(language: str) -> None:
    odd = {
        key: form
        for key, sentence in _catalogue(language).items()
        for form in _forms(sentence)
        if "<" in form or "&" in form or form != form.strip() or "  " in form or not form
    }

    assert odd == {}


def test_a_template_says_nothing_of_its_own() -> None:
    said = {}

    for path in sorted(TEMPLATES.rglob("*.html")):
        text = re.sub(
            r"\{% block width %\}.*?\{% endblock %\}|\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[^>]*>|&[a-z]+;",
            " ",
            path.read_text("utf-8"),
            flags=re.DOTALL,
        )
        if words := re.findall(r"[A-Za-z]{2,}", text):
            said[path.name] = words

    assert said == {}


# Services: what they say when they refuse something stands where it happens, in English; pages say it in other languages.
_SERVICES = ("node/community", "node/domain", "node/views", "node/foundation/fingerprints.py")
# What operators do with commands alone, which speak English: backups, restores, moving a node.
_BY_COMMAND = (
    "node/community/operating/",
    "node/community/returning",
    "node/community/revoking",
    "node/community/rotation",
)
_REFUSALS = {name for name, value in vars(errors).items() if isinstance(value, type)} - {"ConfigError"}
# What passes on a sentence that was said elsewhere: the page's own words, or a decision's.
_PASSED_ON = re.compile(
    r"(\w+\.)*reason|problem|(str\()?(visitor\.)?words\(.*|decision|f'\{text\} is not .*|sentence", re.DOTALL
)


@cache
def _constants() -> dict[str, str]:
    """Return {name: text} of the constants of all modules that hold a sentence."""
    return {
        statement.targets[0].id: statement.value.value
        for path in list_python("node")
        for statement in parse(path).body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    }


def _template_of(said: ast.expr) -> str | None:
    """Return a sentence with its gaps numbered; None where it was said elsewhere."""
    if isinstance(said, ast.Constant):
        return str(said.value)
    if isinstance(said, ast.JoinedStr):
        gaps = iter(range(len(said.values)))
        return "".join(
            str(piece.value) if isinstance(piece, ast.Constant) else f"{{{next(gaps)}}}" for piece in said.values
        )
    return _constants().get(said.attr if isinstance(said, ast.Attribute) else getattr(said, "id", ""))


def _list_refusals() -> tuple[dict[str, str], list[str]]:
    """Return {sentence: place} of what services say, and the places where it cannot be told what they say."""
    found = {each.sentence: "errors" for each in vars(errors).values() if hasattr(each, "sentence")}
    unknown = []
    for path in list_python("node"):
        if not short(path).startswith(_SERVICES) or short(path).startswith(_BY_COMMAND):
            continue
        for call in ast.walk(parse(path)):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or not call.args:
                continue
            is_decision = call.func.id == "refuse" and short(path).startswith("node/domain")
            if not (call.func.id in _REFUSALS or is_decision) or isinstance(call.args[0], ast.Starred):
                continue
            place = f"{short(path)}:{call.lineno}"
            if (template := _template_of(call.args[0])) is not None:
                found[template] = place
            elif not _PASSED_ON.fullmatch(ast.unparse(call.args[0])):
                unknown.append(f"{place}: {ast.unparse(call)}")
    return found, unknown


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_error_of_a_service_that_a_page_can_show_is_said_in_every_language(language: str) -> None:
    found, unknown = _list_refusals()

    assert unknown == []
    assert {said: place for said, place in found.items() if said and said not in load_services(language)} == {}


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_what_services_say_has_the_same_gaps_in_every_language(language: str) -> None:
    services = load_services(language)

    assert len(services) > 100
    assert {english: said for english, said in services.items() if _gaps(english) != _gaps(said)} == {}
    assert [said for said in services.values() if "<" in said or said != said.strip() or "  " in said or not said] == []


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_what_was_put_together_is_found_by_its_pieces(language: str) -> None:
    wrong = {}

    for english, said in load_services(language).items():
        values = [f"value-{number}" for number in range(len(_gaps(english)))]
        if translate(language, english.format(*values)) != said.format(*values):
            wrong[english] = translate(language, english.format(*values))

    assert wrong == {}
