"""The examples of docs/howto/use-langgraph-sdk.md run as they stand there."""

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from .serve import Served

PAGE = Path(__file__).parents[4] / "docs" / "howto" / "use-langgraph-sdk.md"


async def test_the_examples_run(served: Served, capsys: pytest.CaptureFixture[str]):
    text = PAGE.read_text(encoding="utf-8")
    text = text.replace("http://127.0.0.1:8710/v1/agents", served.url).replace("ms_...", await served.key())
    known: dict[str, Any] = {}
    for example in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        code = compile(example, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        result = eval(code, known)
        if inspect.isawaitable(result):
            await result
    await known["client"].aclose()
    told = capsys.readouterr().out
    assert "asks: May I go on?" in told
    assert "Hello, world!" in told
    assert "['streamed', 'tool', 'asked', 'sub']" in told
