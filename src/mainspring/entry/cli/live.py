"""A run's events on a terminal: each step as it starts and ends, progress, findings, and words as they come."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape

from mainspring.entry.client import Event

_COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}
_BAR = 24
_VOICES = {
    "summary": ("Summary, every sentence checked against the text", "default"),
    "model_text": ("The local model's own words, unverified", "dim italic"),
}


@dataclass(slots=True)
class LiveView:
    """Prints events in order; `status` is the run's end once it has come."""

    screen: Console
    status: str = "running"
    error: str = ""
    _voice: str = ""
    _titles: dict[str, str] = field(default_factory=dict[str, str])

    def follow(self, events: Iterable[Event]) -> str:
        """Print until the run ends; returns its status."""
        for event in events:
            self.show(event)
        return self.status

    def show(self, event: Event) -> None:
        """Print one event."""
        text = escape(str(event.data.get("text", "")))
        match event.type:
            case "message.delta":
                self._speak(event)
            case "step.started":
                self._line(f"[bold]▸[/] {text}")
            case "step.progress":
                self._progress(text, event)
            case "step.finished":
                self._line(f"  [green]✓[/] {text}")
            case "step.suspended":
                self._line(f"  [cyan]⏸[/] {_awaited(event, text)}")
            case "run.compensating":
                self._line(f"[bold yellow]↩[/] {text}")
            case "step.retrying" | "step.failed":
                self._line(f"  [yellow]![/] {text}")
            case "finding.added":
                severity = str(event.data.get("severity", ""))
                title = escape(str(event.data.get("title", text)))
                self._line(f"    [{_COLOURS.get(severity, 'default')}]{severity:>8}[/]  {title}")
            case "run.finished":
                self.status = str(event.data.get("status", ""))
                error = event.data.get("error")
                self.error = str(error.get("detail", "")) if isinstance(error, dict) else ""
                self._line(f"[bold]{text}[/]")
            case _:
                return

    def _speak(self, event: Event) -> None:
        voice = str(event.data.get("message", ""))
        title, style = _VOICES.get(voice, (voice, "default"))
        if voice != self._voice or event.data.get("reset"):
            self._line(f"  [dim]{title}:[/]")
            self.screen.print("  ", end="")
            self._voice = voice
        self.screen.print(escape(str(event.data.get("delta", ""))), end="", style=style, soft_wrap=True)

    def _progress(self, text: str, event: Event) -> None:
        """A bar that the next line overwrites; nothing where there is no terminal to overwrite."""
        done, total = event.data.get("done"), event.data.get("total")
        if not self.screen.is_terminal or not isinstance(done, int) or not isinstance(total, int) or total < 1:
            return
        filled = min(_BAR, done * _BAR // total)
        self.screen.print(f"    [cyan]{'━' * filled}[/][dim]{'━' * (_BAR - filled)}[/] {text}", end="\r")

    def _line(self, text: str) -> None:
        if self._voice:
            self.screen.print()
            self._voice = ""
        if self.screen.is_terminal:
            self.screen.print(" " * (self.screen.width - 1), end="\r")  # clears what is left of a bar
        self.screen.print(text, soft_wrap=True)


def _awaited(event: Event, text: str) -> str:
    """What a step waits for, with the command by which a question is answered."""
    kind, _, approval = str(event.data.get("awaited", "")).partition("signal:approval:")
    return text if kind or not approval else f"{text}: mainspring approvals show {escape(approval)}"
