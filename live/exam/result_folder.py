"""What an exam leaves: its score, a short report, and its frames, marked so that nothing is ever trained on them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aslkit.core.files import write_bytes, write_text
from aslkit.core.workspace import Workspace, make_name
from aslkit.formats.captures import EXAM_PURPOSE, SESSION_FILE, update_session
from aslkit.live.exam.scoring import ExamScore
from aslkit.vision.images import Frame, encode_jpeg

RESULT_FILE: Final = "result.json"
REPORT_FILE: Final = "README.md"


@dataclass(kw_only=True)
class ExamFolder:
    """WORKSPACE/exams/NAME: result.json, README.md, and frames/SIGNER/SESSION/LETTER/*.jpg.

    Args:
        path: of the folder.
        signer: who is examined.
        about: run, source, seed and the like, as the result tells them.
    """

    path: Path
    signer: str
    about: dict[str, Any]
    frames: int = 0

    @classmethod
    def new(cls, workspace: Workspace, *, name: str, signer: str, about: dict[str, Any]) -> "ExamFolder":
        """Name one that is not there yet: of a name that is taken, the next number."""
        exams, number = workspace.exams, 1
        while (exams / make_name(f"{name}-{number}")).exists():
            number += 1
        return cls(path=exams / make_name(f"{name}-{number}"), signer=signer, about=about)

    def _made(self) -> None:
        """Make the folder with the first that goes into it: an exam that could not begin leaves nothing."""
        session = self.session / SESSION_FILE
        if not session.exists():
            session.parent.mkdir(parents=True)
            camera = self.about.get("source", "unknown")
            named = {"signer": self.signer, "session": self.path.name, "camera": camera}
            update_session(session, named | {"purpose": EXAM_PURPOSE})

    @property
    def session(self) -> Path:
        """Where frames go, as captures lie."""
        return self.path / "frames" / self.signer / self.path.name

    def keep(self, frame: Frame, letter: str) -> None:
        """Store a frame, BGR, uint8 (height, width, 3), unmirrored, under the letter that was asked for."""
        self._made()
        (self.session / letter).mkdir(exist_ok=True)
        write_bytes(self.session / letter / f"{self.frames:06d}.jpg", encode_jpeg(frame))
        self.frames += 1

    def finish(self, score: ExamScore) -> dict[str, Any]:
        """Write score and report, and return the score as JSON has it."""
        self._made()
        result = {**self.about, **score.as_json(), "folder": str(self.path), "frames": self.frames}
        write_text(self.path / RESULT_FILE, json.dumps(result, indent=2, ensure_ascii=False) + "\n")
        write_text(self.path / REPORT_FILE, render_report(result))
        return result


def render_report(result: dict[str, Any]) -> str:
    """The report, Markdown."""
    speed, false = result["words_a_minute"], result["false_letters"]
    lines = [
        f"# Exam of {result['run']}",
        "",
        f"**{result['accuracy']:.1%}** of {result['asked']} letters right: {result['signer']}, {result['source']}.",
        "It has learned from this person, so the score flatters." if result.get("known") else "",
        "" if speed is None else f"{speed:.1f} words a minute (five letters a word).",
        _rest(false, result["rest_s"], result["rest_frames"]),
        "",
        "| letter | asked | right | refused | no hand | taken for |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["letters"]:
        taken = " ".join(row["taken_for"])
        lines.append(
            f"| {row['letter']} | {row['asked']} | {row['right']} | {row['refused']} | {row['no_hand']} | {taken} |"
        )
    lines += ["", "The frames are kept to look at, never to train on: `aslkit curate` and `aslkit import` refuse them."]
    return "\n".join(line for line, after in zip(lines, [*lines[1:], "x"], strict=True) if line or after) + "\n"


def _rest(false: int | None, rest_s: float | None, frames: int | None) -> str:
    if false is None:
        return "False letters at rest were not measured."
    return f"{false} false letters in {f'{rest_s:g} s' if rest_s is not None else f'{frames} frames'} of rest."
