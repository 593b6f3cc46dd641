"""pgvector's column types, for the table definitions of every room that stores embeddings."""

from sqlalchemy.types import UserDefinedType


class HalfVector(UserDefinedType[str]):
    """pgvector's `halfvec(n)`, or `halfvec` of any size: numbers of 16 bits. Values travel as text, "[0.1,0.2]"."""

    cache_ok = True

    def __init__(self, dimensions: int | None = None) -> None:
        self.dimensions = dimensions

    def get_col_spec(self, **_: object) -> str:
        """The type's name in SQL."""
        return f"halfvec({self.dimensions})" if self.dimensions else "halfvec"


class SparseVector(UserDefinedType[str]):
    """pgvector's `sparsevec`: the entries that are not zero. Values travel as text, "{1:0.5,7:2}/1000"."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The type's name in SQL."""
        return "sparsevec"
