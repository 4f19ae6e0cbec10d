"""What the chapters show: figures, quizzes, cards and the notation table."""

from gmmlib.show.densities import density_figure, ellipse_figure, responsibility_figure
from gmmlib.show.figure import Figure, canvas
from gmmlib.show.notation import notation_table
from gmmlib.show.questions import ask, cards, guess_first, quiz
from gmmlib.show.traces import trace_figure

__all__ = [
    "Figure",
    "ask",
    "canvas",
    "cards",
    "density_figure",
    "ellipse_figure",
    "guess_first",
    "notation_table",
    "quiz",
    "responsibility_figure",
    "trace_figure",
]
