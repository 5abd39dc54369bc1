"""Licences that a signer can state: SPDX identifiers, and `private`."""

import re
from typing import Final

from aslkit.core.errors import InputError

PRIVATE: Final = "private"
"""Licence of images that only the signer may use. `aslkit dataset push` and `merge` reject them."""

_PRIVATE_CONSENT: Final = "Only for me."
_DERIVED_CONSENT: Final = "May be shared under {}."


def is_private(licence: str) -> bool:
    """Return whether a licence that a file states is PRIVATE, in any case."""
    return licence.strip().lower() == PRIVATE


def parse_licence(text: str) -> str:
    """Return the canonical spelling of a licence: "cc by 4.0" becomes "CC-BY-4.0".

    Args:
        text: an SPDX identifier (https://spdx.org/licenses/) in any case, LicenseRef-NAME for another licence, or
            "private".

    Raises:
        InputError: the text is none of these.
    """
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    name = re.sub(r"[\s_]+", "-", text.strip())
    if is_private(name):
        return PRIVATE
    try:
        # Without parentheses: they are valid in an expression, but one image has one licence.
        return str(canonicalize_license_expression(name if "(" not in name else ""))
    except InvalidLicenseExpression as error:
        raise InputError(
            f"{text!r} is not an SPDX licence identifier. Choose private (only for the signer), CC0-1.0, CC-BY-4.0, "
            "CC-BY-NC-4.0 or another one of https://spdx.org/licenses/. For a licence of your own, write "
            "LicenseRef-NAME."
        ) from error


def complete_consent(licence: str | None, consent: str | None) -> str | None:
    """Return the consent that goes with a licence.

    The signer's own words are kept. A sentence that was derived from another licence, or that is missing, is derived
    from this one. Private images can have no consent: their signer was not asked.
    """
    if licence is None or (consent is not None and not _is_derived(consent)):
        return consent
    if (consent is None and licence == PRIVATE) or not _is_licence(licence):
        return consent
    return derive_consent(licence)


def derive_consent(licence: str) -> str:
    """Return the consent of a signer who has chosen a licence and said nothing else."""
    return _PRIVATE_CONSENT if licence == PRIVATE else _DERIVED_CONSENT.format(licence)


def _is_derived(consent: str) -> bool:
    # Own words can look similar: "May be shared under supervision."
    start, end = _DERIVED_CONSENT.split("{}")
    return consent == _PRIVATE_CONSENT or (
        consent.startswith(start) and consent.endswith(end) and _is_licence(consent[len(start) : -len(end)])
    )


def _is_licence(text: str) -> bool:
    try:
        return bool(parse_licence(text))
    except InputError:
        return False
