"""The way to providers: pooled raw HTTP/1.1 connections, with TLS and proxies."""

from .connection import Connection, UpstreamGone
from .exchange import Exchange
from .origins import make_origin
from .pool import Limits, Origin, Pool, Upstreams
from .proxies import Proxy

__all__ = ["Connection", "Exchange", "Limits", "Origin", "Pool", "Proxy", "UpstreamGone", "Upstreams", "make_origin"]
