"""What the chapters show: figures, the EM player, games, quizzes, cards and tables."""

from gmmlib.show.arcade import chinese_restaurant, guess_k
from gmmlib.show.course_map import course_map
from gmmlib.show.densities import density_figure, ellipse_figure, responsibility_figure
from gmmlib.show.figure import Figure, canvas
from gmmlib.show.games import beat_em, detectives_bet, two_humps
from gmmlib.show.notation import notation_table
from gmmlib.show.player import em_player
from gmmlib.show.progress import progress_table
from gmmlib.show.questions import ask, cards, guess_first, quiz
from gmmlib.show.traces import trace_figure

__all__ = [
    "Figure",
    "ask",
    "beat_em",
    "canvas",
    "cards",
    "chinese_restaurant",
    "course_map",
    "density_figure",
    "detectives_bet",
    "ellipse_figure",
    "em_player",
    "guess_first",
    "guess_k",
    "notation_table",
    "progress_table",
    "quiz",
    "responsibility_figure",
    "trace_figure",
    "two_humps",
]
