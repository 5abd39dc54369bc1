"""Writes the folder of an exam: score, report, and frames, which are marked so that they are never trained on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aslkit.core.files import write_bytes, write_text
from aslkit.core.workspace import Workspace, make_name
from aslkit.formats.captures import EXAM_PURPOSE, SESSION_FILE, update_session
from aslkit.live.exam.report_page import render_exam_page
from aslkit.live.exam.scoring import ExamScore
from aslkit.vision.images import Frame, encode_jpeg

RESULT_FILE: Final = "result.json"
CARD_FILE: Final = "README.md"
REPORT_FILE: Final = "report.html"


@dataclass(kw_only=True)
class ExamFolder:
    """WORKSPACE/exams/NAME, with result.json, README.md, report.html, and frames/SIGNER/SESSION/LETTER/*.jpg.

    The folder is created with its first file, so that an exam that could not start leaves no folder.

    Attributes:
        path: the folder.
        signer: name of the signer.
        metadata: run, source, seed and other values that are included in result.json.
        frames: number of stored frames.
    """

    path: Path
    signer: str
    metadata: dict[str, Any]
    frames: int = 0

    @classmethod
    def new(cls, workspace: Workspace, *, name: str, signer: str, metadata: dict[str, Any]) -> "ExamFolder":
        """Return a folder that does not exist yet: NAME-1, or the next free number."""
        exams, number = workspace.exams, 1
        while (exams / make_name(f"{name}-{number}")).exists():
            number += 1
        return cls(path=exams / make_name(f"{name}-{number}"), signer=signer, metadata=metadata)

    @property
    def session_folder(self) -> Path:
        """Folder of the frames, which has the layout of a recording session."""
        return self.path / "frames" / self.signer / self.path.name

    def store_frame(self, frame: Frame, letter: str) -> str:
        """Store a frame of a letter: BGR, uint8 (height, width, 3), unmirrored. Return its path in this folder."""
        self._create_if_missing()
        # session.json comes before the first frame, so that no frame exists without the mark of an exam.
        (self.session_folder / letter).mkdir(exist_ok=True)
        path = self.session_folder / letter / f"{self.frames:06d}.jpg"
        write_bytes(path, encode_jpeg(frame))
        self.frames += 1
        return path.relative_to(self.path).as_posix()

    def write_result(self, score: ExamScore) -> dict[str, Any]:
        """Write score, README and page, and return the values of result.json."""
        self._create_if_missing()
        result = {**self.metadata, **score.to_dict(), "folder": str(self.path), "frames": self.frames}
        write_text(self.path / RESULT_FILE, json.dumps(result, indent=2, ensure_ascii=False) + "\n")
        write_text(self.path / CARD_FILE, render_report(result))
        rest = _describe_rest(result["false_letters"], result["rest_s"], result["rest_frames"])
        write_text(self.path / REPORT_FILE, render_exam_page(self.path, result, score.results, rest=rest))
        return result

    def _create_if_missing(self) -> None:
        session_file = self.session_folder / SESSION_FILE
        if not session_file.exists():
            session_file.parent.mkdir(parents=True)
            camera = self.metadata.get("source", "unknown")
            session = {"signer": self.signer, "session": self.path.name, "camera": camera}
            update_session(session_file, session | {"purpose": EXAM_PURPOSE})


def render_report(result: dict[str, Any]) -> str:
    """Return the report of an exam as Markdown, given the values of result.json."""
    speed, known = result["words_a_minute"], result.get("training_images", 0)
    lines = [
        f"# Exam of {result['run']}",
        "",
        f"Accuracy: **{result['accuracy']:.1%}**",
        "",
        "The model was trained on this signer, so the score is optimistic." if result.get("known") else "",
        f"The model was trained on {known:,} of these images, so the score is optimistic." if known else "",
        "",
        f"- Prompts: {result['asked']}",
        f"- Signer: {result['signer']}",
        f"- Source: {result['source']}",
    ]
    if speed is not None:
        lines.append(f"- Speed: {speed:.1f} words per minute, at five letters per word")
    lines += [
        f"- Rest: {_describe_rest(result['false_letters'], result['rest_s'], result['rest_frames'])}",
        "",
        "| letter | prompts | correct | rejected | no hand | predicted as |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["letters"]:
        predicted = " ".join(row["taken_for"])
        lines.append(
            f"| {row['letter']} | {row['asked']} | {row['right']} | {row['refused']} | {row['no_hand']} | {predicted} |"
        )
    lines += [
        "",
        "The frames are kept for inspection only. `aslkit curate` and `aslkit import` reject them, so that no model is "
        "trained on them.",
    ]
    return "\n".join(line for line, after in zip(lines, [*lines[1:], "x"], strict=True) if line or after) + "\n"


def _describe_rest(false_letters: int | None, rest_s: float | None, rest_frames: int | None) -> str:
    if false_letters is None:
        return "not measured"
    unit = "letter" if false_letters == 1 else "letters"
    return f"{false_letters} false {unit} in {f'{rest_s:g} s' if rest_s is not None else f'{rest_frames} frames'}"
