"""'crossgrid submit' and 'cancel' and the scripts that they make, with stand-ins for Slurm's programs that write down how
they are called: quoting of whatever a user types, stopping at the warning, queueing again, giving up after three jobs
without a record, shards and gathering, bad profiles. slurm_slow_test.py does it with a real Slurm."""

import json
import os
import shlex
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import crossgrid_runs as runs

DONE, USAGE, BAD_INPUT, BUSY, CONFLICT, TO_BE_CONTINUED = 0, 2, 4, 5, 7, 75
REQUEUED = -signal.SIGKILL  # the stand-in for scontrol ends the script as Slurm does
RUN_FLAGS = ["--", "--threads", "1", "--unit-images", "100"]
ODD = "it's \"a\" $(touch pwned) `touch pwned`; 50% #1 & *"

STAND_INS = {
    "sbatch": 'number=$(($(cat "$FAKES/last" 2>/dev/null || echo 40) + 1)); echo $number >"$FAKES/last"; echo "$number;here"',
    "squeue": 'cat "$FAKES/queue" 2>/dev/null; true',
    "scancel": "true",
    "scontrol": "kill -KILL $PPID",
    # One rank is enough for the scripts' logic. For GPUs: what each local rank is given to see.
    "mpirun": """while [ "$1" != -np ]; do shift; done; shift 2
      if [ -n "$LOCAL_RANKS" ]; then
        for rank in $LOCAL_RANKS; do OMPI_COMM_WORLD_LOCAL_RANK=$rank "$1" "$2" "$3" "$4" printenv CUDA_VISIBLE_DEVICES; done
        exit 1
      fi
      "$@" & child=$!
      trap 'kill -USR1 $child' USR1; trap 'kill -TERM $child' TERM
      until wait $child || ! kill -0 $child 2>/dev/null; do :; done
      exit 0  # as mpirun --enable-recovery, whatever its ranks end with""",
}


class Site:
    """A folder to work in, with stand-ins for Slurm's programs in front of PATH."""

    def __init__(self, folder):
        self.folder = folder
        self.fakes = folder / "fakes"
        self.fakes.mkdir(parents=True)
        for name, text in STAND_INS.items():
            self.replace(name, text)

    def replace(self, name, text):
        path = self.fakes / name
        path.write_text(f'#!/bin/bash\nprintf "%s\\n" "{name}" "$@" "" >>"$FAKES/calls"\n{text}\n')
        path.chmod(0o755)

    def environment(self, **extra):
        return runs.environment(PATH=f"{self.fakes}:{os.environ['PATH']}", FAKES=str(self.fakes), **extra)

    def calls(self, name):
        """The words of each call since the last look."""
        path = self.fakes / "calls"
        text = path.read_text() if path.exists() else ""
        path.unlink(missing_ok=True)
        return [call.split("\n")[1:] for call in text.split("\n\n") if call.split("\n")[0] == name]

    def crossgrid(self, *words, expect=DONE, env=None):
        result = subprocess.run([runs.BINARY, *map(str, words)], cwd=self.folder, text=True, capture_output=True,
                                env=env or self.environment())
        if result.returncode != expect:
            runs.fail(f"{words}: exit code {result.returncode}, expected {expect}\n{result.stdout}{result.stderr}")
        return result.stdout + result.stderr

    def start(self, script, **extra):
        """A job's script as Slurm starts it, from another folder."""
        return subprocess.Popen(["bash", str(script)], cwd="/", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                start_new_session=True, env=self.environment(SLURM_JOB_ID="41", SLURM_NTASKS="1", **extra))

    def job(self, script, expect, **extra):
        job = self.start(script, **extra)
        text = job.communicate(timeout=120)[0]
        if job.returncode != expect:
            runs.fail(f"{script} {extra}: exit code {job.returncode}, expected {expect}\n{text}")
        return text


def expect(what, text, *parts):
    for part in parts:
        if part not in text:
            runs.fail(f"{what}: '{part}' is missing in\n{text}")


def profile(site, **fields):
    path = site.folder / "profile.json"
    path.write_text(json.dumps(fields))
    return ["--profile", path]


def words_are_quoted(site, base):
    """Folder, sweep, module and options full of what shells and sbatch take for something else."""
    (site.folder / ODD).mkdir()
    sweep = runs.write_sweep(site.folder / ODD)
    out = site.folder / ODD / "out"
    words = ["submit", f"{ODD}/{sweep.name}", "-o", f"{ODD}/out",
             *profile(site, modules=[ODD], setup=["module() { printf '%s\\n' \"$@\" >modules; }"], account=ODD,
                      options=["--comment=" + ODD, "--exclusive"], time="2:00", warning_seconds=30)]
    printed = site.crossgrid(*words, "--dry-run", *RUN_FLAGS)
    if out.exists() or site.calls("sbatch"):
        runs.fail("--dry-run left something behind")
    site.crossgrid(*words, *RUN_FLAGS)
    script, gather = out / "slurm/job.sh", out / "slurm/gather.sh"
    if printed.split("\n# ---- ")[0] != script.read_text() or not printed.endswith(gather.read_text()):
        runs.fail(f"what was submitted is not what --dry-run prints:\n{printed}")
    calls = site.calls("sbatch")
    if calls != [["--parsable", f"{ODD}/out/slurm/job.sh"],
                 ["--parsable", "--dependency=afterany:41", f"{ODD}/out/slurm/gather.sh"]]:
        runs.fail(f"sbatch was called with {calls}")
    escaped = ODD.replace('"', '\\"')
    expect("job.sh", script.read_text(), f'#SBATCH --account="{escaped}"\n', f'#SBATCH --comment="{escaped}"\n',
           "#SBATCH --exclusive\n", "#SBATCH --time=2:00\n", "#SBATCH --signal=B:USR1@30\n",
           f'#SBATCH --output="{str(site.folder)}/{escaped.replace("%", "%%")}/out/slurm/%x-%j.log"\n')
    site.replace("scontrol", "exit 1")
    text = site.job(script, TO_BE_CONTINUED, CROSSGRID_FAILPOINTS="scheduler.before_append=kill@2")
    printed = shlex.split(text.split("continue with: ")[1].splitlines()[0])
    if printed != ["sbatch", str(script)]:
        runs.fail(f"the command to continue is {printed}")
    # Whoever made the folder wrote this: bash's arithmetic would run it.
    (out / "slurm/idle-all").write_text(f"a[$(touch${{IFS}}pwned)] {site.crossgrid('status', '--records', out)}")
    expect("job.sh", site.job(script, DONE), "(all): ended: exit code 0")
    if (site.folder / "modules").read_text() != f"load\n{ODD}\n":
        runs.fail("the module's name did not arrive as it was written")
    site.job(gather, DONE)
    if list(site.folder.rglob("pwned")) or Path("/pwned").exists():
        runs.fail("a shell ran text of the user")
    if runs.points(out) != runs.points(base):
        runs.fail("the job made another database than an ordinary run")


def shards_and_gathering(site, base, sweep):
    out = site.folder / "shards"
    text = site.crossgrid("submit", sweep, "-o", out, "--shards", 2, "--nodes", 3, *RUN_FLAGS)
    expect("submit", text, "submitted job 41 (2 shards), then 42 to gather")
    script = out / "slurm/job.sh"
    expect("job.sh", script.read_text(), "#SBATCH --array=1-2\n", "#SBATCH --nodes=3\n", "%x-%A_%a.log")
    expect("first shard", site.job(script, DONE, SLURM_ARRAY_TASK_ID="1"), "(1of2): ended: exit code 0")
    gather = out / "slurm/gather.sh"
    expect("too early", site.job(gather, TO_BE_CONTINUED), "shard 2/2", "it has no journal here")
    site.job(script, DONE, SLURM_ARRAY_TASK_ID="2")
    text = site.job(gather, DONE)
    if runs.points(out) != runs.points(base):
        runs.fail("shards made another database than an ordinary run")
    if (out / "top1.png").exists() == ("not drawn" in text):
        runs.fail(f"neither drawn nor said so:\n{text}")
    expect("drawing", gather.read_text(), "--x adc.bits", "--by core.style", "--where device.programming_error.magnitude=0")
    expect("status", site.crossgrid("status", out), "slurm     submitted as job 41: squeue --jobs 41,42")


def queue_and_cancel(site, sweep, out):
    (site.fakes / "queue").write_text("7\n42\n41\n41\n8\n")
    expect("a second submission", site.crossgrid("submit", sweep, "-o", out, expect=BUSY), "job 42, 41 of an earlier")
    expect("cancel", site.crossgrid("cancel", out), "cancelled: job 42, 41")
    if site.calls("scancel") != [["42", "41"]]:
        runs.fail("scancel was not asked for both jobs, the gathering one first")
    (site.fakes / "queue").unlink()
    expect("cancel of nothing", site.crossgrid("cancel", out), "nothing to cancel")
    expect("cancel", site.crossgrid("cancel", site.folder, expect=BAD_INPUT), "no jobs were submitted")
    (out / "slurm/jobs.json").write_text('{"sweep": "41; reboot", "gather": "42"}')
    expect("a forged id", site.crossgrid("cancel", out, expect=BAD_INPUT), "slurm/jobs.json: /sweep: expected the id")
    (out / "slurm/jobs.json").unlink()


def warned_and_ended(site, base, sweep):
    out = site.folder / "warned"
    site.crossgrid("submit", sweep, "-o", out, *RUN_FLAGS)
    script = out / "slurm/job.sh"
    for name, code, said in [(signal.SIGTERM, TO_BE_CONTINUED, "ended by SIGTERM with work left"),
                             (signal.SIGUSR1, REQUEUED, "work is left: queued again")]:
        before = runs.units_recorded(out)
        job = site.start(script, CROSSGRID_FAILPOINTS="executor.after_start=delay(100)")
        deadline = time.monotonic() + 60
        while runs.units_recorded(out) < before + 2:
            if job.poll() is not None or time.monotonic() > deadline:
                runs.fail(f"no units before {name}: {job.communicate()[0]}")
            time.sleep(0.02)
        job.send_signal(name)  # to the script only, as #SBATCH --signal=B: does
        text = job.communicate(timeout=60)[0]
        if job.returncode != code:
            runs.fail(f"{name}: exit code {job.returncode}, expected {code}\n{text}")
        expect(str(name), text, said)
        requeued = site.calls("scontrol")
        if requeued != ([["requeue", "41"]] if code == REQUEUED else []):
            runs.fail(f"{name}: scontrol was called with {requeued}")
    site.replace("scontrol", "exit 1")
    text = site.job(script, TO_BE_CONTINUED, CROSSGRID_FAILPOINTS="scheduler.before_append=kill@9")
    expect("no right to requeue", text, "Slurm does not queue it again; continue with: sbatch", str(script))
    site.replace("scontrol", STAND_INS["scontrol"])
    site.job(script, DONE)
    if runs.points(out) != runs.points(base) or list((out / "slurm").glob("idle-*")):
        runs.fail("continued to another database, or a count of idle jobs was left")
    runs.check_exactly_once(out, runs.SWEEP["dataset"]["images"]["count"], 48)


def three_idle_jobs(site, sweep):
    """Rank 0 is lost before its first record, again and again."""
    out = site.folder / "idle"
    site.crossgrid("submit", sweep, "-o", out, *RUN_FLAGS)
    script = out / "slurm/job.sh"
    crash = {"CROSSGRID_FAILPOINTS": "scheduler.before_append=kill"}
    for _ in range(2):
        expect("an idle job", site.job(script, REQUEUED, **crash), "work is left: queued again")
    text = site.job(script, TO_BE_CONTINUED, **crash)
    expect("the third idle job", text, "stopped: 3 jobs in a row brought no new record; not queued again")
    # A record between them, and the count begins anew.
    site.calls("scontrol")
    for code, env in [(REQUEUED, crash), (REQUEUED, crash), (REQUEUED, {"CROSSGRID_FAILPOINTS": "scheduler.before_append=kill@2"}),
                      (REQUEUED, crash), (REQUEUED, crash)]:
        site.job(script, code, **env)
    if len(site.calls("scontrol")) != 5:
        runs.fail("not every job with a record was queued again")
    expect("the third again", site.job(script, TO_BE_CONTINUED, **crash), "stopped: 3 jobs in a row")
    # Jobs that are lost with their node say nothing at their end: the next one counts them.
    for lost in range(1, 4):
        job = site.start(script, CROSSGRID_FAILPOINTS="executor.after_start=delay(60000)")
        idle = out / "slurm/idle-all"
        while not idle.exists() or idle.read_text() != f"{lost} {runs.units_recorded(out)}\n":
            if job.poll() is not None:
                runs.fail(f"a job that should hang ended: {job.communicate()[0]}")
            time.sleep(0.02)
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()
    expect("three lost jobs", site.job(script, TO_BE_CONTINUED), "stopped: 3 jobs in a row")


def refused_runs(site):
    out = site.folder / "other"
    sweep = runs.write_sweep(site.folder)
    site.crossgrid("submit", sweep, "-o", out, *RUN_FLAGS)
    runs.run(sweep, out, "--set", "seed=8", "--grid", "adc.bits=5")
    text = site.job(out / "slurm/job.sh", CONFLICT)
    expect("another sweep's folder", text, "holds results of another sweep", "stopped: exit code 7 of 'crossgrid run'")
    if site.calls("scontrol"):
        runs.fail("a job that the run refuses was queued again")


def gpus(site, sweep):
    out = site.folder / "gpus"
    site.crossgrid("submit", sweep, "-o", out, *profile(site, gpus_per_node=2, gpus_option="--gres=gpu:a100:{gpus}"))
    script = out / "slurm/job.sh"
    expect("job.sh", script.read_text(), "#SBATCH --gres=gpu:a100:2\n", "#SBATCH --ntasks-per-node=2\n")
    text = site.job(script, BAD_INPUT, CUDA_VISIBLE_DEVICES="3,5", LOCAL_RANKS="0 1 2")
    expect("GPUs of ranks 0, 1, 2", text, "3\n5\n3\n")


def bad_input(site, sweep):
    table = [({"nodes": 0}, "/nodes: found 0, expected a whole number from 1"),
             ({"nodes": 1.5}, "/nodes: found 1.5"), ({"nodes": -1}, "/nodes: found -1"),
             ({"partion": "x"}, "/partion: unknown field, did you mean 'partition'?"),
             ({"partition": "a\nb"}, "/partition: found \"a\\nb\", expected one line"),
             ({"account": ""}, "/account"), ({"time": "1 hour"}, "/time: found \"1 hour\", expected a time limit"),
             ({"memory_per_node": "64 GB"}, "/memory_per_node"), ({"modules": "cuda"}, "/modules: found \"cuda\", expected a list"),
             ({"modules": ["cuda", 12]}, "/modules/1: found 12"), ({"options": ["exclusive"]}, "/options/0"),
             ({"gpus_option": "--gres=gpu:4"}, "/gpus_option"), ({"launcher": "mpiexec"}, "/launcher: found \"mpiexec\", expected"),
             ({"warning_seconds": 5}, "/warning_seconds: found 5, expected a whole number from 30 to 65535")]
    for fields, part in table:
        text = site.crossgrid("submit", sweep, *profile(site, **fields), "--dry-run", expect=BAD_INPUT)
        expect(str(fields), text, "profile.json: ", part)
    (site.folder / "profile.json").write_text("[]")
    expect("a list", site.crossgrid("submit", sweep, "--profile", "profile.json", expect=BAD_INPUT), "profile.json: /: expected")
    expect("no profile", site.crossgrid("submit", sweep, "--profile", "none.json", expect=BAD_INPUT), "none.json")
    for words, part in [(["--time", "1"], "not longer than the 120 s"), (["--time", "soon"], "--time soon: expected"),
                        (["--shards", "0"], "--shards 0: expected 1 to"), (["--nodes", "0"], "--nodes 0"),
                        (["--", "--thread", "2"], "unknown flag '--thread'; did you mean '--threads'"),
                        (["--", "--shard", "1/2"], "found 'shard' after '--'"), (["--", "more"], "found 'sweep' after '--'"),
                        (["--", "--retry-failed"], "for ever"), (["--", "--threads", "-1"], "--threads -1")]:
        expect(str(words), site.crossgrid("submit", sweep, *words, expect=USAGE), part)
    site.crossgrid("submit", "none.json", expect=BAD_INPUT)
    site.replace("sbatch", "echo 'sbatch: error: invalid partition' >&2; exit 1")
    text = site.crossgrid("submit", sweep, "-o", "refused", expect=BAD_INPUT)
    expect("sbatch refuses", text, "invalid partition", "sbatch failed (exit code 1)")
    nowhere = {**site.environment(), "PATH": "/nonexistent"}
    text = site.crossgrid("submit", sweep, "-o", "nowhere", expect=BAD_INPUT, env=nowhere)
    expect("no Slurm", text, "can't start sbatch: No such file or directory")


def shipped_profiles(site, sweep):
    for path in sorted((runs.SOURCE / "slurm/profiles").glob("*.json")):
        script = site.crossgrid("submit", sweep, "--profile", path, "--dry-run")
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
        print(f"{path.name}: {script.count('#SBATCH')} lines for sbatch")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sweep, base = runs.write_sweep(folder), folder / "base"
        runs.run(sweep, base, *RUN_FLAGS[1:])
        words_are_quoted(Site(folder / "quotes"), base)
        site = Site(folder / "site")
        shards_and_gathering(site, base, sweep)
        queue_and_cancel(site, sweep, site.folder / "shards")
        warned_and_ended(site, base, sweep)
        three_idle_jobs(site, sweep)
        refused_runs(site)
        gpus(site, sweep)
        shipped_profiles(site, sweep)
        bad_input(site, sweep)


main()
