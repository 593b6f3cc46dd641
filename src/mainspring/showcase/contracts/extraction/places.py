"""The jurisdictions whose law a contract may choose, by every name that we read.

The canonical name is the plain English one: "Delaware", "England and Wales", "Ontario, Canada",
"China". A nation that is named beside its own state or province adds nothing and is passed over.
"""

import re

_US_STATES = (
    "Alabama Alaska Arizona Arkansas California Colorado Connecticut Delaware Florida Georgia Hawaii Idaho "
    "Illinois Indiana Iowa Kansas Kentucky Louisiana Maine Maryland Massachusetts Michigan Minnesota "
    "Mississippi Missouri Montana Nebraska Nevada New_Hampshire New_Jersey New_Mexico New_York North_Carolina "
    "North_Dakota Ohio Oklahoma Oregon Pennsylvania Rhode_Island South_Carolina South_Dakota Tennessee Texas "
    "Utah Vermont Virginia Washington West_Virginia Wisconsin Wyoming Puerto_Rico Guam"
)
_PROVINCES = {
    "Canada": "Alberta British_Columbia Manitoba New_Brunswick Newfoundland_and_Labrador Nova_Scotia Ontario "
    "Prince_Edward_Island Quebec Saskatchewan Yukon",
    "Australia": "New_South_Wales Queensland South_Australia Tasmania Victoria Western_Australia",
}
_COUNTRIES = (
    "Albania Algeria Andorra Anguilla Argentina Armenia Aruba Azerbaijan Bahrain Bangladesh Belarus Belize Bolivia "
    "Brunei Cambodia Cuba Curacao Dominican_Republic El_Salvador Ethiopia Ghana Guatemala Honduras Iran Iraq Jordan "
    "Kazakhstan Lebanon Libya Moldova Mongolia Montenegro Myanmar Nepal Nicaragua North_Macedonia Paraguay Samoa "
    "San_Marino Seychelles Sri_Lanka Tanzania Trinidad_and_Tobago Turks_and_Caicos_Islands Uganda Uzbekistan Vanuatu "
    "Zambia Zimbabwe Australia Austria Bahamas Barbados Belgium Bermuda Brazil Bulgaria Canada Chile Colombia "
    "Costa_Rica Croatia Cyprus Denmark Ecuador Egypt England_and_Wales England Estonia Finland France Germany "
    "Gibraltar Greece Guernsey Hungary Iceland India Indonesia Ireland Israel Italy Jamaica Japan Jersey Kenya "
    "Kuwait Latvia Liechtenstein Lithuania Luxembourg Malaysia Malta Mauritius Mexico Monaco Morocco "
    "New_Zealand Nigeria Northern_Ireland Norway Oman Pakistan Panama Peru Philippines Poland Portugal Qatar "
    "Romania Russia Saudi_Arabia Scotland Serbia Singapore Slovakia Slovenia South_Africa South_Korea Spain "
    "Sweden Switzerland Taiwan Thailand Tunisia Turkey Ukraine Uruguay Venezuela Vietnam Wales"
)
_ALIASES = {
    "England and Wales": "England & Wales|England|English|Wales and England|England, Wales",
    "United Kingdom": "United Kingdom|Great Britain|U.K.|UK|British",
    "United States": "United States of America|United States|U.S.A.|USA|U.S.",
    "China": "People's Republic of China|Peoples' Republic of China|Peoples Republic of China|P.R.C.|PRC"
    "|P.R. China|P. R. China|PR China|Mainland China|China|Chinese",
    "Hong Kong": "Hong Kong Special Administrative Region|Hong Kong SAR|Hong Kong",
    "Macau": "Macau|Macao",
    "Taiwan": "Republic of China|R.O.C.|Taiwan",
    "South Korea": "Republic of Korea|South Korea|Korea|Korean",
    "Netherlands": "The Netherlands|Netherlands|Holland|Dutch",
    "Czech Republic": "Czech Republic|Czechia|Czech",
    "Germany": "Federal Republic of Germany|Germany|German",
    "Switzerland": "Swiss Confederation|Switzerland|Swiss",
    "United Arab Emirates": "United Arab Emirates|UAE|U.A.E.|Emirate of Dubai|Dubai",
    "Cayman Islands": "Cayman Islands",
    "British Virgin Islands": "British Virgin Islands|BVI",
    "Marshall Islands": "Marshall Islands",
    "Channel Islands": "Channel Islands",
    "Isle of Man": "Isle of Man",
    "Russia": "Russian Federation|Russia|Russian",
    "District of Columbia": "District of Columbia|Washington, D.C.|Washington D.C.|Washington, DC",
    "France": "French", "Spain": "Spanish", "Italy": "Italian", "Japan": "Japanese", "Ireland": "Irish",
    "Israel": "Israeli", "Sweden": "Swedish", "Norway": "Norwegian", "Denmark": "Danish",
    "Finland": "Finnish", "Belgium": "Belgian", "Austria": "Austrian", "Scotland": "Scots|Scottish",
    "Canada": "Canadian", "Australia": "Australian", "India": "Indian", "Brazil": "Brazilian",
    "Mexico": "Mexican", "Poland": "Polish", "Portugal": "Portuguese", "Greece": "Greek",
    "Bermuda": "Bermudian", "Luxembourg": "Luxembourgish", "Turkey": "Turkish|Türkiye",
}  # fmt: skip


def _canonical_names() -> dict[str, str]:
    names = {state.replace("_", " "): state.replace("_", " ") for state in _US_STATES.split()}
    for nation, provinces in _PROVINCES.items():
        names |= {
            province.replace("_", " "): f"{province.replace('_', ' ')}, {nation}" for province in provinces.split()
        }
    names |= {country.replace("_", " "): country.replace("_", " ") for country in _COUNTRIES.split()}
    for canonical, aliases in _ALIASES.items():
        names |= dict.fromkeys(aliases.split("|"), canonical)
    return names | {"Québec": "Quebec, Canada", "Quebec": "Quebec, Canada"}


_CANONICAL = {re.sub(r"[. ]+", " ", name).strip().lower(): canonical for name, canonical in _canonical_names().items()}
_NATIONS = {"United States", "Canada", "Australia", "United Kingdom"}

PLACE = (
    r"(?:"
    + "|".join(re.escape(name).replace(r"\ ", " ") for name in sorted(_canonical_names(), key=len, reverse=True))
    + r")"
)
"""A pattern (no groups, blanks to be widened) for the name of a jurisdiction."""


def canonical_place(written: str, *, is_country: bool = False) -> str:
    """The canonical name of a matched place; `is_country` settles Georgia. KeyError when unknown."""
    name = _CANONICAL[re.sub(r"[. ]+", " ", written).strip().lower()]
    return "Georgia (country)" if name == "Georgia" and is_country else name


def is_nation_of_states(name: str) -> bool:
    """Whether the law that governs is usually that of a part of this nation."""
    return name in _NATIONS
