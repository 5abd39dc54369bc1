"""The command `aslkit import`, and `~` in paths."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from aslkit.cli.main import main
from aslkit.formats.captures import SessionInfo
from aslkit.vision.images import encode_png


def aslkit(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder and, as the current folder, an empty one."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    return tmp_path / "home"


def put(folder: Path, *names: str) -> Path:
    rng = np.random.default_rng(0)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(encode_png(rng.integers(0, 256, (32, 32, 3), np.uint8)))
    return folder


def test_home_folder_is_expanded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(home / "photos", "A/1.png")
    monkeypatch.setenv("ASLKIT_WORKSPACE", "~/from variable")
    aslkit("import", "~/photos", "--signer", "ada")
    aslkit("import", "~/photos", "--signer", "ada", "--workspace", "~/by option")
    aslkit("import", "~/photos", "--signer", "ada", "--workspace=~/by=equals")
    for name in ("from variable", "by option", "by=equals"):
        assert (home / name / "captures/ada/photos/A/1.png").is_file()
    assert "no configuration file" in aslkit("curate", "--config", "~/none.toml", code=2).output
    assert str(home / "set") in aslkit("dataset", "info", "~/set", code=2).output
    assert not any(Path().iterdir())  # neither a folder ~ nor the default workspace


def test_workspace_that_cannot_be_created_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(home / "photos", "A/1.png")
    (home / "file").touch()
    for workspace in ("/proc/x", str(home / "file/x")):
        monkeypatch.setenv("ASLKIT_WORKSPACE", workspace)
        message = aslkit("import", home / "photos", "--signer", "ada", code=1).output
        assert f"The workspace {workspace} cannot be created (" in message
        assert "Set another with --workspace, or with the variable ASLKIT_WORKSPACE." in message


def test_unknown_home_folder_is_an_error(home: Path) -> None:
    message = aslkit("import", "~nobody-here/photos", "--signer", "ada", code=2).output
    assert "The home folder ~nobody-here of ~nobody-here/photos is not known" in message
    assert not any(Path().iterdir())


def test_tilde_elsewhere_is_kept(home: Path) -> None:
    put(home / "photos", "A/1.png")
    aslkit("import", home / "photos", "--signer", "ada", "--consent", "~10 friends", "--workspace", home)
    info = SessionInfo.load(home / "captures/ada/photos/session.json")
    assert info.consent == "~10 friends"


def test_several_signers(home: Path) -> None:
    put(home / "photos", "Jose\u0301/A/1.png", "ben/A/1.png")
    result = aslkit("import", home / "photos", "--licence", "CC0-1.0", "--workspace", home / "ws")
    assert result.stdout.splitlines()[:2] == [
        "Imported 1 frame of 1 letter for Jos\xe9, session photos.",
        "Imported 1 frame of 1 letter for ben, session photos.",
    ]
    told = json.loads(aslkit("import", home / "photos", "--json", "--workspace", home / "ws").stdout)
    assert [(each["signer"], each["already_there"], each["licence"]) for each in told["sessions"]] == [
        ("Jos\xe9", 1, "CC0-1.0"), ("ben", 1, "CC0-1.0"),
    ]  # fmt: skip
    assert told["already_there"] == 2


def test_signers_in_file_names_are_private_together(home: Path) -> None:
    put(home / "photos", "A/hand1_1.png", "A/hand2_1.png")
    result = aslkit("import", home / "photos", "--signer-from", r"hand\d+", "--workspace", home / "ws")
    assert "The images of hand1, hand2 are private: only each signer may use them." in result.stderr
    assert (home / "ws/captures/hand2/photos/A/hand2_1.png").is_file()


def test_split_is_merged_with_a_note_or_kept(home: Path) -> None:
    photos = put(home / "photos", "train/A/1.png", "test/A/1.png")
    (photos / "test/A/2.png").write_bytes((photos / "train/A/1.png").read_bytes())
    options = ("--signer", "ada", "--workspace", home / "ws")
    assert "Note: The images of train, test were merged" in aslkit("import", photos, *options).stderr
    kept = aslkit("import", photos, *options, "--keep-split")
    assert "Note: The split shows ada in train and in another part" in kept.stderr
    assert "Note: In validation or test and also in train: 1 image." in kept.stderr
    stored = json.loads((home / "ws/captures/ada/photos-test/session.json").read_text())
    assert (stored["split"], stored["camera"]) == ("test", "import photos")


def test_negatives_and_skipped_classes_are_listed(home: Path) -> None:
    photos = put(home / "photos", "A/1.png", "nothing/1.png", "none/1.png", "del/1.png", "rest/1.png")
    output = aslkit("import", photos, "--signer", "ada", "--workspace", home / "ws").stdout
    assert "Imported 1 frame of 1 letter for ada" in output
    assert "Negative samples (none): 2 frames, from none, nothing." in output
    assert "Skipped, not a letter: photos/del." in output
    assert "Skipped, not a letter; if no hand signs one, add --labels rest=none: photos/rest." in output


def test_numbers_need_labels(home: Path) -> None:
    photos = put(home / "photos", "0/1.png", "1/1.png")
    options = ("--signer", "ada", "--workspace", home / "ws")
    assert "If 0 is A and 1 is B, add --labels 0=A,1=B." in aslkit("import", photos, *options, code=2).output
    aslkit("import", photos, *options, "--labels", "0=A,1=B")
    assert (home / "ws/captures/ada/photos/B/1.png").is_file()
    result = aslkit("import", photos, *options, "--labels", "1=A,9=B")
    assert f"Note: --labels names 9, but {photos} has no images of a class with this name." in result.stderr
    assert "Skipped, not a letter; if it means one, add --labels NAME=LETTER: photos/0." in result.stdout
    assert "is not NAME=LETTER" in aslkit("import", photos, *options, "--labels", "A", code=2).output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["photos", "--signer", "a", "--signer-from", "x"], "Give --signer, or --signer-from"),
        (
            ["photos/A", "photos/B", "--signer", "a"],
            "Give one folder, which contains the others: aslkit import photos …",
        ),
        (["photos/A/1.png", "photos/A/2.png"], "Give the folder, not its files: aslkit import photos/A …"),
        (["photos/A/1.png", "--signer", "a"], "is a single image. Give a folder: photos"),
        (["photos"], "Who is signing?"),
        (["photos", "--signer", "O'Brien"], "For example: O-Brien."),
        (["photos", "--signer", "con"], "Windows does not allow 'con'"),
    ],
)
def test_errors_say_what_to_type(home: Path, words: list[str], says: str) -> None:
    put(Path("photos"), "A/1.png", "A/2.png", "B/1.png")
    assert says in aslkit("import", *words, code=2).output
    assert not Path("data").exists()


def test_signer_to_hold_out_is_found_in_any_form(home: Path) -> None:
    put(home / "photos", "A/1.png")
    aslkit("import", home / "photos", "--signer", "Jos\xe9", "--workspace", home / "ws")
    message = aslkit("curate", "--hold-out", "Jose\u0301", "--workspace", home / "ws", code=2).output
    assert "leaves no signer for training" in message  # the signer is known
