"""Notes about the captures: the same images under two names, sessions that may be mirrored, and misplaced images."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import pyarrow as pa

from aslkit.core.sanitize import format_count
from aslkit.curate.filter.exact_duplicates import Rejection
from aslkit.formats.captures import CapturedFrame
from aslkit.formats.image_folders.misplaced_images import LAYOUT, MisplacedImage

MIN_FRAMES: Final = 8
"""Minimum number of frames with a hand for which a session may be called mirrored; the same as in recording."""

MIN_SHARE: Final = 0.9
"""Minimum share of these frames with the other hand; the same as in recording."""

MAX_EXAMPLES: Final = 4
"""Maximum number of misplaced images that are shown, one for each kind of mistake."""

MAX_PAIRS: Final = 3
"""Maximum number of pairs of signers that are reported one by one."""


def shared_image_notes(frames: Sequence[CapturedFrame], pixel_hashes: Sequence[str | None]) -> Iterator[str]:
    """Yield a note for each two signers who have images with the same pixels, largest share first.

    Args:
        frames: n frames, in the order in which the first one of equal images is kept.
        pixel_hashes: n hashes of their pixels; None if a file cannot be decoded.
    """
    first: dict[str, CapturedFrame] = {}
    shared: Counter[tuple[str, str]] = Counter()
    totals = Counter(frame.signer for frame in frames)
    for frame, pixel_hash in zip(frames, pixel_hashes, strict=True):
        if pixel_hash is None:
            continue
        original = first.setdefault(pixel_hash, frame)
        if original.signer != frame.signer:
            shared[frame.signer, original.signer] += 1
    ranked = sorted(shared, key=lambda pair: (-shared[pair] / totals[pair[0]], pair))
    for signer, other in ranked[:MAX_PAIRS]:
        yield (
            f"{shared[signer, other]:,} of {format_count(totals[signer], 'image')} of {signer} have the same pixels as "
            f"images of {other}, and were rejected. If both are the same person, keep only one of the two folders in "
            "captures. If not, one of them has images of the other."
        )
    if len(ranked) > MAX_PAIRS:
        yield f"{format_count(len(ranked) - MAX_PAIRS, 'more pair')} of signers have images with the same pixels."


def mirrored_session_notes(table: pa.Table) -> Iterator[str]:
    """Yield a note for each session that shows the other hand than the signer's other sessions.

    Args:
        table: rows with the columns signer, session and handedness.
    """
    counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    columns = (table.column(name).to_pylist() for name in ("signer", "session", "handedness"))
    for signer, session, hand in zip(*columns, strict=True):
        if hand is not None:
            counts[signer][session][hand] += 1
    for signer, sessions in sorted(counts.items()):
        usual = sum(sessions.values(), Counter[str]()).most_common(1)[0][0]
        for session, hands in sorted(sessions.items()):
            hand = _only_hand(hands)
            if hand and hand != usual:
                yield (
                    f"Session {session} of {signer} shows the {hand} hand, most other frames the {usual} hand. If one "
                    "session is mirrored, as selfie videos often are, delete its folder in captures, and record or "
                    "import it again with --mirrored."
                )


def _only_hand(hands: Counter[str]) -> str | None:
    hand, count = hands.most_common(1)[0]
    return hand if hands.total() >= MIN_FRAMES and count >= MIN_SHARE * hands.total() else None


def misplaced_image_notes(rejected: Sequence[Rejection]) -> Iterator[str]:
    """Yield a note if images are in folders where they are not used."""
    misplaced = [each.frame for each in rejected if isinstance(each.frame, MisplacedImage)]
    if misplaced:
        yield describe_misplaced(misplaced)


def describe_misplaced(images: Sequence[MisplacedImage]) -> str:
    """Return sentences about the images, with an example of each kind of mistake."""
    examples: dict[str, str] = {}
    for image in images:
        examples.setdefault(image.advice.partition("expected")[0], f"{image.location} ({image.advice})")
    shown = "; ".join(list(examples.values())[:MAX_EXAMPLES])
    return (
        f"{format_count(len(images), 'image')} below captures cannot be used, because they are not in {LAYOUT}: "
        f"{shown}. Move them there."
    )
