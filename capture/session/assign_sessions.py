"""Decides who signs in images and clips recorded elsewhere, and to which session they belong."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from aslkit.core.errors import InputError
from aslkit.core.workspace import make_name, validate_name, validate_signer
from aslkit.formats.image_folders.class_names import Split, parse_class
from aslkit.formats.image_folders.clip_folders import LabelledClip
from aslkit.formats.image_folders.read_folder import ImageFolder, LabelledImage


@dataclass(frozen=True, kw_only=True)
class SessionImages:
    """The images that become one session.

    Attributes:
        signer, session: names.
        split: the split of the images in their dataset, if it is kept.
        images: the images.
        clips: the clips.
    """

    signer: str
    session: str
    split: Split | None
    images: Sequence[LabelledImage] = ()
    clips: Sequence[LabelledClip] = ()


def assign_sessions(
    found: ImageFolder,
    source: Path,
    *,
    signer: str | None,
    one_signer: bool,
    signer_from: str | None,
    session: str | None,
    keep_split: bool,
) -> list[SessionImages]:
    """Decide the session of each image and clip: one for each signer and, if the split is kept, for each split.

    Args:
        found: the images and clips.
        source: folder in which they were found.
        signer: who signs in all of them; None if the folders or `signer_from` tell.
        one_signer: whether `signer` signs in all folders, even if their names can be those of signers.
        signer_from: regular expression. Its group, or the whole match, in the path below `source` names the signer.
        session: name of the sessions; default: the folder's name.
        keep_split: whether the images of different splits become sessions of their own, named SESSION-train, …

    Raises:
        InputError: the signer is unclear, a name is invalid, or there is no split to keep.
    """
    if keep_split and not found.splits:
        raise InputError(f"{source} has no folders train, valid and test, so --keep-split has no split to keep.")
    name = validate_name("session", session or _default_session(found, source))
    if one_signer and signer is None:
        raise InputError("--one-signer requires --signer NAME.")
    if signer is not None and not one_signer:
        _check_one_part(found, source, signer)
    signers = _signers(found, source, signer, signer_from)
    groups: dict[tuple[str, Split | None], list[LabelledImage | LabelledClip]] = {}
    for file in found.files:
        if file.path in signers:
            groups.setdefault((signers[file.path], file.split if keep_split else None), []).append(file)
    return [
        SessionImages(
            signer=who,
            session=validate_name("session", f"{name}-{split}") if split else name,
            split=split,
            images=[file for file in files if isinstance(file, LabelledImage)],
            clips=[file for file in files if isinstance(file, LabelledClip)],
        )
        for (who, split), files in groups.items()
    ]


def _default_session(found: ImageFolder, source: Path) -> str:
    folder = source.resolve()
    is_letter = parse_class(folder.name, {}) is not None and any(file.path.parent == source for file in found.files)
    return make_name(folder.parent.name if is_letter else folder.name)


def _signers(found: ImageFolder, source: Path, signer: str | None, signer_from: str | None) -> dict[Path, str]:
    """Return the signer in each image."""
    if signer_from is not None:
        signers = _match_signers(found, source, signer_from)
    elif signer is not None:
        signers = dict.fromkeys((file.path for file in found.files), signer)
    elif found.parts == [""]:
        raise InputError(
            "Who is signing? Give the name with --signer, such as --signer maria. If the file names say who signs, "
            "add --signer-from, such as --signer-from 'hand\\d+'."
        )
    elif "" in found.parts and (depths := _describe_depths(found, source)):
        raise InputError(
            f"{depths} If they all show one signer, add --signer NAME --one-signer. If not, put each signer's letters "
            f"in a folder with the signer's name, such as {source / 'maria' / found.files[0].letter}."
        )
    elif any(not part or "/" in part for part in found.parts):
        raise InputError(
            f"The letters are in {_join(part or source.name for part in found.parts)}. Which part of the path is the "
            "signer? For the first folder, add --signer-from '[^/]+'; for files such as A/hand1_x.jpg, 'hand\\d+'."
        )
    else:
        signers = {file.path: _to_signer(file.part) for file in found.files}
    names = sorted(
        {validate_signer(name, synthetic=False) for name in signers.values()}, key=lambda name: (name.casefold(), name)
    )
    for first, second in pairwise(names):
        if first.casefold() == second.casefold():
            raise InputError(f"The signers {first!r} and {second!r} differ only in case. Rename one of them.")
    return signers


def _to_signer(text: str) -> str:
    """Return a text as the name of a signer: unchanged if possible."""
    try:
        return validate_name("signer", text)
    except InputError:
        return make_name(text)


def _check_one_part(found: ImageFolder, source: Path, signer: str) -> None:
    if len(found.parts) > 1:
        if depths := _describe_depths(found, source):
            raise InputError(
                f"{depths} If they all show {signer}, add --one-signer. If not, put each signer's letters in a folder "
                f"with the signer's name, such as {source / signer / found.files[0].letter}."
            )
        raise InputError(
            f"There are letters in {_join(part or 'the folder itself' for part in found.parts)}. If these are the "
            f"signers, leave out --signer. If they all show {signer}, add --one-signer."
        )


def _describe_depths(found: ImageFolder, source: Path) -> str:
    """Return a sentence about letters at two depths, such as source/B and source/train/A; "" if all have the same."""
    folders = [file.path.parent for file in found.files]
    shallow, deep = (choose(folders, key=lambda folder: len(folder.parts)) for choose in (min, max))
    if len(shallow.parts) == len(deep.parts):
        return ""
    return f"{source} has letters at two depths: {shallow} and {deep}."


def _match_signers(found: ImageFolder, source: Path, signer_from: str) -> dict[Path, str]:
    try:
        pattern = re.compile(signer_from)
    except re.error as error:
        raise InputError(f"--signer-from {signer_from!r} is not a regular expression: {error}.") from error
    if pattern.groups > 1:
        raise InputError(f"--signer-from {signer_from!r} has {pattern.groups} groups. Keep one; write others as (?:…).")
    signers = {}
    for file in found.files:
        path = file.path.relative_to(source).as_posix()
        if (match := pattern.search(path)) and (text := match[pattern.groups]):
            signers[file.path] = _to_signer(text)
        else:
            found.skipped.append((file.path, "does not match --signer-from"))
    if not signers:
        raise InputError(f"--signer-from {signer_from!r} matches no path, such as {path}.")
    return signers


def _join(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more folders" if len(listed) > 5 else "")
