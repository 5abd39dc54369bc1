"""Paths of J, Z and other movements."""

import numpy as np
import pytest

from aslkit.synthetic.movements.paths import draw_letter_path, draw_other_path, ease


@pytest.mark.parametrize("letter", ["J", "Z"])
def test_paths_start_at_rest_and_differ(letter: str) -> None:
    rng = np.random.default_rng(0)
    paths = [draw_letter_path(letter, rng) for _ in range(50)]
    for path in paths:
        assert path.progress[0] == 0
        assert path.progress[-1] == pytest.approx(1)
        assert (np.diff(path.progress) >= 0).all()
        place, view = path.at(np.array([0.0, 1.0]))
        assert np.allclose(place[0], 0, atol=1e-6)
        assert np.allclose(view[0], 0, atol=1.0)
    sizes = [np.ptp(path.place[:, 1]) for path in paths]
    assert max(sizes) > 2 * min(sizes)


def test_a_z_turns_back_twice() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        x = draw_letter_path("Z", rng).place[:, 0]
        directions = np.sign(np.diff(x[:: len(x) // 24]))
        directions = directions[directions != 0]
        assert (np.diff(directions) != 0).sum() >= 2


def test_a_j_turns_the_palm() -> None:
    rng = np.random.default_rng(2)
    assert all(np.abs(draw_letter_path("J", rng).view[-1, 0]) >= 40 for _ in range(20))


@pytest.mark.parametrize("shape", ["", "J", "Z"])
def test_other_movements_move(shape: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(30):
        path = draw_other_path(rng, shape=shape)
        assert np.abs(path.place).max() + np.abs(path.view).max() > 1


def test_ease_starts_and_stops_smoothly() -> None:
    share = np.linspace(-0.5, 1.5, 201)
    progress = ease(share)
    assert (np.diff(progress) >= 0).all()
    assert (progress[0], progress[-1]) == (0, 1)
    assert ease(np.array(0.5)) == pytest.approx(0.5)
