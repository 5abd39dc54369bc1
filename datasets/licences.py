"""Licence of a dataset that combines images under several licences.

A curated or merged dataset is an adaptation of its sources. The table below follows the compatibility chart of Creative
Commons ("If I derive or adapt material offered under a Creative Commons license, which CC license(s) can I use?" and
"Can I combine material under different Creative Commons licenses in my work?", https://creativecommons.org/faq/, and
https://wiki.creativecommons.org/wiki/Wiki/cc_license_compatibility):

- CC0 has no conditions.
- BY material can be part of an adaptation under any of these licences.
- BY-NC material can only be part of a non-commercial adaptation.
- Share-alike material can only be part of an adaptation under the same licence. BY-SA is therefore incompatible with
  BY-NC and BY-NC-SA.
- ND forbids adaptations.

Images with the licence `private` may only be used by their signer; they are no part of a dataset that others get.

MIT and Apache-2.0 allow other terms for the whole if their notices stay with the parts (MIT, second paragraph;
Apache-2.0, section 4). This holds because each row keeps its own licence. The table is not legal advice.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from aslkit.core.errors import InputError
from aslkit.formats.licences import PRIVATE

UNKNOWN: Final = "unknown"
"""Licence of a dataset in which some images state no licence, if the user allowed that."""

_MAX_NAMES: Final = 5
"""Maximum number of signers that an error lists."""

_HOW_TO_SHARE: Final = (
    'If the signer agrees to a licence, set licence = "CC-BY-4.0", for example, in signers.toml of the workspace '
    "(data/signers.toml by default), and run `aslkit curate` again. If nobody else gets the result, use "
    "--allow-private."
)

_NON_COMMERCIAL: Final = ("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0")
_ATTRIBUTION: Final = ("CC-BY-4.0", "CC-BY-SA-4.0", *_NON_COMMERCIAL)

ADAPTATION_LICENCES: Final[dict[str, tuple[str, ...]]] = {
    "CC0-1.0": ("CC0-1.0", "MIT", "Apache-2.0", *_ATTRIBUTION),
    "MIT": ("MIT", "Apache-2.0", *_ATTRIBUTION),
    "Apache-2.0": ("Apache-2.0", *_ATTRIBUTION),
    "CC-BY-4.0": _ATTRIBUTION,
    "CC-BY-SA-4.0": ("CC-BY-SA-4.0",),
    "CC-BY-NC-4.0": _NON_COMMERCIAL,
    "CC-BY-NC-SA-4.0": ("CC-BY-NC-SA-4.0",),
    "CC-BY-ND-4.0": (),
    "CC-BY-NC-ND-4.0": (),
}
"""For each licence, the licences that an adaptation may have, the most permissive first."""


SignerLicence = tuple[str | None, str | None]
"""Signer and licence of an image; None if they are not stated."""


def reject_private(rows: Iterable[SignerLicence]) -> None:
    """Check that no image is private.

    Raises:
        InputError: some images are private.
    """
    if names := _signers_with(PRIVATE, set(rows)):
        raise InputError(
            f"The images of {_join_names(names)} are private: only the signer may use them. {_HOW_TO_SHARE}"
        )


def _signers_with(licence: str, rows: set[SignerLicence]) -> list[str]:
    return sorted({signer or "unknown signers" for signer, stated in rows if canonical_licence(stated) == licence})


def _join_names(names: list[str]) -> str:
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(names[:_MAX_NAMES]) + more


def missing_licences(rows: Iterable[tuple[str | None, str | None]]) -> str:
    """Describe how many images state no licence and no consent, or return "" if all of them state both.

    Args:
        rows: licence and consent of each image.
    """
    missing = Counter(
        name for row in rows for name, value in zip(("licence", "consent"), row, strict=True) if not value
    )
    return " and ".join(f"{count:,} state no {name}" for name, count in missing.items())


def combine_licences(rows: Iterable[SignerLicence], *, allow_private: bool = False) -> str:
    """Return the most permissive licence for a dataset whose images have these licences, in any order.

    Args:
        rows: signer and licence of each image.
        allow_private: accept private rows and rows without a licence. The result is then PRIVATE or UNKNOWN.

    Raises:
        InputError: a licence forbids adaptations, a row is private or states no licence, or two licences are
            incompatible.
    """
    rows = set(rows)
    if not allow_private:
        reject_private(rows)
    parts = sorted({canonical_licence(licence) for _, licence in rows})
    if no_derivatives := [part for part in parts if ADAPTATION_LICENCES.get(part) == ()]:
        raise InputError(
            f"{no_derivatives[0]} forbids adaptations (ND), but a curated or merged dataset is an adaptation. "
            "Ask the contributor for another licence, or remove these images."
        )
    if UNKNOWN in parts and not allow_private:
        names = _join_names(_signers_with(UNKNOWN, rows))
        raise InputError(f"Images of {names} state no licence, so the dataset may not be shared. {_HOW_TO_SHARE}")
    combined = _combine_known([part for part in parts if part not in (PRIVATE, UNKNOWN)])
    return next((part for part in (PRIVATE, UNKNOWN) if part in parts), combined)


def canonical_licence(licence: str | None) -> str:
    """Return the canonical spelling of a licence that a dataset states: "cc by 4.0" becomes "CC-BY-4.0".

    Other text is returned without changes, and None or an empty string as UNKNOWN.
    """
    text = (licence or "").strip()
    if text.lower() in ("", UNKNOWN):
        return UNKNOWN
    normalised = re.sub(r"[\s_-]+", "-", text).lower()
    return next((name for name in (PRIVATE, *ADAPTATION_LICENCES) if name.lower() == normalised), text)


def _combine_known(parts: list[str]) -> str:
    if not parts:
        return UNKNOWN
    if len(parts) == 1:
        return parts[0]
    if unrecognised := [part for part in parts if part not in ADAPTATION_LICENCES]:
        raise InputError(
            f"aslkit does not know the licence {unrecognised[0]!r}, so it cannot check whether it is compatible with "
            f"{', '.join(part for part in parts if part != unrecognised[0])}. "
            f"Known licences: {', '.join(ADAPTATION_LICENCES)}. "
            "Ask the contributor to choose one of these, or remove the images."
        )
    # In the order of the table, so the first one is the most permissive.
    common = [name for name in ADAPTATION_LICENCES if all(name in ADAPTATION_LICENCES[part] for part in parts)]
    if not common:
        raise InputError(
            f"Images under {' and '.join(parts)} cannot be combined into one dataset: a share-alike licence requires "
            "its own terms for the whole, and the other licence does not allow them. Keep two datasets, or ask a "
            "contributor for another licence "
            "(https://wiki.creativecommons.org/wiki/Wiki/cc_license_compatibility)."
        )
    return common[0]
