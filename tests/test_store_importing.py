from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.errors import ContentError, NewsletterError
from newsletter.store.importing import ImportReport, import_csv
from newsletter.store.schema import connect
from newsletter.store.subscribers import Subscriber, Subscribers, SubscriberState


@pytest.fixture
def people(tmp_path: Path) -> Subscribers:
    return Subscribers(connect(f"sqlite:///{tmp_path / 'news.db'}"))


def _import(people: Subscribers, folder: Path, text: str, encoding: str = "utf-8") -> ImportReport:
    path = folder / "people.csv"
    path.write_bytes(text.encode(encoding))
    return import_csv(people, path, list="main", source="a file")


def _by_address(people: Subscribers) -> dict[str, Subscriber]:
    return {person.email: person for person in people.active("main")}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_exports_of_spreadsheets_are_understood(
    people: Subscribers, tmp_path: Path, delimiter: str, encoding: str
) -> None:
    rows = [["E-Mail", "First Name", "Last name", "Tags", "City"], ["zoe@example.org", "Zoë", "Li", '"a; b"', "Köln"]]
    text = "\r\n".join(delimiter.join(row) for row in rows)
    assert _import(people, tmp_path, text, encoding).added == 1
    zoe = _by_address(people)["zoe@example.org"]
    assert (zoe.first_name, zoe.last_name, zoe.tags, zoe.fields) == ("Zoë", "Li", ("a", "b"), {"city": "Köln"})


def test_one_column_for_the_name_will_do(people: Subscribers, tmp_path: Path) -> None:
    _import(people, tmp_path, "email,name\nmary@example.org,Mary Ann Smith\nli@example.org,Li\n")
    found = _by_address(people)
    assert (found["mary@example.org"].first_name, found["mary@example.org"].last_name) == ("Mary", "Ann Smith")
    assert (found["li@example.org"].first_name, found["li@example.org"].last_name) == ("Li", "")


def test_bad_rows_are_named_and_the_others_taken(people: Subscribers, tmp_path: Path) -> None:
    report = _import(
        people,
        tmp_path,
        'name,email\n"two\nlines",ana@example.org\nBo,bo@\n\nCy,\nDi,di@example.org,surplus\nEl,el@example.org\n',
    )
    assert (report.added, report.rejected) == (2, 3)
    assert [str(problem).partition(": ")[0].rpartition("/")[2] for problem in report.problems] == [
        "people.csv:4:2",
        "people.csv:6:2",
        "people.csv:7:3",
    ]
    words = [problem.message for problem in report.problems]
    assert "`bo@`: There must be something after the @-sign." in words
    assert "there is no address" in words
    assert "this row has 3 cells, the header has 2" in words


def test_the_same_file_twice_changes_nothing(people: Subscribers, tmp_path: Path) -> None:
    text = "email,name\nana@example.org,Ana\nANA@example.org,Other\n"
    first = _import(people, tmp_path, text)
    before = _by_address(people)
    second = _import(people, tmp_path, text)
    assert (first.added, first.already) == (1, 1)
    assert (second.added, second.already) == (0, 2)
    assert _by_address(people) == before


def test_nobody_who_left_is_revived(people: Subscribers, tmp_path: Path) -> None:
    text = "email\nana@example.org\n"
    _import(people, tmp_path, text)
    people.remove("ana@example.org", list="main")
    report = _import(people, tmp_path, text)
    assert report.left_alone == {SubscriberState.UNSUBSCRIBED: 1}
    assert _by_address(people) == {}


def test_more_rows_than_fit_one_transaction(people: Subscribers, tmp_path: Path) -> None:
    text = "email\n" + "".join(f"reader{n}@example.org\n" for n in range(2_345))
    assert _import(people, tmp_path, text).added == 2_345
    assert people.count("main")[SubscriberState.ACTIVE] == 2_345


@pytest.mark.parametrize(
    ("text", "encoding", "words"),
    [
        ("name,city\nAna,Rome\n", "utf-8", "there is no column `email`"),
        ("", "utf-8", "there is no column `email`"),
        ("email,Email\na@example.org,b@example.org\n", "utf-8", "people.csv:1:2: there are two columns `email`"),
        ("email,名前\na@example.org,Ana\n", "utf-8", "people.csv:1:2: `名前` is no name for a field"),
        ("email,name\nzoe@example.org,Zoë\n", "latin-1", "is not UTF-8"),
        ("email\na@example.org\n", "utf-16", "is not UTF-8"),
        ('email,name\na@example.org,"Ana\nb@example.org,Bo\n', "utf-8", "people.csv:2: is not CSV from here on"),
    ],
)
def test_a_file_that_is_no_table_of_people_is_said(
    people: Subscribers, tmp_path: Path, text: str, encoding: str, words: str
) -> None:
    with pytest.raises(ContentError) as caught:
        _import(people, tmp_path, text, encoding)
    assert words in str(caught.value)
    assert _by_address(people) == {}


def test_a_file_that_is_not_there_is_said(people: Subscribers, tmp_path: Path) -> None:
    with pytest.raises(NewsletterError, match=r"nobody\.csv: cannot be read: No such file"):
        import_csv(people, tmp_path / "nobody.csv", list="main", source="a file")
