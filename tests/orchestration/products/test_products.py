"""Products: found by entry point, merged, refused with a word on what to change."""

from importlib.metadata import EntryPoint, EntryPoints

import httpx
import pytest

from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.orchestration.knowledge import Concept
from mainspring.orchestration.pipelines import Pipeline
from mainspring.orchestration.products import (
    Brought,
    DeclaredFlags,
    JoinedConcepts,
    Product,
    ProductInvalid,
    find_products,
    merge,
)
from mainspring.orchestration.products.routes import READ, build_router
from tests.orchestration.pipelines.test_routes import Doorman, key


def _product(name: str, *pipelines: Pipeline) -> Product:
    return Product(name, title=name.title(), build=lambda services: Brought(pipelines=pipelines))


letters = _product("letters")
no_product = "a text"


def _install(monkeypatch: pytest.MonkeyPatch, **named: str) -> None:
    points = EntryPoints(EntryPoint(name, value, "mainspring.products") for name, value in named.items())

    def installed(*, group: str) -> EntryPoints:
        return points.select(group=group)

    monkeypatch.setattr("mainspring.orchestration.products.discovery.entry_points", installed)


def test_contract_intelligence_is_found_as_any_installed_product_is():
    assert [product.name for product in find_products(frozenset({"contracts"}))] == ["contracts"]


def test_a_product_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch):
    _install(monkeypatch, letters=f"{__name__}:letters")
    assert find_products() == (letters,)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("nowhere.at.all:product", "cannot be imported from nowhere.at.all:product: ModuleNotFoundError"),
        (f"{__name__}:absent", "cannot be imported"),
        (f"{__name__}:no_product", "is a str; a product's entry point names a `Product`"),
    ],
)
def test_a_package_that_brings_no_product_is_named(monkeypatch: pytest.MonkeyPatch, value: str, said: str):
    _install(monkeypatch, letters=value)
    with pytest.raises(ProductInvalid, match=said):
        find_products()


def test_two_packages_cannot_bring_one_product(monkeypatch: pytest.MonkeyPatch):
    _install(monkeypatch, one=f"{__name__}:letters", two=f"{__name__}:letters")
    with pytest.raises(ProductInvalid, match="uninstall one"):
        find_products()


def test_a_product_that_is_not_installed_is_asked_for_in_vain():
    with pytest.raises(ProductInvalid, match="brings the product nothing_like_it"):
        find_products(frozenset({"nothing_like_it"}))


def test_a_name_is_snake_case():
    with pytest.raises(ProductInvalid, match="snake_case"):
        _product("Not A Name")


def test_two_products_cannot_bring_the_same_version_of_a_pipeline():
    both = [
        (_product(name), Brought(pipelines=(Pipeline("letters.write", version=1),))) for name in ("letters", "mail")
    ]
    with pytest.raises(ProductInvalid, match=r"letters and mail both bring version 1 of the pipeline letters\.write"):
        merge(both)


def test_one_product_may_bring_two_versions_for_runs_that_are_under_way():
    one, two = Pipeline("letters.write", version=1), Pipeline("letters.write", version=2)
    assert merge([(_product("letters"), Brought(pipelines=(two, one)))]).pipelines == (two, one)


class _Says:
    def __init__(self, *concepts: Concept) -> None:
        self._concepts = concepts

    async def named_in(self, tenant: object, question: str) -> tuple[Concept, ...]:
        return self._concepts


async def test_what_a_question_means_is_asked_of_every_product_and_the_surest_comes_first(tenant: object):
    products = [
        Product("one", title="One", build=lambda services: Brought(), concepts=_Says(Concept("weak", 0.5))),
        Product("two", title="Two", build=lambda services: Brought(), concepts=_Says(Concept("sure", 1.0))),
        _product("three"),
    ]
    found = await JoinedConcepts(products).named_in(tenant, "?")  # pyright: ignore[reportArgumentType]
    assert [concept.label for concept in found] == ["sure", "weak"]


async def test_a_flag_has_the_value_that_its_product_declares_and_others_are_off():
    flags = DeclaredFlags([Product("one", title="One", build=lambda services: Brought(), flags={"new_editor": True})])
    anybody = Principal(TenantId(new_id()), PrincipalKind.SYSTEM, "Anybody", frozenset())
    assert await flags.is_on(anybody.tenant, "new_editor", anybody)
    assert not await flags.is_on(anybody.tenant, "old_editor", anybody)


async def test_a_caller_is_told_which_products_are_installed_and_what_each_brings(tenant: TenantId):
    (contracts,) = find_products(frozenset({"contracts"}))
    two, one = Pipeline("tests.letters", version=2), Pipeline("tests.letters", version=1)
    app = create_app(Doorman(), title="Test", version="0")
    app.include_router(build_router([(contracts, Brought(pipelines=(two, one)))]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        (told,) = (await client.get("/v1/products", headers=key(tenant, READ))).json()["items"]
        assert (await client.get("/v1/products", headers=key(tenant, "other"))).status_code == 403
    assert (told["name"], told["title"]) == ("contracts", "Contract intelligence")
    assert told["pipelines"] == [{"name": "tests.letters", "versions": [1, 2]}]
    assert told["prompts"] == ["ask.v1", "classify.v1", "speak.v1", "summarize.v1"]
    assert told["playbooks"] == ["buyer", "vendor"]
