"""The main language, by how often the commonest words of each occur. A guess, good from some 30 words up."""

import re

_PROFILES = {
    "en": "the of and to in or any this shall by for be with that is not such as which may on are from an will",
    "de": "der die und das den von zu mit des ist nicht oder im dem ein eine für auf werden als nach durch bei wird",
    "fr": "le la les des et de du en une un à par pour dans est sur au que qui aux ou ce cette son ses",
    "es": "el la los las de y del en que por para con una un se al o su como es no lo sus entre este",
    "it": "il la di e del che della in per un una con dei le gli al si non nel o da è alla sono delle",
    "nl": "de het een van en in te dat is op voor met zijn aan door bij of niet worden deze die om tot als wordt",
    "pt": "o a de e do da em que os as para com um uma por no na dos das ao se não ou pela pelo",
}
_WORDS = {language: frozenset(words.split()) for language, words in _PROFILES.items()}
_TOKEN = re.compile(r"[^\W\d_]+")
_SAMPLE = 40_000
_LEAST_WORDS = 12
_LEAST_SHARE = 0.12
_LEAST_LEAD = 1.1


def guess_language(text: str) -> str:
    """ISO 639-1 code of one of seven languages; "und" for others, mixtures and very short texts."""
    words = _TOKEN.findall(text[:_SAMPLE].lower())
    if len(words) < _LEAST_WORDS:
        return "und"
    shares = {language: sum(word in profile for word in words) / len(words) for language, profile in _WORDS.items()}
    best, second = sorted(shares, key=shares.__getitem__, reverse=True)[:2]
    return best if shares[best] >= _LEAST_SHARE and shares[best] >= _LEAST_LEAD * shares[second] else "und"
