"""Settings say what is set, from where, and never show a secret."""

from pathlib import Path

import pytest

from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.settings import describe, load_settings


@pytest.fixture(autouse=True)
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "mainspring.toml"
    path.touch()
    monkeypatch.setenv("MAINSPRING_CONFIG", str(path))
    return path


def test_the_environment_wins_over_the_file_and_the_file_over_defaults(own_file: Path, monkeypatch: pytest.MonkeyPatch):
    own_file.write_text("port = 9001\nlease_seconds = 3.0\n")
    monkeypatch.setenv("MAINSPRING_PORT", "9002")
    settings = load_settings()
    facts = {fact.name: fact for fact in describe(settings)}
    assert (settings.port, facts["port"].source) == (9002, "env MAINSPRING_PORT")
    assert (settings.lease_seconds, facts["lease_seconds"].source) == (3.0, str(own_file))
    assert facts["host"].source == "default"


def test_a_secret_is_shown_as_dots_and_kept_out_of_every_repr(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    settings = load_settings()
    assert "sk-very-secret" not in repr(settings) + repr(describe(settings))
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "sk-very-secret"


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("port = 99999", "port"),
        ("log_level = 'loud'", "log_level"),
        ("prot = 1", "prot"),
        ("worker_concurrency = 0", "worker_concurrency"),
    ],
)
def test_a_bad_setting_is_named_with_the_place_to_mend_it(own_file: Path, line: str, named: str):
    own_file.write_text(line)
    with pytest.raises(InvalidInput, match=rf"{named}.*MAINSPRING_<NAME>"):
        load_settings()
