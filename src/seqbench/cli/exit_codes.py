"""Exit codes of the commands, for scripts."""

FAILED = 1
WRONG_USAGE = 2  # as argparse has it
UNFINISHED = 3
WORSE = 4
INTERRUPTED = 130  # as a shell does

EVERY_COMMAND = {
    0: "done",
    FAILED: "error; the sentence on standard error says what to change",
    WRONG_USAGE: "wrong command line",
    INTERRUPTED: "stopped by Ctrl-C",
}
