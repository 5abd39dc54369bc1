"""Spelling by an unseen signer: letter error rate, and false letters at rest, for three rules.

    ./run bench spelling --workspace data --tune house=without-house longhong=without-longhong \
        --report rahman=without-rahman

SIGNER=RUN is a signer and a run that was not trained on this signer (`aslkit train --hold-out SIGNER`), or `starter`.
The settings of
the rule are tuned on --tune and measured on --report; the defaults are measured on both.

The hands are real, measured on photographs. Simulated are: transitions between letters (interpolated bones), the
movement of a held hand (random frames of the letter follow each other), a tenth of the frames without a detection, and
rest (hanging hands interpolated from real ones, and no hand).
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from aslkit.core.config import load_settings
from aslkit.core.letters import INDEX, LETTERS
from aslkit.inference.load_model import load_network
from aslkit.inference.starter import STARTER_NAME, STARTER_RUN, load_landmark_starter
from aslkit.live.config import LiveConfig
from aslkit.live.observation import Observation, label_probabilities, letter_threshold
from aslkit.live.recogniser import is_rest
from aslkit.live.speller import Speller
from aslkit.live.words.lexicon import load_lexicon
from aslkit.train.data.synthetic_negatives import interpolate_hands, make_rest_hands
from aslkit.vision.preprocess import apply_temperature, canonical_points, landmark_features

Array = npt.NDArray[Any]

FPS = 30
WORDS = 200
HELD_S = (0.5, 0.9)
"""How long a learner holds a letter. Fluent signers, at 5 letters per second, are too fast for any rule that waits."""
WAY_S = (0.15, 0.3)
MISSED = 0.1
REST_S = 120
REFERENCE = 0.85
TRIED = {
    "strictness": (0.5, 0.85, 1.0, 1.5, 2.0, 3.0),
    "hold_s": (0.5, 0.6),
    "agree": (0.25, 0.5, 0.7),
    "release_s": (0.25,),
}
VOCABULARY = """
HELLO LETTER APPLE COFFEE BALLOON SUMMER COOKIE BOOK GREEN TREE SCHOOL WATER MOTHER FATHER SISTER BROTHER FRIEND HOUSE
WINDOW GARDEN FLOWER WINTER SPRING AUTUMN MONDAY TUESDAY FRIDAY SUNDAY MORNING EVENING BREAD BUTTER CHEESE POTATO
TOMATO ONION PEPPER SUGAR DOCTOR NURSE TEACHER STUDENT PAPER PENCIL TABLE CHAIR KITCHEN BATHROOM STREET VILLAGE CITY
COUNTRY RIVER MOUNTAIN FOREST BEACH OCEAN ISLAND BRIDGE STATION TICKET AIRPORT HOTEL MUSIC GUITAR VIOLIN PICTURE
CAMERA FAMILY BABY CHILD HAPPY HUNGRY THIRSTY SLEEP DREAM WALK SWIM DANCE LAUGH LISTEN SPEAK WRITE READ LEARN THINK
REMEMBER FORGET QUICK SLOW LOUD QUIET HEAVY LIGHT WARM COLD YELLOW PURPLE BLACK WHITE BROWN FOX
"""
NAMES = """
XIOMARA KOWALSKI NGUYEN SIOBHAN PRIYANKA DAREL ABIGAIL OLUWASEUN CHUKWU YUKI HIROSHI SVETLANA MAGNUS FREYA ASTRID MATTEO
GIULIA ELOISE THIBAULT GARETH RHYS NIAMH AOIFE CAOIMHE LACHLAN KAYDEN BRAYLEN KEISHA LATOYA DEANDRE TREVON SHANIQUA
NAYELI YAMILETH FATIMAH YUSUF MUSTAFA ABDIRAHMAN SAMIRA LEILA ROHAN DEEPIKA SUNITA WEIMING XUEFENG HAEUN TRANG PHUONG
LINH KRISTOFFER OKONKWO BARTOS
"""
"""Names, of which ten are in the lexicon. None may be changed into another word."""


@dataclass(frozen=True, kw_only=True)
class Film:
    """Frames of a person spelling: what was meant, and what the model says of each frame."""

    word: str
    raw: tuple[Observation, ...]
    """Of each frame the likeliest letter and its probability; nothing is refused yet."""
    resting: tuple[bool, ...]
    """Of each frame, whether the model holds rest for likelier than that letter."""
    threshold: float


class Person:
    """A signer's hands, and a model that never saw them."""

    def __init__(self, workspace: Path, dataset: str, signer: str, run: str) -> None:
        columns = ["signer", "label", "landmarks", "handedness", "width", "height", "augmentation"]
        tables = [
            pq.read_table(path, columns=columns) for path in (workspace / "datasets" / dataset / "data").glob("*")
        ]
        rows = [row for table in tables for row in table.to_pylist() if row["signer"] == signer and row["landmarks"]]
        rows = [row for row in rows if row["augmentation"] is None]
        self.signer, self.label = signer, np.array([row["label"] for row in rows])
        folder = STARTER_RUN if run == STARTER_NAME else workspace / "runs" / run
        metrics = json.loads((folder / "metrics.json").read_text())
        if signer in metrics["trained_on"]["signers"]:
            raise SystemExit(f"{run} was trained on {signer}: specify a run that was not.")
        self.network, self.contract = load_landmark_starter() if run == STARTER_NAME else load_network(folder)
        self.hands = canonical_points(
            np.array([row["landmarks"] for row in rows], np.float32).reshape(-1, 21, 3),
            widths=np.array([row["width"] for row in rows]), heights=np.array([row["height"] for row in rows]),
            left=np.array([row["handedness"] == "left" for row in rows]), mirror_left=self.contract.mirror_left,
        )  # fmt: skip

    def films(self, words: list[str], rng: np.random.Generator) -> list[Film]:
        """Return one film per word of which the signer has all letters, and one of rest."""
        letters = {LETTERS[label] for label in np.unique(self.label)}
        words = [word for word in words if set(word) <= letters and "B" in letters]
        acted = [(word, *self._word(word, rng)) for word in words]
        acted.append(("", *self._rest(rng)))
        features = landmark_features(np.concatenate([hands for _, hands, _ in acted]))
        raw = np.concatenate([self.network(each) for each in np.array_split(features, 1 + len(features) // 4096)])
        said, resting = apply_temperature(raw, self.contract.temperature), is_rest(raw)
        films, start = [], 0
        for word, hands, there in acted:
            rows = slice(start, start + len(hands))
            films.append(self._film(word, said[rows], resting[rows], there))
            start += len(hands)
        return films

    def _film(self, word: str, said: Array, resting: Array, there: Array) -> Film:
        raw = [
            Observation(
                time_s=i / FPS, hand=True, letter=LETTERS[int(p.argmax())], probability=float(p.max()),
                guess=None if rest else LETTERS[int(p.argmax())], probabilities=label_probabilities(p, LETTERS),
            )
            if hand else Observation(time_s=i / FPS, hand=False)
            for i, (p, hand, rest) in enumerate(zip(said, there, resting, strict=True))
        ]  # fmt: skip
        return Film(word=word, raw=tuple(raw), resting=tuple(resting.tolist()), threshold=self.contract.threshold)

    def _hand(self, letter: str, rng: np.random.Generator) -> Array:
        return self.hands[rng.choice(np.flatnonzero(self.label == INDEX[letter]))]

    def _word(self, word: str, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return the joints of each frame, (n, 21, 3), and whether the hand is detected, bool (n,)."""
        frames: list[Array] = []
        before = ""
        last = None
        for letter in word:
            count = round(rng.uniform(*HELD_S) * FPS)
            stills = [self._hand(letter, rng) for _ in range(-(-count // 4))]  # one frame per eighth of a second
            if last is not None:
                way = round(rng.uniform(*WAY_S) * FPS)
                # Between equal letters the hand opens, as signers do.
                via = self._hand("B", rng) if letter == before else None
                frames += _way(last, stills[0], way, via)
            for still, after in zip(stills, [*stills[1:], stills[-1]], strict=True):
                frames += [_blend(still, after, share) for share in (0.0, 0.25, 0.5, 0.75)]
            last, before = stills[-1], letter
        there = rng.random(len(frames)) >= MISSED
        return np.stack(frames), there

    def _rest(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return hanging hands, interrupted by frames without a hand."""
        poses = REST_S
        first, second = (self.hands[rng.integers(len(self.hands), size=poses + 1)] for _ in range(2))
        hanging = make_rest_hands(first, second, rng)
        frames = [_blend(a, b, s) for a, b in pairwise(hanging) for s in np.linspace(0, 1, FPS)]
        there = np.repeat(rng.random(poses) < 0.7, FPS)
        return np.stack(frames), there


def _blend(first: Array, second: Array, share: float) -> Array:
    return np.asarray(interpolate_hands(first[None], second[None], np.array([share]))[0])


def _way(first: Array, second: Array, frames: int, via: Array | None) -> Iterator[Array]:
    stops = [first, second] if via is None else [first, via, second]
    for share in np.linspace(0, len(stops) - 1, (frames if via is None else 2 * frames) + 2)[1:-1]:
        leg = min(int(share), len(stops) - 2)
        yield _blend(stops[leg], stops[leg + 1], float(share - leg))


def by_speller(config: LiveConfig, *, words: bool = False) -> Callable[[Film], str]:
    """The rule of `aslkit live`, with or without corrections by the lexicon."""
    lexicon = load_lexicon() if words else None

    def rule(film: Film) -> str:
        speller = Speller(config=config, lexicon=lexicon)
        least = letter_threshold(film.threshold, config.strictness)
        for seen, resting in zip(film.raw, film.resting, strict=True):
            speller.observe(seen if seen.probability >= least and not resting else replace(seen, letter=None))
        if film.word:
            speller.space(film.raw[-1].time_s)  # a word ends with a space, which corrects it
        return speller.text.replace(" ", "")

    return rule


def by_frame(film: Film) -> str:
    """Write every letter that differs from that of the previous frame, without smoothing."""
    text, before = "", None
    for seen in film.raw:
        if seen.letter is not None and seen.letter != before:
            text += seen.letter
        before = seen.letter
    return text


def by_second(film: Film) -> str:
    """Write the prediction of one frame per second, from a confidence of 0.85: the rule of the reference study."""
    return "".join(
        each.letter for each in film.raw[::FPS] if each.letter is not None and each.probability >= REFERENCE
    )  # fmt: skip


def distance(said: str, meant: str) -> int:
    """Return the edit distance: letters to insert, delete or replace."""
    row = list(range(len(meant) + 1))
    for i, a in enumerate(said, 1):
        row, before = [i, *row[1:]], row
        for j, b in enumerate(meant, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
    return row[-1]


def measure(films: list[Film], rule: Callable[[Film], str]) -> tuple[float, float, float]:
    """Return the letter error rate, the number of false letters per minute of rest, and the share of correct words."""
    words = [film for film in films if film.word]
    spelled = [rule(film) for film in words]
    wrong = sum(distance(text, film.word) for text, film in zip(spelled, words, strict=True))
    right = sum(text == film.word for text, film in zip(spelled, words, strict=True))
    rests = [film for film in films if not film.word]
    return (
        wrong / sum(len(film.word) for film in words),
        sum(len(rule(film)) for film in rests) / (REST_S / 60),
        right / len(words),
    )  # fmt: skip


def list_changed(films: list[Film], before: Callable[[Film], str], after: Callable[[Film], str]) -> list[str]:
    """Return the words that are right before and wrong after."""
    right = [film for film in films if film.word and before(film) == film.word]
    return [f"{film.word} to {after(film)}" for film in right if after(film) != film.word]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", type=Path, default=Path("data"))
    parser.add_argument("--dataset", default="custom")
    parser.add_argument("--tune", nargs="*", default=[], metavar="SIGNER=RUN")
    parser.add_argument("--report", nargs="+", required=True, metavar="SIGNER=RUN")
    parser.add_argument("--names", action="store_true", help="spell each name once instead of common words")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    words = NAMES.split() if options.names else [str(word) for word in rng.choice(VOCABULARY.split(), WORDS)]
    films = {}
    for each in [*options.tune, *options.report]:
        signer, _, run = each.partition("=")
        films[each] = Person(options.workspace, options.dataset, signer, run).films(words, rng)
    default = load_settings("live", LiveConfig)
    rules: dict[str, Callable[[Film], str]] = {
        "aslkit live --no-words": by_speller(default),
        "aslkit live": by_speller(default, words=True),
    }
    if options.tune:
        rules["aslkit live, tuned"] = by_speller(tune([films[each] for each in options.tune], default))
    rules |= {
        "every frame": by_frame,
        f"once a second, {REFERENCE}": by_second,
    }
    for each in [*options.tune, *options.report]:
        count = len(films[each]) - 1
        print(f"\n{'tuned on' if each in options.tune else 'reported'}: {each}, {count} words")
        for name, rule in rules.items():
            errors, false, right = measure(films[each], rule)
            print(
                f"  {name:24}  letter errors {errors:7.1%}   words right {right:6.1%}   "
                f"false letters at rest {false:6.1f} per minute"
            )
        changed = list_changed(films[each], rules["aslkit live --no-words"], rules["aslkit live"])
        print(f"  changed by words although they were read right: {', '.join(changed) or 'none'}")


def tune(people: list[list[Film]], default: LiveConfig) -> LiveConfig:
    """Return the settings with the lowest letter error rate; a false letter per minute at rest counts as 2 %."""
    results = []
    for values in product(*TRIED.values()):
        config = replace(default, **dict(zip(TRIED, values, strict=True)))
        measured = [measure(films, by_speller(config)) for films in people]
        errors, false, _ = (float(np.mean(each)) for each in zip(*measured, strict=True))
        results.append((errors + 0.02 * false, errors, false, config))
    results.sort(key=lambda each: each[0])
    for _, errors, false, config in [*results[:4], *[each for each in results[4:] if each[3] == default]]:
        print(
            f"strictness {config.strictness:g}, hold {config.hold_s:g} s, agree {config.agree:g}, "
            f"release {config.release_s:g} s: letter errors {errors:.1%}, {false:.1f} false letters per minute at rest"
        )
    return results[0][3]


if __name__ == "__main__":
    main()
