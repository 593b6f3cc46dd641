"""Which document type a file is, where nobody said."""

_BY_MEDIA_TYPE = {
    "message/rfc822": "thread",
    "application/mbox": "thread",
    "application/vnd.ms-outlook": "thread",
    "text/csv": "table",
    "text/tab-separated-values": "table",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "table",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "article",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "article",
    "application/pdf": "article",
    "application/xhtml+xml": "article",
    "text/html": "article",
    "text/markdown": "article",
}
_BY_ENDING = {
    "eml": "thread",
    "mbox": "thread",
    "msg": "thread",
    "csv": "table",
    "tsv": "table",
    "xlsx": "table",
    "md": "article",
    "markdown": "article",
    "rst": "article",
    "adoc": "article",
    "html": "article",
    "htm": "article",
}


def document_type_of(media_type: str, name: str) -> str:
    """`thread`, `table`, `article` or `text`: by the detected media type, then by the name's ending.

    Never `contract`: that a text is one is not told by its type; who knows it says so.
    """
    known = _BY_MEDIA_TYPE.get(media_type.partition(";")[0].strip().lower())
    return known or _BY_ENDING.get(name.rpartition(".")[2].lower(), "text")
