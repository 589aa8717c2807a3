"""The IoU of rotated boxes on the CPU: values as shapely's, gradients as differences tell, and mmcv uses it."""

import sys
from collections.abc import Callable

import numpy as np
import pytest
import shapely
import torch

from common.mmlab.patches.compat import quiet

with quiet():
    import mmcv.ops
    import mmdet  # noqa: F401 before mmrotate
    from mmcv.ops import diff_iou_rotated as mmcv_module
    from mmrotate.models.losses import RotatedIoULoss
    from mmrotate.models.losses import rotated_iou_loss as loss_module

    from common.mmlab.patches import rotated_iou
    from common.mmlab.patches.rotated_iou import iou

N = 50
RIGHT_ANGLE = np.pi / 2
CORNERS = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
NAME = "diff_iou_rotated_2d"


def random_boxes(size: float = 100, away: float = 0, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    centres = away + generator.uniform(0, size, (N, 2))
    return np.column_stack([centres, generator.uniform(size / 20, size, (N, 2)), generator.uniform(-4, 4, N)])


def nearby(boxes: np.ndarray, by: float = 0.1) -> np.ndarray:
    noise = np.random.default_rng(9).normal(0, by, boxes.shape)
    moved = boxes.copy()
    moved[:, :2] += noise[:, :2] * boxes[:, 2:4]
    moved[:, 2:4] *= np.exp(noise[:, 2:4])
    moved[:, 4] += noise[:, 4]
    return moved


def changed(boxes: np.ndarray, along: float = 0, width: float = 1, height: float = 1, turn: float = 0) -> np.ndarray:
    """The boxes pushed by parts of their width along their own axis, resized, and then turned about their centre."""
    result = boxes * [1, 1, width, height, 1] + [0, 0, 0, 0, turn]
    result[:, 0] += along * boxes[:, 2] * np.cos(boxes[:, 4])
    result[:, 1] += along * boxes[:, 2] * np.sin(boxes[:, 4])
    return result


def small_grid(seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    whole = [generator.integers(0, 8, (N, 2)), 2 * generator.integers(1, 4, (N, 2))]
    return np.column_stack([*whole, RIGHT_ANGLE * generator.integers(-2, 3, N)])


ONES = random_boxes()
UPRIGHT = ONES.round() * [2, 2, 2, 2, 0]
LONG = ONES * [1, 1, 0, 0, 1] + [0, 0, 1000, 0.7, 0]
SQUARES = ONES[:, [0, 1, 2, 2, 4]]
EXCHANGED = ONES[:, [0, 1, 3, 2, 4]] + [0, 0, 0, 0, RIGHT_ANGLE]
FLAT = ONES * [1, 1, 0, 1, 1]
POINTS = ONES * [1, 1, 0, 0, 1]

ORDINARY = {
    "anything": (ONES, random_boxes(seed=1)),
    "overlapping": (ONES, nearby(ONES)),
    "almost equal": (ONES, nearby(ONES, 1e-3)),
    "far from the origin": (random_boxes(50, 4000), nearby(random_boxes(50, 4000))),
    "upright": (UPRIGHT, random_boxes(200, seed=2) * [1, 1, 1, 1, 0]),
    "apart": (ONES, changed(ONES, along=3)),
    "inside": (ONES, changed(ONES, along=0.1, width=0.5, height=0.5)),
    "inside and turned": (ONES, changed(ONES, width=0.4, height=0.2, turn=0.1)),
    "turned": (LONG, changed(LONG, turn=0.3)),
    "long": (LONG, nearby(LONG, 0.005)),
    "squares": (SQUARES, changed(SQUARES, turn=np.pi / 4)),
}
SPECIAL = {
    "equal": (ONES, ONES),
    "equal and upright": (UPRIGHT, UPRIGHT),
    "equal with sides exchanged": (ONES, EXCHANGED),
    "equal upside down": (ONES, changed(ONES, turn=np.pi)),
    "equal and long": (LONG, LONG),
    "equal and long upside down": (LONG, changed(LONG, turn=np.pi)),
    "equal squares": (SQUARES, changed(SQUARES, turn=RIGHT_ANGLE)),
    "sides on the same lines": (ONES, changed(ONES, along=0.5)),
    "three shared edges": (ONES, changed(ONES, along=0.25, width=0.5)),
    "two shared edges": (ONES, changed(ONES, width=0.5)),
    "whole numbers": (small_grid(1), small_grid(2)),
    "touching": (ONES, changed(ONES, along=1)),
    "corners on edges": (SQUARES, changed(SQUARES, width=0.5**0.5, height=0.5**0.5, turn=np.pi / 4)),
    "without width": (FLAT, ONES),
    "without width on itself": (FLAT, FLAT),
    "a point": (POINTS, ONES),
    "a point on itself": (POINTS, POINTS),
    "almost without width": (ONES * [1, 1, 1e-30, 1, 1], ONES * [1, 1, 1e-30, 1, 1]),
    "tiny": (ONES * [1, 1, 1e-9, 1e-9, 1], ONES),
}


def by_shapely(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    one, other = polygons(first), polygons(second)
    shared = shapely.area(shapely.intersection(one, other))
    union = shapely.area(one) + shapely.area(other) - shared
    return np.divide(shared, union, out=np.zeros(len(first)), where=union > 1e-12)


def polygons(boxes: np.ndarray) -> np.ndarray:
    x, y = np.moveaxis(CORNERS * boxes[:, None, 2:4], -1, 0)
    cos, sin = np.cos(boxes[:, 4:]), np.sin(boxes[:, 4:])
    return shapely.polygons(np.stack([x * cos - y * sin + boxes[:, :1], x * sin + y * cos + boxes[:, 1:2]], axis=-1))


def single(boxes: np.ndarray) -> torch.Tensor:
    return torch.tensor(boxes, dtype=torch.float32, requires_grad=True)


def double(boxes: np.ndarray) -> torch.Tensor:
    return torch.tensor(boxes, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize(("first", "second"), (ORDINARY | SPECIAL).values(), ids=ORDINARY | SPECIAL)
def test_values_are_those_of_shapely_and_gradients_are_finite(first: np.ndarray, second: np.ndarray) -> None:
    for one, other in ((single(first), single(second)), (single(second), single(first))):
        result = iou(one, other)
        assert result.dtype == torch.float32
        rounded = [boxes.detach().double().numpy() for boxes in (one, other)]
        np.testing.assert_allclose(result.detach().numpy(), by_shapely(*rounded), rtol=0, atol=1e-6)
        result.sum().backward()
        assert one.grad is not None
        assert other.grad is not None
        assert one.grad.isfinite().all()
        assert other.grad.isfinite().all()


@pytest.mark.parametrize(("first", "second"), ORDINARY.values(), ids=ORDINARY)
def test_gradients_are_those_of_small_differences(first: np.ndarray, second: np.ndarray) -> None:
    """Also where both have the same angle, and an edge runs along an axis of the other box."""
    assert torch.autograd.gradcheck(iou, (double(first[:12]), double(second[:12])), atol=1e-6)


@pytest.mark.parametrize(
    ("first", "second"), [SPECIAL[name] for name in ("equal", "equal and upright", "equal and long")]
)
def test_nothing_pulls_at_equal_boxes(first: np.ndarray, second: np.ndarray) -> None:
    one = single(first)
    iou(one, single(second)).sum().backward()
    assert one.grad is not None
    assert one.grad.abs().max() == 0


def test_shared_edges_give_the_mean_of_the_gradients_of_the_two_sides() -> None:
    one, other = double(np.array([[0, 0, 4, 4, 0.0]])), double(np.array([[0, 0, 2, 4, 0.0]]))
    iou(one, other).sum().backward()
    assert one.grad is not None
    wider, higher, lower = -8 * 4 / 16**2, -8 * 4 / 16**2, (2 * 16 - 8 * 2) / 16**2
    np.testing.assert_allclose(one.grad[0], [0, 0, wider, (higher + lower) / 2, 0], atol=1e-12)


def test_a_wrong_box_is_pulled_to_the_right_one() -> None:
    box, target = double(np.array([[50, 40, 30, 12, 0.2]])), double(np.array([[55, 42, 50, 9, 0.5]]))
    optimizer = torch.optim.Adam([box], lr=0.1)
    before = iou(box, target).item()
    for _ in range(200):
        optimizer.zero_grad()
        (1 - iou(box, target)).sum().backward()
        optimizer.step()
    assert before < 0.5
    assert iou(box, target).item() > 0.9


def test_a_negative_side_counts_as_none() -> None:
    boxes = single(ONES * [1, 1, -1, 1, 1])
    result = iou(boxes, single(ONES))
    result.sum().backward()
    assert result.abs().max() == 0
    assert boxes.grad is not None
    assert boxes.grad.isfinite().all()


@pytest.mark.parametrize("shape", [(0, 5), (1, 0, 5), (5,), (2, 3, 5)])
def test_any_number_of_boxes(shape: tuple[int, ...]) -> None:
    assert iou(torch.ones(shape), torch.ones(shape)).tolist() == torch.ones(shape[:-1]).tolist()


MODULES = (mmcv_module, mmcv.ops, loss_module)


@pytest.fixture
def as_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mmcv and mmrotate as they are without us, whatever other tests did; for those it is as before afterwards."""
    for module in MODULES:
        monkeypatch.setattr(module, NAME, rotated_iou.mmcv_iou)


@pytest.mark.usefixtures("as_delivered")
def test_installing_replaces_one_function_wherever_it_is_held_however_often() -> None:
    before = [dict(vars(module)) for module in MODULES]
    rotated_iou.install()
    after = [dict(vars(module)) for module in MODULES]
    rotated_iou.install()
    assert [dict(vars(module)) for module in MODULES] == after
    for old, new in zip(before, after, strict=True):
        assert old.pop(NAME) is rotated_iou.mmcv_iou
        assert new.pop(NAME) is not rotated_iou.mmcv_iou
        assert new == old


@pytest.mark.usefixtures("as_delivered")
@pytest.mark.parametrize("package", ["mmrotate", "mmcv"])
def test_what_is_not_imported_yet_needs_nothing(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in MODULES:
        if module.__name__.startswith(package):
            monkeypatch.delitem(sys.modules, module.__name__)
    rotated_iou.install()
    assert all((m.diff_iou_rotated_2d is rotated_iou.mmcv_iou) == m.__name__.startswith(package) for m in MODULES)


@pytest.mark.usefixtures("as_delivered")
@pytest.mark.parametrize("devices", [("cpu", "cpu"), ("meta", "meta"), ("cpu", "meta"), ("meta", "cpu")])
def test_other_devices_are_left_to_mmcv(devices: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`meta` stands for `cuda`, which has to be there to hold a tensor."""
    calls: list[tuple[torch.Tensor, torch.Tensor]] = []

    def kernel(box1: torch.Tensor, box2: torch.Tensor) -> str:
        calls.append((box1, box2))
        return "of mmcv"

    monkeypatch.setattr(rotated_iou, "mmcv_iou", kernel)
    rotated_iou.install()
    box1, box2 = (torch.ones(1, 3, 5, device=device) for device in devices)
    result = mmcv.ops.diff_iou_rotated_2d(box1=box1, box2=box2)
    if devices == ("cpu", "cpu"):
        assert result.tolist() == [[1, 1, 1]]
        assert not calls
    else:
        assert result == "of mmcv"
        assert calls == [(box1, box2)]


@pytest.mark.usefixtures("as_delivered")
@pytest.mark.parametrize(
    ("mode", "loss_of"),
    [
        ("linear", lambda value: 1 - value),
        ("square", lambda value: 1 - value**2),
        ("log", lambda value: -np.log(value)),
    ],
)
def test_the_loss_of_mmrotate_runs_on_the_cpu(mode: str, loss_of: Callable[[np.ndarray], np.ndarray]) -> None:
    rotated_iou.install()
    pred, target = single(np.concatenate([ONES, FLAT])), single(np.concatenate([nearby(ONES), ONES]))
    loss = RotatedIoULoss(mode=mode)(pred, target, weight=torch.ones(2 * N), avg_factor=2 * N)
    values = np.maximum(by_shapely(pred.detach().double().numpy(), target.detach().double().numpy()), 1e-6)
    assert loss.item() == pytest.approx(loss_of(values).mean(), rel=1e-5)
    loss.backward()
    assert pred.grad is not None
    assert pred.grad.isfinite().all()
    assert pred.grad[:N].abs().sum(dim=1).min() > 0
