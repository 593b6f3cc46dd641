"""pgvector's column type, for the table definitions of every room that stores embeddings."""

from sqlalchemy.types import UserDefinedType


class HalfVector(UserDefinedType[str]):
    """pgvector's `halfvec(n)`: n numbers of 16 bits. Values travel as text, "[0.1,0.2]"."""

    cache_ok = True

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def get_col_spec(self, **_: object) -> str:
        """The type's name in SQL."""
        return f"halfvec({self.dimensions})"
