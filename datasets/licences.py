"""Which licence a whole made of several people's images may have.

A curated or merged dataset is an adaptation of what it was made from. What an adaptation may be licensed under is in
Creative Commons' own compatibility chart ("If I derive or adapt material offered under a Creative Commons license,
which CC license(s) can I use?" and "Can I combine material under different Creative Commons licenses in my work?",
https://creativecommons.org/faq/, and https://wiki.creativecommons.org/wiki/Wiki/cc_license_compatibility):
CC0 asks for nothing; BY may go into anything; BY-NC only into what is non-commercial; share-alike only into itself, so
that BY-SA goes neither with BY-NC nor with BY-NC-SA; ND allows no adaptation at all. MIT and Apache-2.0 let a whole
have other terms, as long as their notices stay with the parts (MIT, second paragraph; Apache-2.0, section 4). Each row
keeps its own licence, so they do. This is a tool's table, not legal advice.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from aslkit.core.errors import InputError

UNKNOWN: Final = "unknown"
"""What a whole is under when a part of it stated nothing, and that was allowed."""

_NON_COMMERCIAL: Final = ("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0")
_ATTRIBUTED: Final = ("CC-BY-4.0", "CC-BY-SA-4.0", *_NON_COMMERCIAL)

MAY_BECOME: Final[dict[str, tuple[str, ...]]] = {
    "CC0-1.0": ("CC0-1.0", "MIT", "Apache-2.0", *_ATTRIBUTED),
    "MIT": ("MIT", "Apache-2.0", *_ATTRIBUTED),
    "Apache-2.0": ("Apache-2.0", *_ATTRIBUTED),
    "CC-BY-4.0": _ATTRIBUTED,
    "CC-BY-SA-4.0": ("CC-BY-SA-4.0",),
    "CC-BY-NC-4.0": _NON_COMMERCIAL,
    "CC-BY-NC-SA-4.0": ("CC-BY-NC-SA-4.0",),
    "CC-BY-ND-4.0": (),
    "CC-BY-NC-ND-4.0": (),
}
"""What an adaptation of something under a licence may be licensed under, the freest first."""


def missing_licences(rows: Iterable[tuple[str | None, str | None]]) -> str:
    """Who may do what with images is not known: how many state no licence, and no consent, in words; "" where all do.

    Args:
        rows: licence and consent of each.
    """
    missing = Counter(
        name for row in rows for name, value in zip(("licence", "consent"), row, strict=True) if not value
    )
    return " and ".join(f"{count:,} state no {name}" for name, count in missing.items())


def combine_licences(licences: Iterable[str | None], *, allow_unknown: bool = False) -> str:
    """Return the freest licence that a whole of parts under these may have; the order of the parts is all one.

    Args:
        licences: as the rows state them; None or empty where nothing is stated.
        allow_unknown: take parts that state nothing; the whole is then UNKNOWN.

    Raises:
        InputError: a part forbids adaptations, states nothing, or two do not go together.
    """
    parts = sorted({canonical_licence(licence) for licence in licences})
    if forbidding := [part for part in parts if MAY_BECOME.get(part) == ()]:
        raise InputError(
            f"{forbidding[0]} allows no adaptations (ND), and a dataset that was curated or merged is one. "
            "Ask the contributor for another licence, or leave these images out."
        )
    if UNKNOWN in parts and not allow_unknown:
        raise InputError(
            "Some images state no licence, so nobody may hand them on. Ask the contributor, and state it with "
            "`aslkit import … --licence`; or, where you keep the result to yourself, say --allow-unknown-licence."
        )
    stated = [part for part in parts if part != UNKNOWN]
    whole = _whole(stated)
    return UNKNOWN if UNKNOWN in parts else whole


def canonical_licence(licence: str | None) -> str:
    """Return a licence as the table spells it ("cc by 4.0" is "CC-BY-4.0"), other text as it is, nothing as UNKNOWN."""
    text = (licence or "").strip()
    if text.lower() in ("", UNKNOWN):
        return UNKNOWN
    spelled = re.sub(r"[\s_-]+", "-", text).lower()
    return next((name for name in MAY_BECOME if name.lower() == spelled), text)


def _whole(parts: list[str]) -> str:
    if not parts:
        return UNKNOWN
    if len(parts) == 1:
        return parts[0]
    if strange := [part for part in parts if part not in MAY_BECOME]:
        raise InputError(
            f"{strange[0]!r} is no licence that aslkit knows, so it cannot tell whether it goes together with "
            f"{', '.join(part for part in parts if part != strange[0])}. Known: {', '.join(MAY_BECOME)}. "
            "Ask the contributor to state one of them, or leave these images out."
        )
    common = [name for name in MAY_BECOME if all(name in MAY_BECOME[part] for part in parts)]
    if not common:
        raise InputError(
            f"Images under {' and '.join(parts)} cannot be made one dataset: share-alike asks for its own terms, and "
            "those of the other part do not allow them. Keep two datasets, or ask a contributor for another licence "
            "(https://wiki.creativecommons.org/wiki/Wiki/cc_license_compatibility)."
        )
    return common[0]
