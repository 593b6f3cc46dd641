"""Finding products: every installed package that names one under the entry-point group `mainspring.products`.

[project.entry-points."mainspring.products"]
letters = "letters:product"
"""

from importlib.metadata import EntryPoint, entry_points

from .errors import ProductInvalid
from .product import Product

GROUP = "mainspring.products"


def find_products(only: frozenset[str] | None = None) -> tuple[Product, ...]:
    """The installed products in order of name; `only` limits them to these names.

    raises   ProductInvalid naming the package whose product cannot be imported, or is none, or is there twice
    """
    found: dict[str, Product] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        if only is not None and point.name not in only:
            continue
        product = _load(point)
        if product.name in found:
            raise ProductInvalid(f"Two installed packages bring a product named {product.name}; uninstall one.")
        found[product.name] = product
    missing = (only or frozenset()) - {point.name for point in entry_points(group=GROUP)}
    if missing:
        raise ProductInvalid(f"No installed package brings the product {', '.join(sorted(missing))}.")
    return tuple(found.values())


def _load(point: EntryPoint) -> Product:
    try:
        product = point.load()
    except Exception as failure:
        package = point.dist.name if point.dist else point.value
        raise ProductInvalid(
            f"The product {point.name} of the package {package} cannot be imported from {point.value}: "
            f"{type(failure).__name__}: {failure}. Mend the package, or uninstall it."
        ) from failure
    if not isinstance(product, Product):
        raise ProductInvalid(f"{point.value} is a {type(product).__name__}; a product's entry point names a `Product`.")
    return product
