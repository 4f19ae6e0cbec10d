"""How a worker starts: in bubblewrap with nothing of this machine in sight, or (unsafe) without.

Inside there are the system's libraries and Python, read-only; the packages, without the refused
modules; the worker; and a small /tmp. There is no network, no other process, no home, no course.
"""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import platform
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

#: Nobody's user and group.
NOBODY = "65534"

REASON = (
    "this problem set asks you to write this yourself: {name} is not available while your "
    "answers run"
)

#: What there is of gmmlib when it is refused.
KEPT = ("data", "exercises")

GMMLIB = '''"""gmmlib without what the problem set asks for."""


def __getattr__(name):
    if name.startswith("__") or name in {kept!r}:
        raise AttributeError(name)
    raise ImportError({reason!r}.format(name="gmmlib." + name))
'''

#: System calls that the worker does without, by machine (AUDIT_ARCH, then numbers), and why.
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
REFUSED_CALLS = (
    # Network, even within the empty network of the sandbox.
    ("socket", 41, 198, errno.ENETUNREACH),
    # Processes and threads: each could have the whole memory once more.
    ("clone", 56, 220, errno.EPERM),
    ("fork", 57, None, errno.EPERM),
    ("vfork", 58, None, errno.EPERM),
    ("clone3", 435, 435, errno.ENOSYS),
    # Namespaces: in its own one a program may mount a file system as large as the memory.
    ("unshare", 272, 97, errno.EPERM),
    ("setns", 308, 268, errno.EPERM),
    # Memory that no limit of a process counts.
    ("memfd_create", 319, 279, errno.EPERM),
    ("memfd_secret", 447, 447, errno.EPERM),
    ("shmget", 29, 194, errno.EPERM),
    ("msgget", 68, 186, errno.EPERM),
    ("semget", 64, 190, errno.EPERM),
    ("mq_open", 240, 180, errno.EPERM),
    # Other programs and the keys of the user; wide doors of the kernel.
    ("ptrace", 101, 117, errno.EPERM),
    ("process_vm_readv", 310, 270, errno.EPERM),
    ("process_vm_writev", 311, 271, errno.EPERM),
    ("add_key", 248, 217, errno.EPERM),
    ("request_key", 249, 218, errno.EPERM),
    ("keyctl", 250, 219, errno.EPERM),
    ("bpf", 321, 280, errno.EPERM),
    ("perf_event_open", 298, 241, errno.EPERM),
    ("userfaultfd", 323, 282, errno.EPERM),
    ("io_uring_setup", 425, 425, errno.EPERM),
)


def build(folder: Path, refused: Sequence[str]) -> None:
    """Fill ``folder`` with what the sandbox shows of this project, readable by everybody.

    Raises
    ------
    ImportError
        If gmmlib is not installed here.
    """
    gmmlib = _gmmlib()
    folder.chmod(0o755)
    for name in ("empty", "fonts", "library", "scratch"):
        (folder / name).mkdir()
    (folder / "empty.py").touch()
    shutil.copyfile(Path(__file__).with_name("worker.py"), folder / "worker.py")
    shutil.copyfile(gmmlib / "exercises" / "values.py", folder / "values.py")
    copy = folder / "library" / "gmmlib"
    left_out = shutil.ignore_patterns("__pycache__")
    if "gmmlib" in refused:
        for name in KEPT:
            shutil.copytree(gmmlib / name, copy / name, ignore=left_out)
        (copy / "__init__.py").write_text(GMMLIB.format(reason=REASON, kept=KEPT))
    else:
        shutil.copytree(gmmlib, copy, ignore=left_out)
        for name in refused:
            for found in _files(folder / "library", name):
                shutil.rmtree(found) if found.is_dir() else found.unlink()
    for file, text in _fonts().items():
        (folder / "fonts" / file).write_text(text)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def command(
    folder: Path,
    refused: Sequence[str],
    bounds: dict[str, float],
    pipes: tuple[int, int],
    filter_: int | None,
) -> tuple[list[str], dict[str, str]]:
    """The command that starts a worker, and its environment.

    Parameters
    ----------
    folder : what `build` filled
    refused : dotted names of modules
    bounds : memory, disk (bytes) and seconds
    pipes : the descriptors on which the worker reads requests and writes replies
    filter_ : a descriptor with `system_call_filter`; None starts the worker without isolation
    """
    inside = filter_ is not None
    here, scratch = ("/sandbox", "/tmp") if inside else (str(folder), str(folder / "scratch"))
    packages = _packages()
    settings = bounds | {
        "requests": pipes[0],
        "replies": pipes[1],
        "refused": _refused_names(refused),
        "reason": REASON,
        "library": f"{here}/library",
        "values": f"{here}/values.py",
        "fonts": f"{here}/fonts",
        "packages": [f"/packages/{k}" for k in range(len(packages))]
        if inside
        else list(map(str, packages)),
    }
    python = [_python(), "-I", "-S", "-B", f"{here}/worker.py", json.dumps(settings)]
    if inside:
        python = _bubblewrap(folder, packages, refused, int(bounds["disk"]), filter_) + python
    return python, _environment(scratch)


def system_call_filter() -> bytes:
    """A seccomp program that fails the `REFUSED_CALLS`, for bubblewrap.

    Raises
    ------
    KeyError
        If the machine is neither x86_64 nor aarch64.
    """
    architecture, column = MACHINES[platform.machine()]
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    allow, fail, kill = 0x7FFF0000, 0x00050000, 0x80000000
    program = [
        # Calls of another architecture have other numbers.
        (load, 0, 0, 4),
        (equal, 1, 0, architecture),
        (give, 0, 0, kill),
        (load, 0, 0, 0),
        (at_least, 0, 1, 0x40000000),
        (give, 0, 0, kill),
    ]
    for _, *numbers, error in REFUSED_CALLS:
        if numbers[column] is not None:
            program += [(equal, 0, 1, numbers[column]), (give, 0, 0, fail | error)]
    program.append((give, 0, 0, allow))
    return b"".join(struct.pack("=HBBI", *step) for step in program)


def missing() -> str | None:
    """What isolation needs and this machine has not, in words; None if nothing is missing."""
    if not sys.platform.startswith("linux"):
        return (
            "Isolation needs Linux (for example in Docker, WSL or a virtual machine); without it, "
            "use --unsafe only for programs that you trust."
        )
    if platform.machine() not in MACHINES:
        return f"Isolation works on {' and '.join(MACHINES)}, not on {platform.machine()}."
    programs = {"bwrap": "bubblewrap"} | ({"setpriv": "util-linux"} if os.geteuid() == 0 else {})
    for program, package in programs.items():
        if shutil.which(program) is None:
            return f"{package} is missing: sudo apt install {package} (or your system's command)."
    return None


def advice(complaint: str) -> str:
    """What to do when bubblewrap is there and fails with ``complaint``."""
    low = complaint.lower()
    if "namespace" in low or "uid map" in low or "operation not permitted" in low:
        return (
            "This system lets no program isolate another one. On your own Linux machine: "
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu 24.04 and newer) "
            "or sudo sysctl kernel.unprivileged_userns_clone=1 (older Debian). In Docker: start "
            f"the container with --privileged. bubblewrap says: {complaint}"
        )
    return (
        "The sandbox does not start. Its user must be able to read Python and the packages "
        f"(for root that is nobody). It says: {complaint or 'nothing'}"
    )


def _bubblewrap(
    folder: Path, packages: list[Path], refused: Sequence[str], disk: int, filter_: int
) -> list[str]:
    root = os.geteuid() == 0
    line = [
        shutil.which("bwrap"),
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
    ]
    line += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--hostname", "sandbox"]
    if root:
        # What setpriv needs to become nobody; it keeps none of them.
        line += ["--cap-drop", "ALL"]
        for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
            line += ["--cap-add", capability]
    else:
        line += ["--unshare-user"]
    # First, for a Python that lies in /tmp.
    line += ["--perms", "1777", "--size", str(disk), "--tmpfs", "/tmp"]
    line += ["--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        if os.path.islink(name):
            line += ["--symlink", os.readlink(name), name]
        elif os.path.isdir(name):
            line += ["--ro-bind", name, name]
    base = Path(sys.base_prefix).resolve()
    # Folders on the way would be for their owner alone.
    for parent in (*reversed(base.parents[:-1]), Path("/etc"), Path("/packages")):
        line += ["--perms", "0755", "--dir", str(parent)]
    for name in ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime"):
        line += ["--ro-bind-try", name, name]
    if not base.is_relative_to("/usr"):
        line += ["--ro-bind", str(base), str(base)]
    # Packages of other Pythons: a refused module may be there, too.
    for prefix in {Path("/usr"), Path("/usr/local"), base}:
        for found in prefix.glob("lib*/python3*/*-packages"):
            line += ["--ro-bind", str(folder / "empty"), str(found)]
    line += ["--ro-bind", str(folder), "/sandbox"]
    for k, package in enumerate(packages):
        line += ["--ro-bind", str(package), f"/packages/{k}"]
        for name in refused:
            for found in _files(package, name):
                mask = folder / ("empty" if found.is_dir() else "empty.py")
                line += ["--ro-bind", str(mask), f"/packages/{k}/{found.relative_to(package)}"]
    # A file system of its owner (/, /dev/shm) would be a way around the bound on the disk.
    line += ["--dev", "/dev", "--remount-ro", "/dev"]
    line += ["--remount-ro", "/", "--chdir", "/tmp", "--seccomp", str(filter_), "--"]
    if root:
        line += ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]
        line += ["--inh-caps=-all", "--bounding-set=-all", "--"]
    return line


def _files(package: Path, name: str) -> list[Path]:
    """Where module ``name`` lies in a folder of packages: its folder, or its files."""
    place = package.joinpath(*name.split("."))
    if place.is_dir():
        return [place]
    return [
        found
        for pattern in (f"{place.name}.*", f"__pycache__/{place.name}.*")
        for found in place.parent.glob(pattern)
        if found.is_file() and found.name.split(".")[0] == place.name
    ]


def _gmmlib() -> Path:
    spec = importlib.util.find_spec("gmmlib")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("gmmlib is missing: pip install -e .")
    return Path(next(iter(spec.submodule_search_locations)))


def _refused_names(refused: Sequence[str]) -> list[str]:
    """The modules whose import fails: of gmmlib all but the exercises and the data."""
    if "gmmlib" not in refused:
        return list(refused)
    names = {path.stem for path in _gmmlib().iterdir()}
    kept = {"__init__", "__pycache__", *KEPT}
    return [name for name in refused if name != "gmmlib"] + [
        f"gmmlib.{name}" for name in sorted(names - kept)
    ]


def _packages() -> list[Path]:
    """The folders of packages that this Python imports from."""
    names = ("site-packages", "dist-packages")
    found = (Path(entry) for entry in sys.path if Path(entry).name in names)
    return list(dict.fromkeys(path for path in found if path.is_dir()))


def _python() -> str:
    # Not the one of the virtual environment: its folder is not in the sandbox.
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def _environment(scratch: str) -> dict[str, str]:
    one = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT"), "1"
    )
    return one | {
        "PATH": "/usr/bin:/bin",
        "HOME": scratch,
        "TMPDIR": scratch,
        "USER": "learner",
        "LOGNAME": "learner",
        "LANG": "C.UTF-8",
        "IPYTHONDIR": f"{scratch}/.ipython",
        "MPLCONFIGDIR": f"{scratch}/.matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        # joblib would try to share memory between processes, and warn.
        "JOBLIB_MULTIPROCESSING": "0",
    }


@cache
def _fonts() -> dict[str, str]:
    """Matplotlib's list of fonts, as the file it looks for; without those of somebody's home."""
    try:
        from matplotlib import font_manager
    except ImportError:
        return {}
    manager = font_manager.fontManager
    data = json.loads(json.dumps(manager, cls=font_manager._JSONEncoder))
    for kind in ("ttflist", "afmlist"):
        data[kind] = [
            font
            for font in data.get(kind, [])
            if not os.path.isabs(font["fname"]) or font["fname"].startswith("/usr/")
        ]
    return {f"fontlist-v{manager.__version__}.json": json.dumps(data)}


def start(line: list[str], environment: dict[str, str], descriptors: Sequence[int], folder: Path):
    """The process of ``line``, in a group of its own, with ``descriptors`` kept open."""
    return subprocess.Popen(
        line,
        env=environment,
        pass_fds=tuple(descriptors),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=folder / "scratch",
        # Ctrl-C is for the grader, which then ends the sandbox itself.
        start_new_session=True,
    )
