"""nbgrader's settings for this course. A course folder's own `nbgrader_config.py` loads them."""

import os
import sys
from pathlib import Path

from nbgrader.converters.autograde import Autograde
from nbgrader.converters.generate_assignment import GenerateAssignment
from nbgrader.preprocessors import ClearSolutions, Execute

from exercises.grading import nbgrader_plugins as plugins
from exercises.grading.feedback import TEMPLATES, FeedbackPage
from exercises.grading.master import STUB

c = get_config()  # noqa: F821 - the loader of settings puts it here

# nbgrader starts alembic by its name: let it be found without an activated environment.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def with_ours(converter, trait, theirs, ours):
    """nbgrader's list of steps, with one of them exchanged."""
    steps = converter.class_traits()[trait].default()
    return [ours if step is theirs else step for step in steps]


c.ClearSolutions.code_stub = {"python": STUB}
c.GenerateAssignment.preprocessors = with_ours(
    GenerateAssignment, "preprocessors", ClearSolutions, plugins.ClearCode
)

c.ZipCollectApp.extractor_plugin = plugins.Unpack
c.ZipCollectApp.collector_plugin = plugins.Collect

c.Autograde.exporter_class = plugins.MendedNotebook
c.Autograde.autograde_preprocessors = with_ours(
    Autograde, "autograde_preprocessors", Execute, plugins.Compare
)

c.GenerateFeedback.exporter_class = FeedbackPage
c.GenerateFeedback.preprocessors = [plugins.Grades]
# By the class's own name, since nbgrader sets its own template for every HTML exporter.
c.FeedbackPage.template_name = "feedback_page"
c.FeedbackPage.extra_template_basedirs = [str(TEMPLATES)]
