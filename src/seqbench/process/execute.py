"""A step in its process: its log begins and ends, and what a user can fix is one line of it."""

import contextlib
import errno
import importlib
import json
import logging
import os
import sys
import time
from pathlib import Path

from seqbench.errors import DamagedError, UserError, one_line, printable
from seqbench.extras import missing
from seqbench.process.client import LESS
from seqbench.process.memory import keep_freed_memory
from seqbench.process.step_log import logged_run

# In the environment of one of several processes of a training: its torchrun reads there why it
# failed, and prints that once.
RANK_ERRORS = "TORCHELASTIC_ERROR_FILE"
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


def execute(module: str, arguments: list[str]) -> int:
    """Run a step in this process and return its exit code; what a user can fix is one line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    keep_freed_memory()
    logged = contextlib.nullcontext() if RANK_ERRORS in os.environ else logged_run()
    try:
        with logged:
            importlib.import_module(module).main(arguments)
    except DamagedError as error:
        return _refuse(f"{error}; delete it, and the next run makes it again")
    except UserError as error:
        return _refuse(str(error))
    except ModuleNotFoundError as error:
        sentence = missing(error)
        if sentence is None:
            raise
        return _refuse(sentence)
    except MemoryError as error:
        return _refuse(f"memory is used up ({error or 'no more of it'}); {LESS}")
    except RuntimeError as error:  # torch's own kinds of it, which are not imported here
        if not any(sign in str(error) for sign in ("out of memory", "DefaultCPUAllocator")):
            raise
        return _refuse(f"memory is used up ({one_line(str(error))}); {LESS}")
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        where = error.filename or "a file beside the results"
        return _refuse(f"{where}: cannot be written ({error.strerror}); make room, run this again")
    return 0


def _refuse(sentence: str) -> int:
    if path := os.environ.get(RANK_ERRORS):
        error = {"message": printable(sentence), "timestamp": int(time.time())}
        Path(path).write_text(json.dumps(error), encoding="utf-8")
        return 1
    print(f"error: {printable(sentence)}", file=sys.stderr)  # noqa: T201 (its log)
    return 1
