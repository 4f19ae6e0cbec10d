"""The sandbox, tried by force: every act here is really done, in a real sandbox.

One run does all acts that a program survives, another all that end it; the tests read them.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from exercises.grading import bubble, sandbox
from exercises.grading.channel import Channel, Ended, Garbled, Late
from exercises.grading.sandbox import Ask, Cell, Limits, Run, available, run
from gmmlib.exercises.values import Formula

isolated = pytest.mark.skipif(available() is not None, reason=f"NO ISOLATION HERE: {available()}")

SECRET = "the-answer-is-in-the-environment"
REPOSITORY = Path(__file__).parents[1]

#: Each returns what it achieved; whatever it raises is an answer, too.
ACTS = """
import ctypes, os, resource, socket, subprocess, sys, threading
libc = ctypes.CDLL(None, use_errno=True)

def call(*arguments):
    done = libc.syscall(*arguments)
    return os.strerror(ctypes.get_errno()) if done < 0 else "done"

def read(path):
    with open(path, "rb") as file:
        return file.read(100).decode("latin-1")

def look(path):
    return sorted(os.listdir(path))

def environment():
    return dict(os.environ)

def names():
    return [str(socket.getaddrinfo("example.org", 80))]

def connect():
    socket.socket().connect(("127.0.0.1", 80))

def local():
    socket.socket(socket.AF_UNIX).connect("\\0x")

def fork():
    return os.fork()

def spawn():
    return subprocess.run(["/bin/ls", "/"], capture_output=True).stdout.decode()

def thread():
    threading.Thread(target=print).start()

def kill_parent():
    # The first process of the sandbox takes no signal from inside.
    for pid in (1, os.getppid(), -1):
        try:
            os.kill(pid, 9)
        except OSError:
            pass

def namespace():
    return [call(272, 0x10000000), call(56, 0x10000000 | 17, 0, 0, 0, 0)]

def hidden_memory():
    return [call(319, b"x", 0), call(29, 0, 1 << 20, 0o1600), call(68, 0, 0o1600)]

def trace():
    return [call(101, 16, 1, 0, 0), call(250, 0, -3, 0), call(321, 0, 0, 0)]

def other_architecture_numbers():
    return call(0x40000000 + 41, 2, 1, 0)

def wider():
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))

def limits():
    names = ("AS", "NPROC", "CORE", "FSIZE", "NOFILE")
    return [resource.getrlimit(getattr(resource, "RLIMIT_" + name))[1] for name in names]

def who():
    return [os.getuid(), os.getgid(), len(os.getgroups())]

def writable():
    found = []
    for top in ("/", "/usr", "/etc", "/dev", "/sandbox", "/packages", sys.base_prefix):
        for folder, folders, _ in os.walk(top):
            folders[:] = [name for name in folders if name != "tmp"][:50]
            if folder.count("/") > 4:
                folders.clear()
            try:
                with open(os.path.join(folder, "trace"), "w"):
                    found.append(folder)
            except OSError:
                pass
    return found

def change_packages():
    import numpy
    with open(numpy.__file__, "a") as file:
        file.write("# changed")

def memory():
    return len(bytearray(3 << 30))

def much_memory():
    kept = []
    while True:
        kept.append(bytearray(10 << 20))

def disk():
    for k in range(100):
        with open(f"/tmp/{k}", "wb") as file:
            file.write(bytes(10 << 20))

def one_file():
    with open("/tmp/one", "wb") as file:
        for _ in range(100):
            file.write(bytes(10 << 20))

def tidy():
    for name in os.listdir("/tmp"):
        if name[0] != ".":
            os.remove("/tmp/" + name)
    with open("/tmp/left-behind", "w") as file:
        file.write("here")

def flood():
    for _ in range(200):
        print("x" * 100_000)
        sys.stderr.write("y" * 100_000)
        os.write(1, b"z" * 100_000)
        os.write(2, b"z" * 100_000)

def descriptors():
    found = []
    for k in range(64):
        try:
            os.fstat(k)
            found.append(k)
        except OSError:
            pass
    return found

def keep_running():
    import signal
    for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
"""


def value_of(record: Run, asks: list[Ask], name: str, *arguments):
    """The answer to the ask with this name (and these arguments)."""
    k = next(
        k
        for k, ask in enumerate(asks)
        if ask.name == name and (not arguments or ask.arguments == arguments)
    )
    return record.answers[k]


SIGHTS = [
    "/etc/shadow", "/etc/passwd", "/etc/hostname", "/proc/self/environ", "/proc/1/environ",
    "/proc/self/maps", "/sys/kernel/notes", str(Path.home() / ".bashrc"),
    str(Path.home() / ".gitconfig"), str(REPOSITORY / "README.md"),
    str(REPOSITORY / "exercises/grading/sandbox.py"), str(REPOSITORY / "gmmlib/em.py"),
    str(REPOSITORY / ".git/HEAD"), "/dev/mem", "/dev/vda", "/dev/sda",
]  # fmt: skip
FOLDERS = ["/", "/tmp", "/home", str(Path.home()), str(REPOSITORY), "/var", "/run", "/mnt", "/opt"]


@pytest.fixture(scope="module")
def acts(tmp_path_factory):
    """One sandbox in which everything is tried that need not end it."""
    hidden = tmp_path_factory.mktemp("private") / "ps1-hidden.json"
    hidden.write_text(SECRET)
    names = (
        "environment names connect local fork spawn thread kill_parent namespace hidden_memory "
        "trace other_architecture_numbers wider limits who writable change_packages memory "
        "much_memory disk tidy one_file tidy flood descriptors keep_running environment"
    )
    asks = [Ask(path, "read", (path,)) for path in (*SIGHTS, str(hidden))]
    asks += [Ask(path, "look", (path,)) for path in FOLDERS]
    asks += [Ask(name, name, ()) for name in names.split()]
    os.environ["GRADING_SECRET"] = SECRET
    try:
        record = run([Cell("acts", ACTS)], asks, limits=Limits(seconds_per_call=20))
    finally:
        del os.environ["GRADING_SECRET"]
    print(record)
    return record, asks


def said(acts, name, *arguments):
    return value_of(*acts, name, *arguments)


@isolated
class TestWhatIsInSight:
    @pytest.mark.parametrize("path", SIGHTS)
    def test_no_file_of_the_machine(self, acts, path):
        assert said(acts, "read", path).error.split(":")[0] in (
            "FileNotFoundError", "PermissionError", "NotADirectoryError"
        )  # fmt: skip

    def test_no_hidden_tests(self, acts):
        record, asks = acts
        k = next(k for k, ask in enumerate(asks) if "ps1-hidden" in ask.question)
        assert record.answers[k].error.startswith("FileNotFoundError")

    def test_folders_show_nothing(self, acts):
        assert set(said(acts, "look", "/").value) <= {
            "bin", "dev", "etc", "lib", "lib32", "lib64", "packages", "sandbox", "sbin", "tmp",
            "usr", Path(bubble._python()).parts[1],
        }  # fmt: skip
        assert [name for name in said(acts, "look", "/tmp").value if name[0] != "."] == []
        for folder in ("/home", "/var", "/run", "/mnt", str(REPOSITORY)):
            assert said(acts, "look", folder).error.startswith("FileNotFoundError")

    def test_no_environment(self, acts):
        found = said(acts, "environment").value
        assert SECRET not in json.dumps(found)
        assert found["HOME"] == "/tmp"
        assert not {"SSH_AUTH_SOCK", "VIRTUAL_ENV", "PYTHONPATH"} & found.keys()

    def test_no_descriptor_but_its_own(self, acts):
        assert len(said(acts, "descriptors").value) == 5

    def test_nobody(self, acts):
        if os.geteuid() == 0:
            assert said(acts, "who").value == [65534, 65534, 0]
        else:
            assert said(acts, "who").value[0] == os.getuid()


@isolated
class TestWhatFails:
    @pytest.mark.parametrize("name", ["names", "connect", "local"])
    def test_network(self, acts, name):
        assert "rror" in said(acts, name).error

    @pytest.mark.parametrize("name", ["fork", "spawn", "thread"])
    def test_processes_and_threads(self, acts, name):
        assert said(acts, name).error.split(":")[0] in (
            "PermissionError", "BlockingIOError", "RuntimeError"
        )  # fmt: skip

    @pytest.mark.parametrize("name", ["namespace", "hidden_memory", "trace"])
    @pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86_64")
    def test_system_calls(self, acts, name):
        assert set(said(acts, name).value) == {"Operation not permitted"}

    def test_killing_the_parent(self, acts):
        # The questions after it are answered.
        assert said(acts, "kill_parent").error is None

    def test_limits_stay(self, acts):
        assert said(acts, "wider").error.startswith(("ValueError", "PermissionError"))
        assert said(acts, "limits").value == [2 * 2**30, 0, 0, 64 * 2**20, 64]

    def test_writing(self, acts):
        assert said(acts, "writable").value == []
        assert said(acts, "change_packages").error.startswith(("OSError", "PermissionError"))

    def test_memory(self, acts):
        assert said(acts, "memory").error == "used too much memory"
        assert said(acts, "much_memory").error == "used too much memory"
        assert acts[0].memory < 2100

    def test_disk(self, acts):
        assert "No space left" in said(acts, "disk").error
        assert said(acts, "one_file").error.startswith("OSError")

    def test_it_all_took_one_program(self, acts):
        # x32 numbers kill the program; it is the one act that does.
        assert [note for note in acts[0].notes if "other_architecture" not in note] == []


ENDINGS = [
    ("fine", "before = 1"),
    ("exit", "import os; os._exit(0)"),
    ("loop", "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\n"
             "while True: pass"),
    ("patient", "while True:\n    try:\n        while True: pass\n    except BaseException: pass"),
    ("stop", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"),
    ("crash", "import ctypes; ctypes.string_at(0)"),
    ("closing", "import os; os.closerange(0, 64)"),
    ("garbage", "import os\nfor k in range(3, 64):\n    try: os.write(k, b'garbage\\n')\n"
                "    except OSError: pass"),
    ("forged", "import os\nfor k in range(3, 64):\n"
               "    try: os.write(k, b'{\"key\": \"0\", \"outputs\": [], \"error\": null}\\n')\n"
               "    except OSError: pass"),
    ("deep", "import os\nfor k in range(3, 64):\n    try: os.write(k, b'[' * 60000 + b'\\n')\n"
             "    except OSError: pass"),
    ("endless", "import os\nfor k in range(3, 64):\n    try:\n"
                "        while True: os.write(k, b'x' * 65536)\n    except OSError: pass"),
    ("start-up", "import os\nfor name in ('.ipython/profile_default/startup', '.'):\n"
                 "    os.makedirs('/tmp/' + name, exist_ok=True)\n"
                 "    open(f'/tmp/{name}/sitecustomize.py', 'w').write('import os; os._exit(1)')\n"
                 "    open(f'/tmp/{name}/numpy.py', 'w').write('import os; os._exit(1)')\n"
                 "os._exit(0)"),
    ("functions", "import os, time\ndef double(x): return 2 * x\n"
                  "def leave(): os._exit(0)\ndef hang():\n    while True: pass\n"
                  "def forge():\n    for k in range(3, 64):\n"
                  "        try: os.write(k, b'{\"value\": 1}\\n')\n"
                  "        except OSError: pass\n    return 1\n"
                  "def ahead():\n    for k in range(3, 64):\n"
                  "        try: os.write(k, b'{\"key\": \"1\", \"value\": 1}\\n' * 9)\n"
                  "        except OSError: pass\n    os._exit(0)"),
    ("after", "after = before + 1"),
]  # fmt: skip


@pytest.fixture(scope="module")
def endings():
    """A notebook most of whose cells end the program, and calls that do."""
    asks = [
        Ask("after", "after"), Ask("double", "double", (2,)), Ask("leave", "leave", ()),
        Ask("double", "double", (3,)), Ask("forge", "forge", ()), Ask("hang", "hang", ()),
        Ask("ahead", "ahead", ()), Ask("hang", "hang", ()), Ask("hang", "hang", ()),
        Ask("double", "double", (np.array([1.0, 2.0]),)),
    ]  # fmt: skip
    limits = Limits(seconds_per_cell=2, seconds_per_call=1)
    return run([Cell(*cell) for cell in ENDINGS], asks, limits=limits), asks


@isolated
class TestWhatEndsTheProgram:
    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("exit", "ended the program"),
            ("loop", "took longer than 2 s"),
            ("patient", "took longer than 2 s"),
            ("stop", "took longer than 2 s"),
            ("crash", "ended the program"),
            ("closing", "ended the program"),
            ("garbage", "broke the program: it wrote no message"),
            ("forged", "broke the program: it answered what nobody asked"),
            ("deep", "broke the program: it wrote no message"),
            ("endless", "broke the program: its message is too long"),
            ("start-up", "ended the program"),
        ],
    )
    def test_costs_its_cell(self, endings, name, words):
        k = [cell[0] for cell in ENDINGS].index(name)
        cell = endings[0].cells[k]
        assert (cell.id, cell.error) == (name, words)
        assert words in cell.outputs[0]["text"]
        assert f"Cell {k + 1} ({name}) {words} and was skipped." in endings[0].notes

    def test_the_other_cells_count(self, endings):
        assert [cell.id for cell in endings[0].cells if cell.error is None] == [
            "fine", "functions", "after"
        ]  # fmt: skip
        assert endings[0].answers[0].value == 2

    def test_a_call_costs_itself(self, endings):
        answers = endings[0].answers
        assert answers[2].error == "ended the program"
        assert answers[5].error == "took longer than 1 s"
        assert answers[1].value == 4
        assert answers[3].value == 6
        np.testing.assert_array_equal(answers[9].value, [2.0, 4.0])

    def test_forging_costs_the_call(self, endings):
        assert endings[0].answers[4].error == "broke the program: it answered what nobody asked"
        assert endings[0].answers[6].error == "broke the program: it answered what nobody asked"

    def test_a_question_that_keeps_ending_it_is_given_up(self, endings):
        assert endings[0].answers[7].error == "took longer than 1 s"
        assert endings[0].answers[8].error == "not run: earlier calls ended the program"


POISON = """
import numpy as np

class Yes:
    def __eq__(self, other): return True
    def __reduce__(self): return (print, ("pickled",))
    def __repr__(self): raise SystemExit
    def __array__(self, *a, **k): return np.ones(3)
    free_symbols = ()

class Right(np.ndarray):
    def __eq__(self, other): return np.ones(3, bool)
    def __array_function__(self, *a, **k): return True

class Text(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__

class Angry(Exception):
    def __str__(self): raise SystemExit

same = Yes()
array = np.zeros(3).view(Right)
text = Text("wrong")
many = np.zeros(10**6)
words = "half a pair: \\ud800"
letters = np.array(["a"])
nested = []
for _ in range(100_000): nested = [nested]
def angry(): raise Angry
def red(): raise ValueError("\x1b[31mred")
def leave(): raise SystemExit("bye")
def stop(): raise KeyboardInterrupt
def change(x):
    x[0] = 7
    return 1
def ask(f): return [f(2.0), f(np.array([1.0, 2.0]))]
def bother(f):
    while True: f(0.0)
def wrong(f): return f("text")
def bad(f): return f(object())
"""

PATCH = """
import builtins, json, numpy
json.dumps = lambda *a, **k: '{"value": 42}'
json.loads = lambda *a, **k: {}
numpy.array_equal = numpy.allclose = lambda *a, **k: True
builtins.isinstance = lambda *a: True
x = 1
"""


@pytest.fixture(scope="module")
def poisoned():
    """A notebook of hostile values."""
    variables = ("same", "array", "text", "many", "words", "letters", "nested")
    asks = [Ask(name, name) for name in variables]
    asks += [Ask(name, name, ()) for name in ("angry", "red", "leave", "stop", "missing")]
    asks += [Ask("change", "change", (np.zeros(3),)), Ask("ask", "ask", suspect="double"),
             Ask("bother", "bother", suspect="double"), Ask("wrong", "wrong", suspect="double"),
             Ask("bad", "bad", suspect="double")]  # fmt: skip

    def oracle(suspect, arguments):
        assert suspect == "double"
        return 2 * np.asarray(arguments[0], dtype=float)

    record = run([Cell("poison", POISON)], asks, oracle=oracle, limits=Limits(seconds_per_call=20))
    return record, asks


@isolated
class TestValues:
    def test_an_object_is_its_data(self, poisoned):
        same = value_of(*poisoned, "same")
        assert same.error or isinstance(same.value, Formula)
        assert value_of(*poisoned, "text").value == "wrong"
        assert type(value_of(*poisoned, "text").value) is str
        array = value_of(*poisoned, "array")
        assert array.error or type(array.value) is np.ndarray and not array.value.any()

    def test_half_a_character_is_mended(self, poisoned):
        assert value_of(*poisoned, "words").value == "half a pair: ?"

    @pytest.mark.parametrize(
        ("name", "error"),
        [
            ("many", "ValueError: an array of 1000000 numbers is too large"),
            ("letters", "TypeError: an array of <U1 is not an answer"),
            ("nested", "RecursionError"),
            ("angry", "Angry: (its message cannot be shown)"),
            ("red", "ValueError: ?[31mred"),
            ("leave", "SystemExit: bye"),
            ("stop", "KeyboardInterrupt"),
            ("missing", "NameError: name 'missing' is not defined"),
            ("wrong", "ValueError: ValueError: could not convert"),
            ("bad", "TypeError: a value of type object is not an answer"),
            ("bother", "called the function it was given more than 10000 times"),
        ],
    )
    def test_errors_are_words(self, poisoned, name, error):
        assert value_of(*poisoned, name).error.startswith(error)

    def test_a_change_of_the_arguments_is_seen(self, poisoned):
        assert value_of(*poisoned, "change").changed
        assert value_of(*poisoned, "change").value == 1

    def test_a_stand_in_answers(self, poisoned):
        first, second = value_of(*poisoned, "ask").value
        assert first == 4.0
        np.testing.assert_array_equal(second, [2.0, 4.0])

    def test_patching_harms_only_itself(self):
        record = run([Cell("patch", PATCH)], [Ask("x", "x")], limits=Limits(seconds=20))
        assert record.answers[0].error or record.answers[0].value in (1, 42)
        again = run([Cell("fine", "x = 1")], [Ask("x", "x")])
        assert again.answers[0].value == 1


SHOW = """
import os, sys
print("to stdout")
print("to stderr", file=sys.stderr)
from IPython.display import HTML, Javascript, display
display(HTML("<script>alert(1)</script>"))
display({"image/png": "<script>", "text/html": "<b>", "text/plain": "plain"}, raw=True)
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.show()
1 + 1
"""


@pytest.fixture(scope="module")
def shown():
    """A notebook whose cells show things, fail and import what is refused."""
    cells = {
        "show": SHOW,
        "magic": "%precision 3\n%time x = 1\n[0.123456]",
        "raise": "1 / 0",
        "syntax": "def f(:",
        "shell": "!ls /",
        "input": "input('name? ')",
        "em": "import gmmlib.em",
        "mixture": "from gmmlib import Mixture",
        "sklearn": "from sklearn.mixture import GaussianMixture",
        "file": "import gmmlib.derive",
        "from": "from gmmlib import data\nimport gmmlib\nhasattr(gmmlib, 'exercises')",
        "data": "import gmmlib.data\ngmmlib.data.old_faithful().X.shape",
        "kmeans": "from sklearn.cluster import KMeans\nKMeans(2, n_init=1).fit([[1], [2]]).n_iter_",
        "flood": "for _ in range(100_000): print('x' * 1000)",
        "many": "import sys\nfor _ in range(500): print(1); print(2, file=sys.stderr)",
        "figures": "import numpy as np\nfor _ in range(8):\n    plt.figure()\n"
                   "    plt.imshow(np.random.default_rng(1).random((300, 300)))\n    plt.show()",
        "await": "import asyncio\nawait asyncio.sleep(0)",
        "printing": "import sympy\nsympy.init_printing()\nsympy.Symbol('x') ** 2",
        "exit": "exit()",
        "left": "import os\nsorted(os.listdir('/tmp'))",
    }  # fmt: skip
    limits = Limits(output=500_000)
    record = run(
        [Cell(*cell) for cell in cells.items()], [], refused=("gmmlib", "sklearn.mixture"),
        limits=limits,
    )  # fmt: skip
    return {cell.id: cell for cell in record.cells}, record, limits


@isolated
class TestOutputs:
    def test_kinds_and_order(self, shown):
        outputs = shown[0]["show"].outputs
        assert [output["output_type"] for output in outputs] == [
            "stream", "stream", "display_data", "display_data", "display_data", "execute_result"
        ]  # fmt: skip
        assert outputs[0]["text"] == "to stdout\n"
        assert outputs[5]["data"] == {"text/plain": "2"}
        image = base64.b64decode(outputs[4]["data"]["image/png"])
        assert image.startswith(b"\x89PNG")

    def test_no_html(self, shown):
        assert "<script>" not in json.dumps(shown[0]["show"].outputs)
        assert "text/html" not in json.dumps(shown[0]["show"].outputs)

    def test_they_make_a_notebook(self, shown):
        nbformat = pytest.importorskip("nbformat")
        cells = [
            nbformat.v4.new_code_cell("", outputs=[nbformat.from_dict(o) for o in cell.outputs])
            for cell in map(shown[0].get, ("show", "magic", "raise", "shell", "flood"))
        ]
        nbformat.validate(nbformat.v4.new_notebook(cells=cells))

    @pytest.mark.parametrize(
        ("name", "error"),
        [
            ("raise", "ZeroDivisionError: division by zero"),
            ("syntax", "SyntaxError"),
            ("shell", "UsageError: Shell commands"),
            ("input", "RuntimeError: input() has nobody to ask here"),
            ("em", "ImportError: this problem set asks you to write this yourself: gmmlib.em"),
            ("mixture", "ImportError: this problem set asks you to write this yourself"),
            ("sklearn", "ImportError: this problem set asks you to write this yourself"),
            ("file", "ImportError: this problem set asks you to write this yourself"),
        ],
    )
    def test_failures(self, shown, name, error):
        assert shown[0][name].error.startswith(error)

    @pytest.mark.parametrize(
        "name",
        ["show", "magic", "data", "kmeans", "flood", "left", "from", "await", "printing", "exit"],
    )
    def test_what_works(self, shown, name):
        assert shown[0][name].error is None

    def test_a_flood_is_cut(self, shown):
        text = "".join(output["text"] for output in shown[0]["flood"].outputs)
        assert len(text) < 60_000
        assert "left out" in text

    def test_outputs_have_an_end(self, shown):
        outputs = shown[0]["many"].outputs
        assert len(outputs) < 500
        assert "left out" in outputs[-1]["text"]

    def test_figures_have_an_end(self, shown):
        _, record, limits = shown
        assert len(json.dumps([cell.outputs for cell in record.cells])) < limits.output * 1.2
        assert "left out" in json.dumps(shown[0]["figures"].outputs)


@isolated
class TestAbsence:
    def test_the_files_of_refused_modules_are_not_there(self):
        source = (
            "import sys, os, glob\nsys.meta_path.pop(0)\nfound = []\n"
            "for pattern in ('sklearn/mixture/*', 'scipy/stats/*', 'isympy.py',\n"
            "                'gmmlib/em.py', 'gmmlib/*/derive*'):\n"
            "    for folder in sys.path:\n"
            "        found += [p for p in glob.glob(folder + '/' + pattern) if os.stat(p).st_size]"
        )
        record = run(
            [Cell("look", source)], [Ask("found", "found")],
            refused=("gmmlib", "sklearn.mixture", "scipy.stats", "isympy"),
        )  # fmt: skip
        assert record.answers[0].value == []

    def test_nothing_is_refused_without_asking(self):
        record = run([Cell("all", "from gmmlib import Mixture; import scipy.stats")], [])
        assert record.cells[0].error is None

    def test_a_part_of_gmmlib_may_be_refused(self):
        record = run([Cell("a", "import gmmlib.show")], [], refused=("gmmlib.show",))
        assert record.cells[0].error.startswith("ImportError: this problem set")


@isolated
def test_the_whole_notebook_has_an_end():
    cells = [Cell("a", "x = 1"), Cell("b", "while True: pass"), Cell("c", "y = 1")]
    record = run(cells, [Ask("x", "x")], limits=Limits(seconds=2))
    assert record.seconds < 4
    assert record.cells[1].error == "took the notebook beyond 2 s"
    assert record.cells[2].error == "not run: the notebook took longer than 2 s"
    assert record.answers[0].error == "not run: the notebook took longer than 2 s"
    assert any("longer than 2 s; the rest was not run" in note for note in record.notes)


def programs(mark: str) -> list[str]:
    """Command lines of running programs that hold ``mark``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if mark in line:
            found.append(line)
    return found


@isolated
def test_nothing_stays_behind(tmp_path, monkeypatch):
    def open_descriptors():
        return len(os.listdir("/proc/self/fd"))

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before, mark = open_descriptors(), f"nothing_of_{os.getpid()}"
    seen = []
    source = "import os\nopen('/tmp/left-behind', 'w').write('x')\ndef f(ask): return ask(1)"

    def oracle(suspect, arguments):
        seen.extend(programs(mark))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([Cell("a", source)], [Ask("f", "f", suspect="x")], oracle=oracle, refused=(mark,))
    assert seen, "the workers are not seen while they run"
    assert programs(mark) == []
    assert list(tmp_path.iterdir()) == []
    assert open_descriptors() == before
    assert not Path("/tmp/left-behind").exists()
    record = run([Cell("look", "import os; found = os.listdir('/tmp')")], [Ask("q", "found")])
    assert "left-behind" not in record.answers[0].value


@isolated
def test_the_end_of_the_grader_is_the_end_of_the_sandbox(tmp_path):
    mark = f"orphan_of_{os.getpid()}"
    script = (
        "from exercises.grading.sandbox import Cell, run\n"
        f"run([Cell('loop', 'while True: pass')], [], refused=({mark!r},))"
    )
    places = os.pathsep.join([str(REPOSITORY), *sys.path])
    environment = os.environ | {"PYTHONPATH": places, "TMPDIR": str(tmp_path)}
    grader = subprocess.Popen([sys.executable, "-c", script], env=environment)
    try:
        assert wait_for(lambda: any("/sandbox/worker.py" in line for line in programs(mark)), 20)
    finally:
        grader.kill()
        grader.wait()
    assert wait_for(lambda: programs(mark) == [], 5)


def wait_for(condition, seconds: float) -> bool:
    """Whether ``condition()`` becomes true within ``seconds``."""
    end = time.monotonic() + seconds
    while not (done := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return done


def test_without_isolation_it_must_be_asked_for(monkeypatch):
    monkeypatch.setattr(sandbox, "available", lambda: "bubblewrap is missing: do this")
    with pytest.raises(RuntimeError, match="bubblewrap is missing"):
        run([Cell("a", "x = 1")], [])


def test_unsafe_runs_the_same_worker():
    cells = [Cell("a", "import numpy as np\ndef f(x): return x + 1"), Cell("b", "import gmmlib.em"),
             Cell("c", "while True: pass")]  # fmt: skip
    record = run(
        cells, [Ask("f", "f", (np.arange(3.0),))], unsafe=True, refused=("gmmlib",),
        limits=Limits(seconds_per_cell=2),
    )  # fmt: skip
    np.testing.assert_array_equal(record.answers[0].value, [1.0, 2.0, 3.0])
    assert record.cells[1].error.startswith("ImportError: this problem set")
    assert record.cells[2].error == "took longer than 2 s"


def test_words_for_what_is_missing(monkeypatch):
    monkeypatch.setattr(bubble.shutil, "which", lambda name: None)
    assert "apt install bubblewrap" in bubble.missing()
    monkeypatch.setattr(bubble.sys, "platform", "darwin")
    assert "needs Linux" in bubble.missing()
    assert "sysctl" in bubble.advice("bwrap: No permissions to create new namespace")
    assert "strange" in bubble.advice("strange")


class TestChannel:
    @pytest.fixture
    def pipes(self):
        requests, to = os.pipe()
        back, replies = os.pipe()
        yield Channel(to, back), requests, replies
        for descriptor in (to, back, requests):
            os.close(descriptor)

    def test_silence_ends(self, pipes):
        begin = time.monotonic()
        with pytest.raises(Late):
            pipes[0].receive(time.monotonic() + 0.2)
        assert time.monotonic() - begin < 1
        os.close(pipes[2])

    def test_nobody_reads(self, pipes):
        with pytest.raises(Late):
            pipes[0].send({"text": "x" * 10**6}, time.monotonic() + 0.2)
        os.close(pipes[2])

    def test_the_end(self, pipes):
        os.close(pipes[2])
        with pytest.raises(Ended):
            pipes[0].receive(time.monotonic() + 1)

    @pytest.mark.parametrize(
        "line", [b"\n", b"1\n", b"\xff\n", b'{"a": NaN}\n', b'{"a": "\\ud800"}\n', b'{"a": ' +
                 b"9" * 5000 + b"}\n"]
    )  # fmt: skip
    def test_nonsense(self, pipes, line):
        os.write(pipes[2], line)
        with pytest.raises(Garbled):
            pipes[0].receive(time.monotonic() + 1)
        os.close(pipes[2])

    def test_speaking_out_of_turn(self, pipes):
        os.write(pipes[2], b'{"a": 1}\n{"a": 2}\n')
        assert pipes[0].receive(time.monotonic() + 1) == {"a": 1}
        with pytest.raises(Garbled):
            pipes[0].send({}, time.monotonic() + 1)
        os.close(pipes[2])
