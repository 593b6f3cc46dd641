"""Prices: the same as the data's own arithmetic, whole micro-units, rounded once."""

import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP
from pathlib import Path

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price
from hypothesis import given, settings
from hypothesis import strategies as st

from mainspring.foundation.errors import InvalidInput
from mainspring.inference.gateway.models import FREE, PriceBook, PriceTag, price_tag
from mainspring.inference.gateway.models.compile_prices import compile_prices
from mainspring.inference.gateway.policy import Price
from mainspring.inference.messages import Usage

ON = date(2026, 11, 22)
MODELS = [
    ("openai", "gpt-5-mini-2025-08-07"),
    ("openai", "gpt-6.1-sol"),
    ("anthropic", "claude-sonnet-4-5-20250929"),
    ("anthropic", "claude-haiku-5-5"),
    ("google", "gemini-3.1-pro-preview"),
    ("google", "gemini-3.8-flash"),
    ("aws", "eu.anthropic.claude-sonnet-5-5"),
    ("azure", "gpt-5.6-terra"),
    ("mistral", "mistral-large-2512"),
    ("groq", "llama-3.3-70b-versatile"),
]


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return PriceBook.open()


def tag_of(book: PriceBook, vendor: str, model: str, on: date = ON) -> PriceTag:
    tag = book.tag(vendor, model, on)
    assert tag is not None, f"{vendor}/{model} has no price"
    return tag


def test_the_shipped_table_is_what_the_installed_price_data_compiles_to() -> None:
    shipped = Path(sys.modules[PriceBook.__module__].__file__ or "").with_name("prices.json")
    assert shipped.read_bytes() == compile_prices(), "run python -m mainspring.inference.gateway.models.compile_prices"


@settings(max_examples=300)
@given(
    model=st.sampled_from(MODELS),
    plain=st.integers(0, 400_000),
    cached=st.integers(0, 400_000),
    written=st.integers(0, 50_000),
    output=st.integers(0, 100_000),
    reasoning=st.integers(0, 50_000),
)
def test_a_cost_is_what_the_price_data_itself_says_rounded_half_up_once(
    model: tuple[str, str], plain: int, cached: int, written: int, output: int, reasoning: int
) -> None:
    vendor, name = model
    theirs = calc_price(
        TheirUsage(
            input_tokens=plain + cached + written,
            cache_read_tokens=cached,
            cache_write_tokens=written,
            output_tokens=output + reasoning,
        ),
        name,
        provider_id=vendor,
        genai_request_timestamp=datetime(2026, 11, 22, 12, tzinfo=UTC),
    )
    ours = tag_of(PriceBook.open(), vendor, name).cost(
        Usage(plain + cached + written, output + reasoning, cached, written, reasoning)
    )
    assert ours == int((theirs.total_price * 1_000_000).to_integral_value(ROUND_HALF_UP))


@given(
    model=st.sampled_from(MODELS),
    usage=st.tuples(st.integers(0, 600_000), st.integers(0, 100_000), st.floats(0, 1), st.floats(0, 1)),
    more=st.integers(0, 10_000),
)
def test_no_call_costs_more_than_its_estimate(
    model: tuple[str, str], usage: tuple[int, int, float, float], more: int
) -> None:
    tag = tag_of(PriceBook.open(), *model)
    given_tokens, output, cached_share, reasoning_share = usage
    cached = int(given_tokens * cached_share)
    used = Usage(given_tokens, output, cached, given_tokens - cached, int(output * reasoning_share))
    assert tag.cost(used) <= tag.estimate(given_tokens, output + more)


def test_half_a_micro_unit_is_rounded_up_and_less_is_not() -> None:
    tag = price_tag("tenant", Price(input_micros=500_000, output_micros=499_999))
    assert tag.cost(Usage(input_tokens=1)) == 1
    assert tag.cost(Usage(output_tokens=1)) == 0
    assert tag.cost(Usage(input_tokens=1, output_tokens=1)) == 1, "rounded once for the call, not for each kind"


def test_a_price_that_changes_on_a_day_holds_from_that_day_on(book: PriceBook) -> None:
    used = Usage(input_tokens=1_000_000)
    assert tag_of(book, "google", "gemini-3.8-flash", date(2026, 12, 31)).cost(used) == 750_000
    assert tag_of(book, "google", "gemini-3.8-flash", date(2027, 1, 1)).cost(used) == 1_500_000


def test_a_long_input_is_billed_whole_at_the_rate_of_its_length(book: PriceBook) -> None:
    tag = tag_of(book, "openai", "gpt-6.1-sol")
    assert tag.cost(Usage(input_tokens=272_000)) == 544_000
    assert tag.cost(Usage(input_tokens=272_001)) == 1_088_004


def test_a_batch_costs_what_the_vendor_says_and_an_unknown_variant_the_standard_price(book: PriceBook) -> None:
    tag = tag_of(book, "openai", "gpt-5-mini")
    used = Usage(input_tokens=1_000_000, output_tokens=1_000_000)
    assert tag.cost(used) == 2_250_000
    assert tag.cost(used, variant="batch") == 1_125_000
    assert tag.cost(used, variant="sunday") == 2_250_000


def test_a_price_by_the_hour_follows_the_clock_and_is_estimated_at_its_dearest(book: PriceBook) -> None:
    tag = tag_of(book, "deepseek", "deepseek-chat", date(2025, 5, 1))
    used = Usage(input_tokens=1_000_000)
    day = datetime(2025, 5, 1, 12, tzinfo=UTC)
    costs = {tag.cost(used, at=day), tag.cost(used, at=day.replace(hour=20))}
    assert costs == {270_000, 135_000}
    assert tag.estimate(1_000_000, 0) == 270_000


def test_a_regional_profile_has_the_price_of_its_region(book: PriceBook) -> None:
    used = Usage(input_tokens=1_000_000)
    anywhere = tag_of(book, "aws", "global.anthropic.claude-sonnet-5-5").cost(used)
    in_europe = tag_of(book, "aws", "eu.anthropic.claude-sonnet-5-5").cost(used)
    assert (anywhere, in_europe) == (2_000_000, 2_200_000)


def test_what_the_data_does_not_know_has_no_price(book: PriceBook) -> None:
    assert book.tag("openai", "a-model-of-tomorrow", ON) is None
    assert book.tag("nobody", "gpt-5-mini", ON) is None


def test_local_models_are_free_and_say_so() -> None:
    assert FREE.cost(Usage(10_000, 10_000)) == 0
    assert FREE.version == "local"


def test_a_cached_price_that_is_not_given_is_that_of_input() -> None:
    tag = price_tag("tenant", Price(input_micros=2_000_000, output_micros=0))
    assert tag.cost(Usage(input_tokens=1_000_000, cached_tokens=400_000)) == 2_000_000
    tag = price_tag("tenant", Price(input_micros=2_000_000, output_micros=0, cached_input_micros=0))
    assert tag.cost(Usage(input_tokens=1_000_000, cached_tokens=400_000)) == 1_200_000


def test_a_table_that_cannot_be_read_says_how_to_make_one(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    with pytest.raises(InvalidInput, match=r"prices\.json.*compile_prices"):
        PriceBook.open(path)
    path.write_text('{"version": 3}')
    with pytest.raises(InvalidInput, match="Expected `str`, got `int`"):
        PriceBook.open(path)


_WEIGH = """
import resource, time
from datetime import date
import mainspring.inference.gateway.policy, mainspring.inference.messages
before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
from mainspring.inference.gateway.models.prices import PriceBook
assert PriceBook.open().tag("openai", "gpt-5-mini", date(2026, 11, 22)) is not None
spent = time.process_time() - started
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, spent * 1000)
import sys
assert "genai_prices" not in sys.modules
"""


def test_prices_cost_a_process_under_5_megabytes_and_50_milliseconds() -> None:
    output = subprocess.run([sys.executable, "-c", _WEIGH], check=True, capture_output=True, text=True).stdout
    kilobytes, milliseconds = map(float, output.split())
    assert kilobytes < 5 * 1024
    assert milliseconds < 50
