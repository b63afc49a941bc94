"""Snakemake that polls SLURM every second, which only a cluster of one's own bears.

The plugin polls less and less often while nothing ends, and Snakemake waits for the pause to end
before it exits; of a test that would be the most part.
"""

import asyncio
import sys

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

INTERVAL_S = 1.0


async def _sleep(self):
    await asyncio.sleep(INTERVAL_S)


if __name__ == "__main__":
    if not hasattr(RemoteExecutor, "sleep"):
        sys.exit("RemoteExecutor.sleep is gone: this launcher does nothing for this Snakemake")
    RemoteExecutor.sleep = _sleep
    sys.exit(main())
