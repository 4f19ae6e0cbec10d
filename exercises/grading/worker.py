"""The inner side of the sandbox: runs cells and calls, and writes what came of them.

This file runs as a program beside the answers it runs, so nothing it says is believed: the other
side (`exercises.grading.sandbox`) takes values from it and compares them, no more. Started with one
argument, the settings as JSON, by ``python -I -S -B``; the pipes are its own, not stdin and stdout.
"""

from __future__ import annotations

import base64
import builtins
import importlib.abc
import importlib.util
import io
import json
import os
import resource
import shutil
import sys

#: Text that a cell may print; a figure counts towards the room of the whole notebook instead.
MOST_TEXT = 50_000

#: Outputs of one cell.
MOST_OUTPUTS = 400


class Refusal(importlib.abc.MetaPathFinder):
    """Says in words why a refused module is not there (its files are not there either)."""

    def __init__(self, names: list[str], reason: str) -> None:
        self._names, self._reason = names, reason

    def find_spec(self, name, path=None, target=None):
        if name in self._names:
            raise ImportError(self._reason.format(name=name), name=name)


class Outputs:
    """What a cell shows, in the order of showing, as outputs of a notebook; bounded."""

    def __init__(self) -> None:
        self.start(0)

    def start(self, room: int) -> None:
        self.list, self._room, self._text, self._cut = [], room, MOST_TEXT, False

    def text(self, name: str, text: str) -> None:
        kept = text[: min(self._text, self._room)] if len(self.list) < MOST_OUTPUTS else ""
        self._text -= len(kept)
        self._room -= len(kept)
        self._stream(name, kept)
        if len(kept) < len(text):
            self._close()

    def show(self, kind: str, data: dict, count: int | None = None) -> None:
        bundle = {}
        if isinstance(text := data.get("text/plain"), str):
            bundle["text/plain"] = text[:MOST_TEXT]
        if image := data.get("image/png"):
            image = base64.b64encode(image).decode() if isinstance(image, bytes) else image
            bundle["image/png"] = image
        self._add(
            {"output_type": kind, "data": bundle, "metadata": {}}
            | ({"execution_count": count} if kind == "execute_result" else {})
        )

    def error(self, name: str, message: str, traceback: list[str]) -> None:
        lines = "\n".join(traceback)
        if len(lines) > 10_000:
            lines = lines[:5_000] + "\n...\n" + lines[-5_000:]
        self._add(
            {
                "output_type": "error",
                "ename": name[:200],
                "evalue": message[:2_000],
                "traceback": lines.split("\n"),
            }
        )

    def _stream(self, name: str, text: str) -> None:
        last = self.list[-1] if self.list else {}
        if not text:
            return
        if last.get("output_type") == "stream" and last["name"] == name:
            last["text"].append(text)
        else:
            self.list.append({"output_type": "stream", "name": name, "text": [text]})

    def _add(self, output: dict) -> None:
        size = len(json.dumps(output))
        if size > self._room or len(self.list) >= MOST_OUTPUTS:
            self._close()
        else:
            self._room -= size
            self.list.append(output)

    def _close(self) -> None:
        if not self._cut:
            self._cut = True
            self._stream("stderr", "\n[the rest of the output is left out]\n")


class Stream(io.TextIOBase):
    """Stands for stdout or stderr."""

    encoding = "utf-8"

    def __init__(self, name: str, outputs: Outputs) -> None:
        self.name, self._outputs = name, outputs

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() takes a text, not {type(text).__name__}")
        self._outputs.text(self.name, text)
        return len(text)


def make_shell(outputs: Outputs):
    """IPython without history, threads, colours and configuration, showing into ``outputs``."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.error import UsageError
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets import Type
    from traitlets.config import Config

    class Hook(DisplayHook):
        def start_displayhook(self):
            pass

        def write_output_prompt(self):
            pass

        def write_format_data(self, format_dict, md_dict=None):
            outputs.show("execute_result", format_dict, self.prompt_count)

        def finish_displayhook(self):
            pass

    class Publisher(DisplayPublisher):
        def publish(self, data, *args, **kwargs):
            outputs.show("display_data", data)

        def clear_output(self, wait=False):
            outputs.list.clear()

    class Shell(InteractiveShell):
        displayhook_class = Type(Hook)
        display_pub_class = Type(Publisher)

        def _showtraceback(self, etype, evalue, stb):
            outputs.error(etype.__name__, say(evalue), stb)

        def system(self, *command, **options):
            raise UsageError("Shell commands such as !pip do not run while your answers run.")

        system_piped = system_raw = getoutput = system

        def enable_gui(self, gui=None):
            pass

        def ask_exit(self):
            """For ``exit()``: the other cells run all the same."""

    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    shell = Shell.instance(config=config, colors="nocolor")
    shell.display_formatter.active_types = ["text/plain", "image/png"]
    return shell


def no_input(prompt=""):
    raise RuntimeError("input() has nobody to ask here: write the value into the cell")


def say(error: BaseException) -> str:
    """The message of an exception, whatever its own ``__str__`` does."""
    try:
        return str(error)
    except BaseException:
        return "(its message cannot be shown)"


def describe(error: BaseException) -> str:
    """An exception in one line."""
    if isinstance(error, MemoryError):
        return "used too much memory"
    message = " ".join(say(error)[:1000].split())[:200]
    return f"{type(error).__name__[:100]}: {message}".removesuffix(": ")


class Worker:
    """Answers requests until there are no more."""

    def __init__(self, settings: dict, values) -> None:
        self._requests = os.fdopen(settings["requests"], "rb")
        self._replies = settings["replies"]
        self._encode, self._decode = values.encode, values.decode
        self._outputs = Outputs()
        self._shell = make_shell(self._outputs)
        sys.stdout = Stream("stdout", self._outputs)
        sys.stderr = Stream("stderr", self._outputs)
        builtins.input = no_input

    def serve(self) -> None:
        self._write({"ready": True})
        while line := self._requests.readline():
            request = json.loads(line)
            reply = self._cell(request) if "cell" in request else self._ask(request)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            self._write(reply | {"key": request["key"], "peak": peak})

    def _write(self, message: dict) -> None:
        line = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        while line:
            line = line[os.write(self._replies, line) :]

    def _cell(self, request: dict) -> dict:
        self._outputs.start(request["room"])
        error = None
        try:
            result = self._shell.run_cell(request["cell"], store_history=True)
            error = result.error_before_exec or result.error_in_exec
        except BaseException as raised:
            error = raised
        for output in self._outputs.list:
            if output["output_type"] == "stream":
                output["text"] = "".join(output["text"])
        return {"outputs": self._outputs.list, "error": error and describe(error)}

    def _ask(self, request: dict) -> dict:
        self._outputs.start(0)
        try:
            return self._value(request)
        except BaseException as raised:
            return {"error": describe(raised)}

    def _value(self, request: dict) -> dict:
        name, given = request["ask"], request["arguments"]
        if name not in self._shell.user_ns:
            raise NameError(f"name '{name}' is not defined")
        value = self._shell.user_ns[name]
        if given is None:
            return {"value": self._encode(value)}
        arguments = self._decode(given)
        if request["suspect"]:
            value = value(self._stand_in(request["key"]), *arguments)
        else:
            value = value(*arguments)
        reply = {"value": self._encode(value)}
        try:
            reply["changed"] = self._encode(arguments) != given
        except (TypeError, ValueError):
            reply["changed"] = True
        return reply

    def _stand_in(self, key: str):
        def suspect(*arguments):
            self._write({"key": key, "oracle": self._encode(arguments)})
            reply = json.loads(self._requests.readline())
            if "error" in reply:
                raise ValueError(reply["error"])
            return self._decode(reply["value"])

        return suspect


def load(path: str):
    """A module from its file: not through packages that the answers may have imported."""
    spec = importlib.util.spec_from_file_location("_values", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def limit(settings: dict) -> None:
    """Bounds that this process cannot widen again."""
    memory, disk, seconds = settings["memory"], settings["disk"], int(settings["seconds"]) + 1
    bounds = {
        "RLIMIT_AS": memory,
        "RLIMIT_FSIZE": disk,
        "RLIMIT_CPU": seconds,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": 64,
        # No process and no thread beside this one, so that its memory is all the memory.
        "RLIMIT_NPROC": 0,
    }
    for name, bound in bounds.items():
        try:
            resource.setrlimit(getattr(resource, name), (bound, bound))
        except (AttributeError, OSError, ValueError):
            # Bounded more tightly already, or macOS, which has not all of them.
            continue


def main() -> None:
    settings = json.loads(sys.argv[1])
    sys.argv = [""]
    sys.path[:0] = [settings["library"]]
    sys.path += settings["packages"]
    sys.meta_path.insert(0, Refusal(settings["refused"], settings["reason"]))
    # Matplotlib would look for the fonts of the machine, every time, and in a thread.
    shutil.copytree(settings["fonts"], os.environ["MPLCONFIGDIR"], dirs_exist_ok=True)
    worker = Worker(settings, load(settings["values"]))
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    limit(settings)
    worker.serve()
    os._exit(0)


if __name__ == "__main__":
    main()
