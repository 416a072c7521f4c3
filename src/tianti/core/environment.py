"""Where a run happened: versions, hardware, memory. Recorded with each run, never part of a trial's id."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import resource
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "tianti",
    "torch",
    "transformers",
    "peft",
    "tokenizers",
    "numpy",
    "scikit-learn",
    "lm_eval",
    "datasets",
)


def versions() -> dict[str, str]:
    """The installed versions of the packages that numbers can depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def environment() -> dict[str, Any]:
    """Versions, processor, memory and, once torch is in use, its threads and accelerators."""
    import psutil

    facts: dict[str, Any] = {
        "versions": versions(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": cores(),
        "memory_bytes": psutil.virtual_memory().total,
    }
    if torch := sys.modules.get("torch"):
        facts["threads"] = torch.get_num_threads()
        if torch.cuda.is_available():
            facts["accelerators"] = [
                torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())
            ]
    return facts


_earlier_peak = 0
"""The largest resident size before the count was begun anew."""


def peak_memory_bytes() -> int:
    """The largest resident size of this process so far, in bytes."""
    return max(_earlier_peak, _counted_peak())


def begin_peak_memory() -> int | None:
    """Count the peak of `recent_peak_memory_bytes` anew from here.

    Returns the resident size now, in bytes; None where the system cannot count anew (Linux can).
    """
    global _earlier_peak
    _earlier_peak = peak_memory_bytes()
    _give_back_freed()
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return _counted_peak()


def recent_peak_memory_bytes() -> int:
    """The largest resident size since `begin_peak_memory`, in bytes."""
    return _counted_peak()


def _give_back_freed() -> None:
    """What was freed goes back to the system: else it stays resident, and who takes it again seems to need nothing."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc
    if trim is not None:
        trim(0)


def _counted_peak() -> int:
    try:
        status = Path("/proc/self/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def cores() -> int:
    """How many processor cores this process may use: fewer than the machine has where it is bound to some of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
