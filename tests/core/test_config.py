import dataclasses
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.cli.reference import SETTINGS, render_default_config
from aslkit.core.config import SECTIONS, list_settings, load_settings
from aslkit.core.errors import InputError
from aslkit.curate.config import CurateConfig
from aslkit.train.config import TrainConfig


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "own.toml"


def test_default_toml_is_generated_from_the_settings() -> None:
    text = resources.files("aslkit.configs").joinpath("default.toml").read_text("utf-8")
    assert text == render_default_config()
    assert set(SETTINGS) == set(SECTIONS)
    for section, settings in SETTINGS.items():
        assert dataclasses.asdict(settings()) == tomllib.loads(text)[section]


def test_default_toml_is_a_valid_configuration_file() -> None:
    with resources.as_file(resources.files("aslkit.configs").joinpath("default.toml")) as file:
        for section, settings in SETTINGS.items():
            assert load_settings(section, settings, file=file) == settings()


@pytest.mark.parametrize("settings", SETTINGS.values())
def test_every_setting_has_a_description(settings: type) -> None:
    assert all(each.description for each in list_settings(settings).values())


def test_options_override_file_and_file_overrides_defaults(own: Path) -> None:
    own.write_text("[capture]\ngoal = 5\njpeg_quality = 80\n[train]\nepochs = 1\n")
    settings = load_settings("capture", CaptureConfig, file=own, flags={"goal": 7, "interval_s": None})
    assert settings == dataclasses.replace(load_settings("capture", CaptureConfig), goal=7, jpeg_quality=80)
    assert load_settings("curate", CurateConfig, file=own) == load_settings("curate", CurateConfig)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[capture]\ngaol = 5", "unknown key 'gaol' in [capture]. Known: burst_s, camera_fps"),
        ("[captrue]\ngoal = 5", "unknown section [captrue]. Known: capture, "),
        ("goal = 5", "unknown section [goal]"),
        ("capture = 5", "must be a section"),
        ("[capture", "is not a TOML file"),
        ("[capture]\ngoal = 0", "own.toml, [capture]: goal must be a whole number from 1 to 1,000,000; it is 0"),
        ("[capture]\ngoal = 10.5", "[capture]: goal must be a whole number from 1 to 1,000,000; it is 10.5"),
        ("[capture]\ngoal = true", "it is True"),
        ("[capture]\ngoal = '5'", "it is '5'"),
        ("[capture]\ninterval_s = nan", "it is nan"),
        ("[capture]\ninterval_s = inf", "it is inf"),
        ("[capture]\ninterval_s = -1", "must be a number from 0 to 3,600"),
        ("[capture]\njpeg_quality = 90.5", "[capture]: jpeg_quality must be"),
        ("[capture]\nformat = 'gif'", "[capture]: format must be one of jpeg, png; it is 'gif'"),
        ("[capture]\nburst_s = 0", "[capture]: burst_s must be"),
        ("[capture]\nlicence = 5", "own.toml, [capture]: licence must be text; it is 5"),
    ],
)
def test_invalid_file_is_reported(own: Path, text: str, words: str) -> None:
    own.write_text(text)
    with pytest.raises(InputError) as caught:
        load_settings("capture", CaptureConfig, file=own)
    assert words in caught.value.message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "text", ["second_try = 'no'", "second_try = 1", "seed = 1.5", "group_distance = 2.5", "test_share = 1.0"]
)
def test_curation_settings_are_validated(own: Path, text: str) -> None:
    own.write_text(f"[curate]\n{text}")
    with pytest.raises(InputError, match=text.split(" =")[0]):
        load_settings("curate", CurateConfig, file=own)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"group_distance": 65}, "--group-distance must be a whole number from 0 to 64; it is 65."),
        ({"seed": -1}, "--seed must be a whole number from 0 to 4,294,967,295; it is -1."),
        ({"seed": 1}, "own.toml, [curate]: group_distance must be a whole number from 0 to 64; it is 70."),
        ({"group_distance": None}, "own.toml, [curate]: group_distance must be a whole number from 0 to 64; it is 70."),
    ],
)
def test_error_names_option_or_file(own: Path, flags: dict[str, object], words: str) -> None:
    own.write_text("[curate]\ngroup_distance = 70\n" if "own.toml" in words else "")
    with pytest.raises(InputError) as caught:
        load_settings("curate", CurateConfig, file=own, flags=flags)
    assert caught.value.message.endswith(words)
    assert words.startswith("own.toml") or caught.value.message == words


def test_unreadable_file_is_reported(own: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no configuration file .*own\.toml"):
        load_settings("capture", CaptureConfig, file=own)
    own.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is not a TOML file"):
        load_settings("capture", CaptureConfig, file=own)
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        load_settings("capture", CaptureConfig, file=tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("enabled = 1", "own.toml, [gate]: enabled must be true or false; it is 1"),
        ("edge = -0.1", "[gate]: edge must be a number from 0 to 1"),
        ("blur_fine = 1.1", "must be a number from 0 to 1"),
        ("alike_bits = 65", "must be a whole number from 0 to 64"),
        ("alike_bits = 4.5", "must be a whole number"),
        ("fastest = 'very'", "it is 'very'"),
    ],
)
def test_invalid_gate_setting_is_reported(own: Path, text: str, words: str) -> None:
    own.write_text(f"[gate]\n{text}\n")
    with pytest.raises(InputError) as caught:
        load_settings("gate", GateConfig, file=own)
    assert words in caught.value.message


@pytest.mark.parametrize("text", ["[train]\nfeature = []", "[train]\narchitecture = {a = 1}", "[train]\nfeature = 5"])
def test_text_settings_are_validated(own: Path, text: str) -> None:
    """Found by benchmarks/robustness/fuzz.py: a list as a feature was used as a dictionary key."""
    own.write_text(text)
    with pytest.raises(InputError, match="must be text"):
        load_settings("train", TrainConfig, file=own)
