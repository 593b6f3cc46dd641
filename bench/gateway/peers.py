"""The peers from the package index, in a virtual environment of their own under `.bench`, pinned by `peers.lock`."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

_LOCK = Path(__file__).with_name("peers.lock")


def install_peers(home: Path, announce: Callable[[str], None]) -> Path | None:
    """The interpreter that has them; None when they cannot be installed, which `peers.log` explains.

    Installed once, and again when the lock has changed: about 130 packages, two minutes.
    """
    home.mkdir(exist_ok=True)
    (home / ".gitignore").write_text("*\n")
    folder, stamp, wanted = home / "peers", home / "peers.stamp", hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    interpreter = folder / "bin/python"
    if stamp.exists() and stamp.read_text() == wanted:
        return interpreter
    announce("Installing TensorZero and the LiteLLM proxy into .bench/peers (once) ...")
    shutil.rmtree(folder, ignore_errors=True)
    install = (str(interpreter), "-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "-r", str(_LOCK))
    with (home / "peers.log").open("wb") as log:
        for command in ((sys.executable, "-m", "venv", str(folder)), install):
            if subprocess.run(command, stdout=log, stderr=log, check=False).returncode:
                return None
    stamp.write_text(wanted)
    return interpreter
