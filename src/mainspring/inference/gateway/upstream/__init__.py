"""The way to providers: pooled raw HTTP/1.1 connections, with TLS and proxies."""

from .connection import Connection, UpstreamGone
from .origins import make_origin
from .pool import Origin, Pool, Upstreams

__all__ = ["Connection", "Origin", "Pool", "UpstreamGone", "Upstreams", "make_origin"]
