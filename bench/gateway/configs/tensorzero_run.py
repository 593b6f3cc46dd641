"""Run by the peers' own interpreter: start the gateway that the tensorzero wheel carries; its URL goes to a file.

python tensorzero_run.py CONFIG URL_FILE
"""

import signal
import sys
from pathlib import Path

from tensorzero import _start_http_gateway  # pyright: ignore

gateway = _start_http_gateway(  # pyright: ignore
    config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False
)
Path(sys.argv[2]).write_text(gateway.base_url)  # pyright: ignore
signal.pause()
