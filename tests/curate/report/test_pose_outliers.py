import numpy as np

from aslkit.core.letters import INDEX
from aslkit.curate.report.pose_outliers import draw_poses, find_pose_outliers


def test_one_outlier_per_group_is_found(rng: np.random.Generator) -> None:
    points = rng.normal(0, 0.02, (60, 21, 3)).astype(np.float32) + rng.normal(0, 1, (21, 3)).astype(np.float32)
    median = np.median(points[:40], axis=0)
    points[[7, 8, 9, 20]] += np.array([2, 2.5, 3, 1], np.float32)[:, None, None]
    group = np.arange(60)
    group[[8, 9]] = 7
    label = np.repeat([INDEX["A"], INDEX["B"], INDEX["C"]], [40, 15, 5])
    found = find_pose_outliers(points, label, group)
    assert [(pose.letter, pose.count) for pose in found] == [("A", 40), ("B", 15), ("C", 5)]
    assert [at for at, _ in found[0].outliers] == [9, 20]
    assert found[0].outliers[0][1] > found[0].outliers[1][1] > 3.5
    assert found[1].outliers == found[2].outliers == []
    np.testing.assert_allclose(found[0].median, median, atol=0.02)


def test_drawings_have_the_same_scale(rng: np.random.Generator) -> None:
    small, large = rng.normal(0, 0.1, (12, 21, 3)), rng.normal(0, 1, (12, 21, 3))
    found = draw_poses(
        find_pose_outliers(np.concatenate([small, large]).astype(np.float32), np.repeat([0, 1], 12), np.arange(24)),
    )
    views = [drawing.view.split() for drawing in found]
    assert views[0][2:] == views[1][2:]
    assert sum(thumb for _, thumb in found[0].fingers) == 1
    assert draw_poses([]) == []
