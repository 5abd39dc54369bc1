"""A run's figures in words: the terminal and the report say the same."""

from typing import Any, Final

_TESTED: Final = {
    "signer": "people it never saw",
    "session": "another sitting of the same person",
    "block": "a later moment of the same recording",
}


_IN_TURN: Final = {
    "signer": "people it never saw, each left out in turn",
    "session": "sittings it never saw, each left out in turn",
    "block": "moments it never saw, each left out in turn",
}

_SEEN: Final = "All people of this dataset were trained on, so the figure flatters. It says nothing of strangers."

_FEW: Final = 5
"""Of fewer people the bootstrap knows too little: its interval is then a lower bound of the doubt."""


def describe_false_letters(rejection: dict[str, Any]) -> str:
    """How many letters would be said in a minute that nobody signed."""
    number = rejection["false_letters_a_minute"]
    return "not measured" if number is None else f"{number:.1f} a minute"


def describe_synthetic(metrics: dict[str, Any]) -> str:
    """Which synthetic people were learned from beside the real ones; empty where none were."""
    number = metrics["trained_on"].get("synthetic_signers", 0)
    return f", and from {number} synthetic signers, signing and at rest, that weigh as one person" if number else ""


def describe_transfer(metrics: dict[str, Any]) -> str:
    """What beginning with another network brought; empty where the network began by chance."""
    found = metrics.get("transfer")
    if found is None:
        return ""
    with_it, without = headline_accuracy(metrics), (found["from_scratch"] or {}).get("accuracy")
    if with_it is None or without is None:
        return f"It began with {found['start']}; what that brought was not measured."
    points = 100 * (with_it - without)
    change = f"{abs(points):.1f} points {'more' if points > 0 else 'less'}"
    return f"It began with {found['start']}: {100 * with_it:.1f} %, from scratch {100 * without:.1f} %, {change}."


def headline_accuracy(metrics: dict[str, Any]) -> float | None:
    """The figure that a run is known by: the mean over those left out in turn, or that on its one test."""
    figure: float | None = metrics["cv"]["mean"] if "cv" in metrics else metrics["unseen"]["accuracy"]
    return figure


def headline(metrics: dict[str, Any]) -> dict[str, str]:
    """The few sentences that a run comes down to.

    Returns:
        tested: what the headline figure was measured on.
        gap: what the difference to the random split means.
        warning: what the figure cannot tell; empty where it is on real people, each of one name.
        doubt: how sure the figure is; empty where it was not cross-validated.
    """
    unseen, flattering = metrics["unseen"], metrics["random_split"]
    evaluated = metrics.get("evaluated", {})
    if seen := evaluated.get("trained_on_too"):
        tested = f"people it was trained on: {', '.join(seen)}"
        return {"tested": tested, "gap": "", "warning": _SEEN, "doubt": ""}
    tested = (_IN_TURN if "cv" in metrics and not evaluated else _TESTED)[unseen["by"]]
    if metrics["synthetic"]:
        tested = f"{tested} (synthetic)"
    if unseen["by"] == "signer":
        tested += f": {', '.join(unseen['held_out'])}"
    tested += _letters(metrics)
    gap = _gap(metrics, flattering["accuracy"])
    warning = " ".join(filter(None, [*metrics.get("people_alike", ()), _warning(metrics)]))
    return {"tested": tested, "gap": gap, "warning": warning, "doubt": _doubt(metrics.get("cv"))}


def _doubt(cv: dict[str, Any] | None) -> str:
    """How far the mean may be off for others, from those there are."""
    if cv is None:
        return ""
    number, what = len(cv["each"]), {"signer": "people", "session": "sittings", "block": "moments"}[cv["by"]]
    if cv["interval"] is None:
        return f"From one of {what}: how far the next one lies cannot be told."
    low, high = cv["interval"]
    text = f"{cv['level']:.0%} interval of the mean {100 * low:.1f} to {100 * high:.1f} %, drawn from {number} {what}"
    few = f"; so few say little of the next, who may lie outside of {_range(cv)}" if number < _FEW else ""
    return f"{text}, not from frames{few}."


def _range(cv: dict[str, Any]) -> str:
    shares = [100 * each["accuracy"] for each in cv["each"]]
    return f"{min(shares):.1f} to {max(shares):.1f} %"


def _letters(metrics: dict[str, Any]) -> str:
    """Which part of the letters the figure is about, where it is not all of them."""
    tested, trained = len(metrics["unseen"]["per_letter"]), len(metrics["trained_on"]["letters"])
    return f", {tested} of {trained} letters" if tested < trained else ""


def _gap(metrics: dict[str, Any], flattering: float | None) -> str:
    unseen = headline_accuracy(metrics)
    if flattering is None:
        return "The random split was not measured."
    if unseen is None:
        return "Nothing could be held out, so nothing is known about how well it works."
    if few := _letters(metrics):
        return f"The two cannot be compared: what could be held out shows{few.removeprefix(',')} only."
    points = round(100 * (flattering - unseen))
    if points < 1:
        return "The random split flatters by less than a point here."
    if points == 1:
        return "About 1 point of the random-split figure was memory, not skill."
    return f"About {points} points of the random-split figure were memory, not skill."


def _warning(metrics: dict[str, Any]) -> str:
    unseen = metrics["unseen"]
    if metrics["synthetic"]:
        return (
            "These signers are synthetic: the figure shows that the tools work, not how well real hands are recognised."
        )
    if unseen["by"] != "signer":
        return (
            "There is only one signer, so the figure says little about other people. "
            "Record one more: aslkit capture --letter A --signer NAME"
        )
    untrained = [letter for letter, each in unseen["per_letter"].items() if each["accuracy"] == 0]
    if untrained:
        return f"Never right on: {' '.join(untrained)}. See the confusion matrix for what was said instead."
    return ""
