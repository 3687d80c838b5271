"""Processes of a run that was started in a session of its own."""

from pathlib import Path


def processes_of(session):
    """Living processes of a session, each with its command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append((int(entry.name), words))
    return found


def executors_of(processes):
    return [pid for pid, words in processes if len(words) > 1 and words[1] == b"executor"]


def ranks_of(processes, command):
    """Process ids of those that run a command under mpirun, by rank."""
    found = {}
    for pid, words in processes:
        if len(words) < 2 or words[1] != command:
            continue
        try:
            entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        rank = [entry.split(b"=")[1] for entry in entries if entry.startswith(b"OMPI_COMM_WORLD_RANK=")]
        if rank:
            found[int(rank[0])] = pid
    return found
