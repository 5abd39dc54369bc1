"""The part People: who has recorded, and what may be done with their images."""

from collections import Counter
from dataclasses import dataclass, replace

from aslkit.core.errors import InputError
from aslkit.core.workspace import SYNTHETIC_PREFIX, Workspace, compose, validate_signer
from aslkit.formats.captures import list_folders
from aslkit.formats.licences import PRIVATE, parse_licence
from aslkit.formats.reviews import count_usable_clips, count_usable_letters, load_decisions
from aslkit.formats.signers import SignerDetails, load_signer, load_signers, save_signer
from aslkit.vision.hand_landmarker import Handedness


@dataclass(frozen=True, kw_only=True)
class Person:
    """A signer.

    Attributes:
        name: name of the signer.
        hand: usual hand; None if unknown.
        licence: licence of all images; None if the signer was not asked.
        consent: what the signer agrees to, in their own words or a sentence for the licence.
        letters: number of usable frames by letter.
        frames: their sum.
        clips: number of usable clips by letter: J, Z and none.
        synthetic: whether it is a synthetic signer.
    """

    name: str
    hand: Handedness | None
    licence: str | None
    consent: str | None
    letters: dict[str, int]
    frames: int
    clips: dict[str, int]
    synthetic: bool


def list_people(workspace: Workspace) -> list[Person]:
    """Return everybody who has recorded or was added, sorted by name."""
    details, decisions = load_signers(workspace), load_decisions(workspace)
    folders = {compose(folder.name) for folder in list_folders(workspace.captures)}
    return [
        _create_person(
            name,
            details.get(name, SignerDetails()),
            count_usable_letters(workspace, name, decisions),
            count_usable_clips(workspace, name, decisions),
        )
        for name in sorted(folders | set(details), key=str.casefold)
    ]


def _create_person(name: str, details: SignerDetails, counts: Counter[str], clips: Counter[str]) -> Person:
    letters = {letter: count for letter, count in sorted(counts.items()) if count}
    return Person(
        name=name, hand=details.hand, licence=details.licence, consent=details.consent, letters=letters,
        frames=sum(letters.values()), clips=dict(sorted(clips.items())), synthetic=name.startswith(SYNTHETIC_PREFIX),
    )  # fmt: skip


def save_person(
    workspace: Workspace, name: str, *, hand: Handedness | None, licence: str, consent: str | None, new: bool
) -> str:
    """Add a person, or change the details of one, and return the name as it is stored.

    Args:
        workspace: workspace of the person.
        name: name of the signer.
        hand: usual hand; None if unknown.
        licence: licence of all images of this person, earlier ones as well.
        consent: what the signer agrees to; None for a sentence that states the licence.
        new: whether the name must not exist yet.

    Raises:
        InputError: the name or the licence is invalid, or the name exists already.
    """
    name = validate_signer(name.strip(), synthetic=name.startswith(SYNTHETIC_PREFIX) and not new)
    stored = load_signer(workspace, name)
    if new and name in {person.name for person in list_people(workspace)}:
        raise InputError(f"{name} is in the list already. Choose {name} there, or give another name.")
    parsed = parse_licence(licence or PRIVATE)
    details = replace(stored, consent=None).state(licence=parsed, consent=(consent or "").strip() or None)
    save_signer(workspace, name, replace(details, hand=hand or stored.hand))
    return name
