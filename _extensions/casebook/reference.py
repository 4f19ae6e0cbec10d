"""The reference of ``gmmlib``, from its docstrings.

The directive ``gmmlib`` takes a module, and below it the names that are wanted, or none for all the
public ones::

    ```{gmmlib} gmmlib.bayes
    Prior
    Belief
    ```

The source is read and nothing is imported, so no optional package is needed, and signatures show
what their author wrote. numpydoc takes the docstrings apart; what they say is MyST Markdown
already. Names, anchors and links between them are Sphinx's own, of its domain for Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import indent

from docutils import nodes
from docutils.statemachine import StringList
from numpydoc.docscrape import NumpyDocString
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

PACKAGE = "gmmlib"

#: A signature longer than this gets a line for each parameter.
_ROOM = 60

#: Sections of a docstring that list things, in the order in which they are shown.
_LISTS = ("Parameters", "Attributes", "Returns", "Yields", "Raises")

#: Methods with such names are shown where they have a docstring.
_DUNDER = re.compile(r"__(?!init|repr|post_init)\w+__$")

_NAMES = re.compile(r"\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*")
_CODE = re.compile(r"(?<![`}])`([A-Za-z_][\w.]*)`(?!`)")


@dataclass(frozen=True)
class Module:
    """A module of the package, as it is written."""

    name: str
    path: Path
    tree: ast.Module
    lines: tuple[str, ...]

    @property
    def public(self) -> tuple[str, ...]:
        """``__all__``, or the functions and classes that are written here, but for ``_others``."""
        for node in self.tree.body:
            if _name(node) == "__all__":
                return tuple(ast.literal_eval(node.value))
        found = [node.name for node in self.tree.body if isinstance(node, _DEFINITIONS)]
        return tuple(name for name in found if not name.startswith("_"))

    def remark(self, node: ast.stmt) -> str:
        """The comment that explains a value: ``#:`` above it, or else one at its end."""
        found = []
        number = node.lineno - 1
        while number and self.lines[number - 1].lstrip().startswith("#:"):
            number -= 1
            found.insert(0, self.lines[number].lstrip()[2:].strip())
        if not found:
            _, _, comment = self.lines[node.end_lineno - 1][node.end_col_offset :].partition("#")
            found = [comment.strip()]
        return " ".join(found)

    def imported(self) -> Iterator[tuple[str, str, str]]:
        """What comes from elsewhere in the package: its name here, the module, its name there."""
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom):
                origin = node.module or ""
                if node.level:
                    inside = self.name if self.path.name == "__init__.py" else _up(self.name)
                    origin = f"{inside}.{origin}".rstrip(".")
                if origin.split(".")[0] == PACKAGE:
                    for alias in node.names:
                        yield alias.asname or alias.name, origin, alias.name


_DEFINITIONS = (ast.FunctionDef, ast.ClassDef)


def _up(name: str) -> str:
    return name.rpartition(".")[0]


def _name(node: ast.stmt) -> str:
    """The name that a statement defines; empty for others."""
    if isinstance(node, _DEFINITIONS):
        return node.name
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return getattr(target, "id", "")


@cache
def load(root: Path, name: str) -> Module:
    """Read a module of the package that lies in ``root``.

    Raises
    ------
    ValueError
        If there is no such module.
    """
    base = root.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.exists():
            text = path.read_text(encoding="utf-8")
            return Module(name, path, ast.parse(text), tuple(text.splitlines()))
    raise ValueError(f"{PACKAGE} has no module {name!r}")


def find(root: Path, module: str, name: str) -> tuple[Module, ast.stmt]:
    """Where a name of a module is defined, if need be by way of its imports.

    Raises
    ------
    ValueError
        If the module has no such name.
    """
    here = load(root, module)
    for node in here.tree.body:
        if _name(node) == name:
            return here, node
    for known, origin, there in here.imported():
        if known == name:
            return find(root, origin, there)
    raise ValueError(f"{module} has no {name!r}")


def full_name(root: Path, module: str, name: str) -> str:
    """The shortest name under which a reader imports it, such as ``gmmlib.Mixture``."""
    where = find(root, module, name)
    for package in (PACKAGE, *_packages(module)):
        if name in load(root, package).public and find(root, package, name) == where:
            return f"{package}.{name}"
    return f"{where[0].name}.{name}"


def _packages(module: str) -> Iterator[str]:
    """``a.b.c`` lies in ``a.b``, which is asked first: it may list the name."""
    parts = module.split(".")
    yield from (".".join(parts[:size]) for size in range(2, len(parts) + 1))


@dataclass(frozen=True)
class Entry:
    """Writes one name of a module as MyST Markdown."""

    root: Path
    module: Module
    node: ast.stmt
    name: str  # in full

    def text(self) -> str:
        """The name with all that belongs to it, as a directive of the domain for Python."""
        if isinstance(self.node, ast.FunctionDef):
            return self._function(self.node, "py:function", self.name)
        if isinstance(self.node, ast.ClassDef):
            return self._class(self.node)
        value = ast.unparse(self.node.value)
        options = f":value: {value}\n" if len(value) < _ROOM else ""
        remark = self._linked(self.module.remark(self.node))
        return f"::::{{py:data}} {self.name}\n{options}\n{remark}\n::::\n"

    def _function(self, node: ast.FunctionDef, kind: str, name: str) -> str:
        marks = {getattr(mark, "id", "") for mark in node.decorator_list}
        within = kind == "py:method"
        owner = _up(name) if within else ""
        options = [":no-contents-entry:"] if within else []
        body = self._documented(ast.get_docstring(node), owner)
        if marks & {"property", "cached_property"}:
            options += [f":type: {self._type(node.returns)}"] if node.returns else []
            return _directive(4, "py:property", name, options, body)
        if "classmethod" in marks:
            options.append(":classmethod:")
        arguments = self._arguments(node.args, skip_first=within and "staticmethod" not in marks)
        result = f" -> {self._type(node.returns)}" if node.returns else ""
        return _directive(4, kind, f"{name}({arguments}){result}", options, body)

    def _class(self, node: ast.ClassDef) -> str:
        family = list(self._family(node))
        members, made_from, fields = {}, "", {}
        for module, one in family:  # the class itself comes first, and what it says counts
            entry = Entry(self.root, module, one, self.name)
            own = {_name(item): item for item in one.body if _name(item)}
            if not made_from and "__init__" in own:
                made_from = f"({entry._arguments(own['__init__'].args, skip_first=True)})"
            if _is_dataclass(one):
                for name, item in own.items():
                    if isinstance(item, ast.AnnAssign) and not name.startswith("_"):
                        fields.setdefault(name, (entry, item))
            for name, item in own.items():
                shown = not name.startswith("_") or _DUNDER.match(name)
                if isinstance(item, ast.FunctionDef) and shown and ast.get_docstring(item):
                    members.setdefault(name, (entry, item))
        if fields and not made_from:
            made_from = f"({', '.join(e._field(item) for e, item in fields.values())})"
        docstring = ast.get_docstring(node)
        parts = [self._documented(docstring, self.name)]
        told = _explained(docstring)
        rows = [
            (
                name,
                f"`{ast.unparse(item.annotation)}`: {entry.module.remark(item)}".rstrip(": "),
                "",
            )
            for name, (entry, item) in fields.items()
            if name not in told
        ]
        if rows:
            parts.append("```{rubric} Fields\n```\n\n" + self._listed(rows, self.name))
        for name, (entry, item) in members.items():
            parts.append(entry._function(item, "py:method", f"{self.name}.{name}"))
        kind = "py:exception" if self.name.endswith("Error") else "py:class"
        return _directive(6, kind, self.name + made_from, [], "\n\n".join(parts))

    def _family(self, node: ast.ClassDef) -> Iterator[tuple[Module, ast.ClassDef]]:
        """A class and those of this package that it is made from."""
        yield self.module, node
        for base in node.bases:
            try:
                module, found = find(self.root, self.module.name, ast.unparse(base))
            except ValueError:
                continue  # from another package
            if isinstance(found, ast.ClassDef):
                yield from Entry(self.root, module, found, found.name)._family(found)

    # ---- Signatures ------------------------------------------------------------------------------

    def _arguments(self, arguments: ast.arguments, skip_first: bool) -> str:
        shown = deepcopy(arguments)
        if skip_first:
            shown.args = shown.args[1:]
        return ast.unparse(_FullNames(self).visit(shown))

    def _type(self, annotation: ast.expr) -> str:
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            annotation = ast.parse(annotation.value, mode="eval").body
        return ast.unparse(_FullNames(self).visit(deepcopy(annotation)))

    def _field(self, node: ast.AnnAssign) -> str:
        default = f" = {ast.unparse(node.value)}" if node.value else ""
        return f"{_name(node)}: {self._type(node.annotation)}{default}"

    # ---- Docstrings ------------------------------------------------------------------------------

    def _documented(self, docstring: str | None, owner: str) -> str:
        if not docstring:
            return ""
        parsed = NumpyDocString(_prepared(docstring))
        summary = " ".join(parsed["Summary"])
        parts = [summary, "\n".join(parsed["Extended Summary"])]
        parts = [self._linked(part, owner) for part in parts]
        for section in _LISTS:
            if parsed[section]:
                found = [(p.name, p.type, "\n".join(p.desc)) for p in parsed[section]]
                parts.append(f"```{{rubric}} {section}\n```\n\n{self._listed(found, owner)}")
        for section in ("Notes", "Examples"):
            if parsed[section]:
                text = self._linked("\n".join(parsed[section]), owner)
                parts.append(f"```{{rubric}} {section}\n```\n\n{text}")
        return "\n\n".join(filter(None, parts))

    def _listed(self, found: list[tuple[str, str, str]], owner: str) -> str:
        """A definition list; a sentence that names nothing stays a paragraph."""
        lines, open_sentence = [], []
        for name, kind, text in found:
            sentence = " : ".join(filter(None, (name, kind)))
            if name and not _NAMES.fullmatch(name):  # it stands below the list, and goes on so
                open_sentence.append(sentence)
                if text:  # an example, indented
                    lines.append(self._linked(" ".join(open_sentence), owner) + "\n")
                    lines.append(indent(text, "    ") + "\n")
                    open_sentence = []
                continue
            if not name and not text:
                open_sentence.append(sentence)
                continue
            if open_sentence:
                lines.append(self._linked(" ".join(open_sentence), owner) + "\n")
                open_sentence = []
            if name:
                names = [f"`{part.strip()}`" for part in name.split(",")]
                # In a span of their own, since the theme lays out a term in one line.
                term = f"[{', '.join(names)}]{{.names}}" if len(names) > 1 else names[0]
                text = f"{kind}{_joint(name, kind, text)}{text}".strip()
            else:
                term, text = kind, text.strip()
                term = f"`{term}`" if re.fullmatch(r"\w+", term) else term
            said = self._linked(text, owner) or "*not described further*"
            lines.append(f"{term}\n: {indent(said, '  ').lstrip()}\n")
        if open_sentence:
            lines.append(self._linked(" ".join(open_sentence), owner) + "\n")
        return "\n".join(lines)

    def _linked(self, text: str, owner: str = "") -> str:
        """Names of the package in code become links."""

        def link(match: re.Match) -> str:
            target = self._target(match[1], owner)
            return f"{{py:obj}}`{match[1]} <{target}>`" if target else match[0]

        lines = text.splitlines()
        return "\n".join(s if s.startswith("    ") else _CODE.sub(link, s) for s in lines)

    def _target(self, name: str, owner: str) -> str:
        """The full name of what is meant; empty if it is nothing of the package."""
        first, _, rest = name.partition(".")
        if owner:
            cls = find_class(self.root, owner)
            if cls and not rest and any(_name(item) == name for item in cls.body
                                        if isinstance(item, ast.FunctionDef)):  # fmt: skip
                return f"{owner}.{name}"
        module, _, last = name.rpartition(".")
        tries = [(self.module.name, name)] if not module else [(module, last)]
        if module and first != PACKAGE:
            tries.append((f"{PACKAGE}.{module}", last))
        for where, what in tries:
            try:
                home, node = find(self.root, where, what)
            except ValueError:
                continue
            if isinstance(node, _DEFINITIONS) and not what.startswith("_"):
                target = full_name(self.root, home.name, what)
                return "" if target == self.name else target
        return ""


def find_class(root: Path, name: str) -> ast.ClassDef | None:
    """The class of this full name, if it is one."""
    module, _, last = name.rpartition(".")
    try:
        _, node = find(root, module, last)
    except ValueError:
        return None
    return node if isinstance(node, ast.ClassDef) else None


class _FullNames(ast.NodeTransformer):
    """Writes the package's types in full, for links; pages show them short again."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    def visit_arg(self, node: ast.arg) -> ast.arg:
        if node.annotation:
            node.annotation = self.visit(node.annotation)
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.arguments:
        for argument in (*node.posonlyargs, *node.args, *node.kwonlyargs):
            self.visit_arg(argument)
        return node  # defaults stay as they are

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, str) and node.value.isidentifier():  # a type named too early
            return self.visit_Name(ast.Name(node.value, ast.Load()))
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        try:
            module, found = find(self.entry.root, self.entry.module.name, node.id)
        except ValueError:
            return node
        if not isinstance(found, ast.ClassDef):
            return node
        full = full_name(self.entry.root, module.name, node.id)
        return ast.parse(full, mode="eval").body


def _is_dataclass(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(mark) for mark in node.decorator_list)


def _explained(docstring: str | None) -> set[str]:
    """What the parameters and attributes of a docstring name."""
    parsed = NumpyDocString(_prepared(docstring or ""))
    listed = (*parsed["Parameters"], *parsed["Attributes"])
    return {name.strip() for p in listed for name in p.name.split(",")}


def _joint(name: str, kind: str, text: str) -> str:
    """Between the line that names a parameter and those below: a sentence that goes on, or ends."""
    if not text:
        return ""
    full = len(f"    {name} : {kind} {text.split()[0]}") > 100
    goes_on = full or text[0].islower() or kind.endswith((",", ";", ":"))
    return "\n" if goes_on else "\\\n"


def _prepared(docstring: str) -> str:
    """A name list that goes on in the next line on one; indented examples as Markdown has them."""
    return re.sub(r"::$", ":", re.sub(r" *\\\n *", " ", docstring), flags=re.M)


def _directive(colons: int, kind: str, argument: str, options: list[str], body: str) -> str:
    head = "\n".join([f"{':' * colons}{{{kind}}} {argument}", *options])
    return f"{head}\n\n{body}\n{':' * colons}\n"


def module_text(root: Path, module: Module) -> str:
    """What a module's docstring says of it; not its list of contents, which follows anyway."""
    first, *paragraphs = ast.get_docstring(module.tree).split("\n\n")
    contents = 1 if paragraphs and paragraphs[0].startswith("    ") else 0
    kept = [first, *paragraphs[contents:]]
    entry = Entry(root, module, module.tree, module.name)
    return "\n\n".join(entry._linked(_prepared(part)) for part in kept)


class Reference(SphinxDirective):
    """The names of a module: what its docstring says of all, then one after the other."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.app.confdir)
        try:
            module = load(root, self.arguments[0])
            parts = [] if self.content else [module_text(root, module)]
            for name in self.content or module.public:
                where, node = find(root, module.name, name)
                self.env.note_dependency(str(where.path))
                full = full_name(root, module.name, name)
                parts.append(Entry(root, where, node, full).text())
        except ValueError as error:
            raise self.error(str(error)) from None
        self.env.note_dependency(str(module.path))
        holder = nodes.Element()
        lines = "\n\n".join(parts).splitlines()
        self.state.nested_parse(StringList(lines), self.content_offset, holder)
        return holder.children


def _configure(app: Sphinx, config: Config) -> None:
    """Long signatures break; types of other packages are no links, and not missed as such."""
    config.python_maximum_signature_line_length = _ROOM
    config.toc_object_entries_show_parents = "hide"
    config.python_use_unqualified_type_names = True
    ignored = [(r"py:.*", r".*")]
    config.nitpick_ignore_regex = [*config.nitpick_ignore_regex, *ignored]


def _lay_out(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document) -> None:
    """Lines of a signature as spans: Sphinx makes a list of descriptions of nothing of them."""

    def mended(html: str) -> str:
        for tag, mark in (("dl", ' class="sig-lines"'), ("dd", "")):
            html = html.replace(f"<{tag}>", f"<span{mark}>").replace(f"</{tag}>", "</span>")
        return html

    signature = re.compile(r'<dt class="sig sig-object py".*?</dt>', flags=re.S)
    if "sig-object" in context.get("body", ""):
        context["body"] = signature.sub(lambda match: mended(match[0]), context["body"])


def setup(app: Sphinx) -> None:
    """Register the directive ``gmmlib``, and its style sheet."""
    app.add_directive("gmmlib", Reference)
    app.add_css_file("reference.css")  # of the folder _assets
    app.connect("config-inited", _configure)
    app.connect("html-page-context", _lay_out)
