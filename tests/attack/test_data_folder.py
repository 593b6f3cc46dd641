"""Whoever shares the machine reads nothing of the data folder."""

import stat

from tests.attack.conftest import Target


def test_the_data_folder_and_what_is_in_it_are_the_owners_alone(target: Target):
    home = target.stack.settings.data_dir
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for folder in ("logs", "objects", "postgres", "valkey", "spool"):
        assert stat.S_IMODE((home / folder).stat().st_mode) == 0o700, folder
    assert stat.S_IMODE((home / "engines.json").stat().st_mode) == 0o600
