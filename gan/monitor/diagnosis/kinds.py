"""What can be said of a run: one entry for each kind of verdict, with its words. Which one applies: rules.py."""

from __future__ import annotations

from typing import NamedTuple

ALARMS = ("warning", "error")  # severities that want somebody to act
TOO_EARLY = "too-early"  # stands where a kind's key does while there is no verdict
WAIT = "Let it learn a while. The settings are near those that work here, and it is too early to change them."


class Words(NamedTuple):
    """severity: "fine", "note" or one of ALARMS. early: the title in a young run."""

    severity: str
    title: str
    why: str
    try_: str
    early: str = ""


# fmt: off
KINDS: dict[str, Words] = {
    "divergence": Words(
        "error", "Training has blown up",
        "Steps were so large that weights or losses left every useful range. Learning rates are too high, or Adam "
        "forgets how large the gradients are.",
        "Begin again with smaller steps, or with a longer memory of the gradients' size.",
    ),
    "single-colour": Words(
        "warning", "Every picture is a single colour",
        "The generator has run into the end of its range: its last layer is so large that tanh or relu gives one value "
        "everywhere, and from there no gradient leads back.",
        "Begin again with smaller steps for the generator.",
    ),
    "cannot-paint-black": Words(
        "warning", "The generator cannot paint black",
        "Where its last activation is relu, it cannot go below 0, and 0 is mid-grey. The discriminator sees the grey "
        "background and needs nothing else.",
        "End the generator in tanh, which reaches from black to white, and begin again.",
    ),
    "memorisation": Words(
        "warning", "It copies training pictures",
        "There are so few training pictures that the discriminator knows them by heart. The surest way to fool it is "
        "to repeat them.",
        "Train on more pictures; where there are no more, shift and cut them as they are shown, so that none can be "
        "known by heart.",
    ),
    "mode-collapse": Words(
        "warning", "Mode collapse",
        "The generator has found a picture that passes, and makes it from every noise. When the discriminator refuses "
        "it, all pictures move on to the next one together.",
        "Let the generator learn no faster than the discriminator, and keep that one flat around real pictures.",
        early="All pictures alike so far",
    ),
    "partial-collapse": Words(
        "warning", "Partial mode collapse",
        "The generator makes a few pictures again and again, and leaves out the rest of what there is.",
        "Let the generator learn no faster than the discriminator, and keep that one flat around real pictures.",
        early="Few kinds of pictures so far",
    ),
    "not-learning": Words(
        "warning", "Not learning",
        "The pictures are noise, and come no nearer to the training pictures. The two players learn too slowly, or one "
        "so much faster than the other that nothing is to be learned from it.",
        "Bring the learning rates back to where they are known to work.",
        early="Nothing to be seen yet",
    ),
    "oscillation": Words(
        "warning", "The two go round in circles",
        "Each answers where the other was a moment ago: one overshoots, the other follows, and neither gets better. "
        "Momentum and simultaneous steps make it worse.",
        "Let them take turns without momentum, in smaller steps, with a penalty that keeps the discriminator flat.",
    ),
    "discriminator-too-strong": Words(
        "warning", "The discriminator is too strong",
        "It is always sure, so no small change of a picture changes its verdict: the generator gets no hint which way "
        "is better.",
        "Let both learn equally fast, with the non-saturating objective, and keep the discriminator flat.",
    ),
    "generator-too-strong": Words(
        "warning", "The generator is too strong",
        "The discriminator cannot tell its pictures from real ones, although they are nothing like them: it learns too "
        "slowly to teach the generator anything.",
        "Lower the generator's learning rate to the discriminator's, or give the discriminator more or larger steps.",
    ),
    "getting-worse": Words(
        "warning", "Getting worse",
        "It was better before. The discriminator has begun to know the training pictures by heart, or steps are too "
        "large for what is left to learn.",
        "Go back to the best state, with smaller steps from there.",
    ),
    "plateau": Words(
        "note", "You can stop",
        "It has learned what these networks can learn with these settings.",
        "Keep the best state. Smaller steps from there may still polish it.",
    ),
    "learning": Words(
        "fine", "Still raw, but improving",
        "The generated pictures are not much like real ones yet, but they come nearer. Every training begins "
        "like this.",
        "Let it learn a while; when nothing changes, this line will say so.",
    ),
    "incomparable": Words(
        "fine", "Too alike to judge",
        "There is a single training picture, or they hardly differ, so nothing tells how much generated ones should.",
        "Train on pictures that differ, if you want more than these.",
    ),
    "cannot-tell": Words(
        "fine", "Cannot tell yet",
        "What this run has written down says neither that it is well nor that something is wrong.",
        "Let it learn a while.",
    ),
    "healthy": Words(
        "fine", "Healthy so far",
        "The pictures have come near the training pictures, they vary as those do, and neither player has won.",
        "Let it learn.",
    ),
}
# fmt: on
