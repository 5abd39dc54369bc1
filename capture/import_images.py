"""Imports images recorded elsewhere: decides who signs in them, and stores them as sessions."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import write_bytes
from aslkit.core.letters import NO_LETTER
from aslkit.core.progress import progress_bar
from aslkit.core.sanitize import format_count
from aslkit.core.workspace import Workspace, make_name, validate_name, validate_signer
from aslkit.formats.captures import SessionInfo
from aslkit.formats.frame_index import FrameIndex, IndexEntry
from aslkit.formats.image_folders.class_names import Split, parse_class
from aslkit.formats.image_folders.read_folder import ImageFolder, LabelledImage
from aslkit.vision.images import ImageError, decode_image, normalize_image_file, read_image_file


@dataclass(frozen=True, kw_only=True)
class SessionImages:
    """The images that become one session.

    Attributes:
        signer, session: names.
        split: the split of the images in their dataset, if it is kept.
        images: the images.
    """

    signer: str
    session: str
    split: Split | None
    images: Sequence[LabelledImage]


@dataclass(kw_only=True)
class ImportedSession:
    """What was imported into a session: the number of frames by letter, and of those that were there before."""

    info: SessionInfo
    stored: Counter[str] = field(default_factory=Counter)
    already_imported: int = 0


@dataclass(kw_only=True)
class ImportResult:
    """Result of an import.

    Attributes:
        sessions: the sessions.
        skipped: skipped files and folders, each with the reason.
        leaked: number of images of a kept validation or test split that are also in its train split.
    """

    sessions: list[ImportedSession] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    leaked: int = 0

    @property
    def stored(self) -> Counter[str]:
        """Number of imported frames by letter, of all sessions."""
        return sum((session.stored for session in self.sessions), Counter())

    @property
    def already_imported(self) -> int:
        """Number of frames that an earlier import had stored."""
        return sum(session.already_imported for session in self.sessions)


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
    """Decide which session each image belongs to: one for each signer and, if the split is kept, for each split.

    Args:
        found: the images.
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
    groups: dict[tuple[str, Split | None], list[LabelledImage]] = {}
    for image in found.images:
        if image.path in signers:
            groups.setdefault((signers[image.path], image.split if keep_split else None), []).append(image)
    return [
        SessionImages(
            signer=who,
            session=validate_name("session", f"{name}-{split}") if split else name,
            split=split,
            images=images,
        )
        for (who, split), images in groups.items()
    ]


def _default_session(found: ImageFolder, source: Path) -> str:
    folder = source.resolve()
    is_letter = parse_class(folder.name, {}) is not None and any(image.path.parent == source for image in found.images)
    return make_name(folder.parent.name if is_letter else folder.name)


def _signers(found: ImageFolder, source: Path, signer: str | None, signer_from: str | None) -> dict[Path, str]:
    """Return the signer in each image."""
    if signer_from is not None:
        signers = _match_signers(found, source, signer_from)
    elif signer is not None:
        signers = dict.fromkeys((image.path for image in found.images), signer)
    elif found.parts == [""]:
        raise InputError(
            "Who is signing? Give the name with --signer, such as --signer maria. If the file names say who signs, "
            "add --signer-from, such as --signer-from 'hand\\d+'."
        )
    elif "" in found.parts and (depths := _describe_depths(found, source)):
        raise InputError(
            f"{depths} If they all show one signer, add --signer NAME --one-signer. If not, put each signer's letters "
            f"in a folder with the signer's name, such as {source / 'maria' / found.images[0].letter}."
        )
    elif any(not part or "/" in part for part in found.parts):
        raise InputError(
            f"The letters are in {_join(part or source.name for part in found.parts)}. Which part of the path is the "
            "signer? For the first folder, add --signer-from '[^/]+'; for files such as A/hand1_x.jpg, 'hand\\d+'."
        )
    else:
        signers = {image.path: _to_signer(image.part) for image in found.images}
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
                f"with the signer's name, such as {source / signer / found.images[0].letter}."
            )
        raise InputError(
            f"There are letters in {_join(part or 'the folder itself' for part in found.parts)}. If these are the "
            f"signers, leave out --signer. If they all show {signer}, add --one-signer."
        )


def _describe_depths(found: ImageFolder, source: Path) -> str:
    """Return a sentence about letters at two depths, such as source/B and source/train/A; "" if all have the same."""
    folders = [image.path.parent for image in found.images]
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
    for image in found.images:
        path = image.path.relative_to(source).as_posix()
        if (match := pattern.search(path)) and (text := match[pattern.groups]):
            signers[image.path] = _to_signer(text)
        else:
            found.skipped.append((image.path, "does not match --signer-from"))
    if not signers:
        raise InputError(f"--signer-from {signer_from!r} matches no path, such as {path}.")
    return signers


def _join(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more folders" if len(listed) > 5 else "")


def import_sessions(
    sessions: Sequence[tuple[SessionInfo, SessionImages]], *, workspace: Workspace, mirrored: bool
) -> ImportResult:
    """Store images as sessions.

    Args:
        sessions: the sessions, with camera, licence and consent, and their images.
        workspace: workspace to import into.
        mirrored: whether the images are mirrored; they are flipped before they are stored.

    Raises:
        AslkitError: none of the images can be read.
    """
    result = ImportResult()
    total = sum(len(images.images) for _, images in sessions)
    contents: dict[Split | None, set[str]] = {}
    with progress_bar("Importing images", total) as advance:
        for info, images in sessions:
            info.save(workspace.captures)
            session = ImportedSession(info=info)
            folder = workspace.captures / info.signer / info.session
            for image in images.images:
                if data := _read(image, mirrored, result):
                    _store(folder / image.letter, image.path.stem, data, session)
                    contents.setdefault(images.split, set()).add(hashlib.sha256(data[0]).hexdigest())
                advance()
            _index_negatives(folder, result)
            result.sessions.append(session)
    if not contents:
        path, reason = result.skipped[0]
        raise AslkitError(f"None of {format_count(total, 'image')} can be read. First error: {path}: {reason}.")
    train = contents.pop("train", set())
    result.leaked = sum(len(train & others) for others in contents.values())
    return result


def _read(image: LabelledImage, mirrored: bool, result: ImportResult) -> tuple[bytes, str] | None:
    """Return an image file as it is stored, and its suffix; None if it cannot be read."""
    try:
        return normalize_image_file(read_image_file(image.path), mirrored=mirrored)
    except OSError as error:
        result.skipped.append((image.path, f"cannot be read ({error.strerror})"))
    except ImageError as error:
        result.skipped.append((image.path, error.message))
    return None


def _store(folder: Path, stem: str, data: tuple[bytes, str], session: ImportedSession) -> None:
    target = _free_path(folder / f"{stem}{data[1]}", data[0])
    if target is None:
        session.already_imported += 1
        return
    write_bytes(target, data[0])
    session.stored[folder.name] += 1


def _free_path(path: Path, data: bytes) -> Path | None:
    """Return the first of NAME, NAME-2, NAME-3, … that does not exist, or None if one of them contains `data`."""
    number, candidate = 1, path
    while candidate.exists():
        # Compared by content, so that importing a folder again adds only what is new.
        if candidate.stat().st_size == len(data) and candidate.read_bytes() == data:
            return None
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def _index_negatives(session: Path, result: ImportResult) -> None:
    """Add the negative samples of a session to its frame index, from which training takes their hands."""
    index = FrameIndex.load(session)
    folder = session / NO_LETTER
    files = sorted(path for path in folder.iterdir() if path.name[0] != ".") if folder.is_dir() else []
    missing = [path for path in files if f"{NO_LETTER}/{path.name}" not in index.entries]
    if not missing:
        return
    from aslkit.vision.frame_metrics import measure_frame
    from aslkit.vision.hand_landmarker import create_landmarker

    with create_landmarker() as landmarker, progress_bar("Measuring negative samples", len(missing)) as advance:
        for path in missing:
            try:
                frame = decode_image(read_image_file(path))
                metrics = measure_frame(frame, landmarker.find_all(frame))
                index.add(IndexEntry.from_metrics(metrics, file=f"{NO_LETTER}/{path.name}"))
            except ImageError as error:  # a JPEG with a good header, which was stored without decoding it
                result.skipped.append((path, error.message))
            advance()
