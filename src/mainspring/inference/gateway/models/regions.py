"""Where in the world a region lies: from a cloud's own name up to country and union.

A region is inside a place when the place is among its parents. What is not in the table lies
nowhere, so it meets no residency: a new region is added here or in the operator's file, never
guessed from its name (`eu-west-2` is London, `europe-west6` Zurich: neither is in the EU).
Source: the providers' region lists as of November 2026.
"""

from collections.abc import Mapping

_COUNTRIES = """
at eu: europe-west5 austriaeast
be eu: europe-west1 belgiumcentral
de eu: eu-central-1 europe-west3 europe-west10 germanywestcentral germanynorth eusc-de-east-1
dk eu: denmarkeast
es eu: eu-south-2 europe-southwest1 spaincentral
fi eu: europe-north1
fr eu: eu-west-3 europe-west9 francecentral francesouth
ie eu: eu-west-1 northeurope
it eu: eu-south-1 europe-west8 europe-west12 italynorth
nl eu: europe-west4 westeurope
pl eu: europe-central2 polandcentral
se eu: eu-north-1 europe-north2 swedencentral swedensouth
bg cy cz ee gr hr hu lt lu lv mt pt ro si sk eu:
no eea: norwayeast norwaywest
is li eea:
ch europe: eu-central-2 europe-west6 switzerlandnorth switzerlandwest
uk europe: eu-west-2 europe-west2 uksouth ukwest
us: us-east-1 us-east-2 us-west-1 us-west-2 us-gov-east-1 us-gov-west-1
us: us-central1 us-east1 us-east4 us-east5 us-south1 us-west1 us-west2 us-west3 us-west4
us: eastus eastus2 centralus northcentralus southcentralus westcentralus westus westus2 westus3
ca: ca-central-1 ca-west-1 northamerica-northeast1 northamerica-northeast2 canadacentral canadaeast
br: sa-east-1 southamerica-east1 brazilsouth brazilsoutheast
jp apac: ap-northeast-1 ap-northeast-3 asia-northeast1 asia-northeast2 japaneast japanwest
kr apac: ap-northeast-2 asia-northeast3 koreacentral koreasouth
sg apac: ap-southeast-1 asia-southeast1 southeastasia
au apac: ap-southeast-2 ap-southeast-4 australia-southeast1 australia-southeast2 australiaeast australiasoutheast
in apac: ap-south-1 ap-south-2 asia-south1 asia-south2 centralindia southindia westindia
"""
_UNIONS = {"eu": "eea", "eea": "europe"}


def _parents() -> dict[str, str]:
    parents = dict(_UNIONS)
    for line in _COUNTRIES.strip().splitlines():
        places, _, regions = line.partition(":")
        names = places.split()
        countries, union = (names[:-1], names[-1]) if len(names) > 1 else (names, None)
        if union is not None:
            parents |= dict.fromkeys(countries, union)
        parents |= dict.fromkeys(regions.split(), countries[0])
    return parents


PARENTS: Mapping[str, str] = _parents()
"""Region or country -> the next larger place that holds it."""


def places_of(region: str | None, more: Mapping[str, str]) -> frozenset[str]:
    """The region itself and every place that holds it; empty when it is unknown.

    more   region -> place, as the operator declared them, such as `cellar -> de`
    """
    if region is None:
        return frozenset()
    name: str | None = region.lower()
    found: list[str] = []
    while name is not None and name not in found:
        found.append(name)
        name = more.get(name) or PARENTS.get(name)
    return frozenset(found)
