"""report.html of an exam: score, letters, and the images without the right letter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aslkit.live.exam.scoring import LetterResult
from aslkit.vision.crop import jpeg_data_uri, shrink
from aslkit.vision.images import decode_image, read_image_file
from aslkit.web.report_page import render_page

MAX_IMAGES: Final = 24
"""Maximum number of images on the page."""

_IMAGE_SIDE: Final = 288
"""Longer side of an image, pixels; twice its size on the page."""

_JPEG_QUALITY: Final = 72


@dataclass(frozen=True, kw_only=True)
class WrongImage:
    """An image without the right letter.

    Attributes:
        letter: letter that the signer was asked for.
        outcome: what happened instead, such as "predicted as S".
        link: path of the image in the exam's folder.
        uri: the image as a data URI.
    """

    letter: str
    outcome: str
    link: str
    uri: str


def render_exam_page(folder: Path, result: Mapping[str, Any], results: Sequence[LetterResult], *, rest: str) -> str:
    """Return the page of an exam as HTML.

    Args:
        folder: folder of the exam, with its images.
        result: values of result.json.
        results: result of each prompt, in order.
        rest: how the rest was measured.
    """
    wrong = [each for each in results if each.predicted != each.letter]
    shown = [each for each in wrong if each.image][:MAX_IMAGES]
    return render_page(
        "aslkit.live.exam",
        "report.html.j2",
        result=result,
        rest=rest,
        wrong=sorted({each.letter for each in wrong}),
        images=[_load_image(folder, each) for each in shown],
        more_images=len(wrong) - len(shown),
    )


def _load_image(folder: Path, result: LetterResult) -> WrongImage:
    frame = shrink(decode_image(read_image_file(folder / result.image)), _IMAGE_SIDE)
    return WrongImage(
        letter=result.letter,
        outcome=_describe_outcome(result),
        link=result.image,
        uri=jpeg_data_uri(frame, quality=_JPEG_QUALITY),
    )


def _describe_outcome(result: LetterResult) -> str:
    if result.predicted is not None:
        return f"predicted as {result.predicted}"
    return "rejected" if result.hand_found else "no hand found"
