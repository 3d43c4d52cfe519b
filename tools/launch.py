"""torchrun whose failures are one line: which process ended how, where the log is, and how to go on.

    python tools/launch.py [options of torchrun] SCRIPT [arguments]

Called by tools/launch.sh. Where ``LOGLEVEL`` is set, torchrun's own messages are shown too.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from pathlib import Path
from signal import SIGKILL

from torch.distributed import DistError, run
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure
from torch.distributed.elastic.rendezvous import RendezvousError

FAILED = 2
LOST_PEER = 75  # tpsparse.engine.launch.LOST_PEER, without waiting for mmengine
LOST = "lost the connection to another one, which is silent or on another node: see the messages there"


def main(argv: list[str]) -> int:
    """Run a script in several processes; 0 if all ended well."""
    if "LOGLEVEL" not in os.environ:
        logging.disable(logging.ERROR)
    args = run.parse_args(argv)
    try:
        run.run(args)
    except ChildFailedError as error:
        if _content("TPSPARSE_STATUS_FILE") != str(FAILED):  # else the first process has told why
            # The bar of the process that showed one has not ended its line.
            print(f"\nerror: {describe(error.failures)}. {remedy(args.training_script)}", file=sys.stderr)
        return FAILED
    except SignalException as error:
        return 128 + int(error.sigval)
    except (RendezvousError, DistError) as error:
        told = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        where = args.rdzv_endpoint or f"{args.master_addr}:{args.master_port}"
        print(
            f"error: the nodes have not met at {where} ({told}): check that the address, the port and the number of "
            "nodes are the same on each, and that the port is free and can be reached",
            file=sys.stderr,
        )
        return FAILED
    return 0


def describe(failures: dict[int, ProcessFailure]) -> str:
    """Which process ended first, and how.

    Args:
        failures: By rank. A process that ended because another one was gone is not a cause.
    """
    rank = min(failures, key=lambda rank: (failures[rank].exitcode == LOST_PEER, failures[rank].timestamp))
    failure = failures[rank]
    if failure.exitcode == LOST_PEER:
        return f"process {rank} {LOST}"
    who = f"process {rank} (pid {failure.pid} on {socket.gethostname()})"
    if failure.exitcode > 0:
        return f"{who} ended with status {failure.exitcode}, its message is above; the other processes were ended"
    reason = " (by a user, or by the system when memory ran out: see dmesg)" if failure.exitcode == -SIGKILL else ""
    return f"{who} was killed by {failure.signal_name()}{reason}; the other processes were ended"


def remedy(script: str) -> str:
    """Where to look and what to do."""
    log = _content("TPSPARSE_LOG_TOLD")
    again = "the same command and --resume" if Path(script).name == "train.py" else "the same command"
    return f"Log: {log or 'none yet'}. Go on with {again}"


def _content(variable: str) -> str:
    """What the processes wrote into the file that an environment variable names; empty if nothing."""
    path = Path(os.environ.get(variable) or os.devnull)
    return path.read_text().strip() if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
