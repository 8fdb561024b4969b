"""newsletter.toml -> Settings: every fault with its line."""

import pytest

from newsletter.config import load_settings, secret, secret_variable
from newsletter.errors import ConfigError

GOOD = """
[publication]
id = "abcde12345"
name = "N"
url = "https://news.example.org/"
from = "Jo Kim <jo@news.example.org>"
"""


def settings(tmp_path, text):
    path = tmp_path / "newsletter.toml"
    path.write_text(text, "utf-8")
    return load_settings(path)


def test_what_is_left_out_has_a_default(tmp_path):
    found = settings(tmp_path, GOOD)
    assert found.publication.url == "https://news.example.org"
    assert found.public_url == "https://news.example.org"
    assert (found.send.provider, found.theme.width, found.publication.language) == ("outbox", 640, "en")
    assert found.list_name("main") == "N"


def test_an_international_address_is_written_in_ascii(tmp_path):
    found = settings(tmp_path, GOOD.replace("news.example.org/", "bücher.example/straße"))
    assert found.publication.url.startswith("https://xn--bcher-kva.example/")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            GOOD.replace("name =", "nmae ="),
            ["newsletter.toml:4: unknown key `publication.nmae`", "did you mean `name`?"],
        ),
        (GOOD.replace("name =", "nmae ="), ["`publication.name` is missing"]),
        (GOOD + "[theme]\nbrand = 'green'\n", ["newsletter.toml:8: `theme.brand`"]),
        (GOOD + "[sned]\n", ["unknown key `sned`", "did you mean `send`?"]),
        (GOOD.replace("https://", "ftp://"), ["newsletter.toml:5", "must be a web address"]),
        (GOOD.replace("Jo Kim <jo@news.example.org>", "Jo"), ["newsletter.toml:6", "must be one address"]),
        (GOOD + "x = = 1\n", ["newsletter.toml:7:", "is not TOML"]),
        (GOOD + "[subscribers.fields]\ncity = { type = 'number' }\n", ["newsletter.toml:8", "subscribers.fields.city"]),
    ],
)
def test_faults_are_said_with_file_line_and_hint(tmp_path, text, said):
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, text)
    for part in said:
        assert part in str(caught.value)


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match="newsletter init"):
        load_settings(tmp_path / "newsletter.toml")


def test_secrets_come_from_the_environment(monkeypatch):
    assert secret_variable("smtp", "password") == "NEWSLETTER_SMTP_PASSWORD"
    assert secret("smtp", "password") is None
    monkeypatch.setenv("NEWSLETTER_SMTP_PASSWORD", "s3cret")
    assert secret("smtp", "password") == "s3cret"
