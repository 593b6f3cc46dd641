"""Public ids."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import new_id, read_id, show_id


@given(st.uuids())
def test_an_id_survives_the_way_out_and_back(identifier: UUID):
    assert read_id("ctr", show_id("ctr", identifier)) == identifier


def test_ids_sort_by_the_time_they_were_made():
    made = [new_id() for _ in range(3)]
    assert made[0].version == 7
    assert [identifier.int >> 80 for identifier in made] == sorted(identifier.int >> 80 for identifier in made)


@pytest.mark.parametrize("text", ["", "ctr_", "run_" + "0" * 26, "ctr_" + "8" * 26, "ctr_" + "U" * 26, "x" * 5000])
def test_what_is_not_such_an_id_does_not_exist(text: str):
    with pytest.raises(NotFound):
        read_id("ctr", text)
