"""A real Slurm of Debian's packages for tests: munged, slurmctld and slurmd as root without systemd, two nodes on this
machine with host names of their own (UTS namespaces) and, where the machine allows, networks of their own (network
namespaces, cabled to one bridge), everything in one folder. All of it lives in a process namespace that ends with the test,
however the test ends."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import crossgrid_runs as runs

NODES = ("node1", "node2")
CONTROL_ADDRESS = "10.77.0.1"
NODE_ADDRESSES = {"node1": "10.77.0.11", "node2": "10.77.0.12"}
# In namespaces of the test's own: a bridge for the controller, a cable to each node, names for all.
NETWORK = """
set -e
ip link set lo up
ip link add name nodes type bridge
ip addr add {control}/24 dev nodes
ip link set nodes up
mkdir -p /run/netns
mount -t tmpfs names /run/netns
for node in {nodes}; do
  name=${{node%:*}}
  ip netns add $name
  ip link add cable-$name type veth peer name eth0 netns $name
  ip link set cable-$name master nodes up
  ip -n $name addr add ${{node#*:}}/24 dev eth0
  ip -n $name link set eth0 up
  ip -n $name link set lo up
done
{{ echo 127.0.0.1 localhost; echo {control} control; for node in {nodes}; do echo ${{node#*:}} ${{node%:*}}; done; }} >{hosts}
mount --bind {hosts} /etc/hosts
"""
CONFIG = """
ClusterName=crossgrid
SlurmctldHost=control({control})
SlurmctldPort={control_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A job that is queued again waits this long.
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=0
ReturnToService=2
SlurmdTimeout=10
KillWait=5
JobRequeue=1
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
NodeName=node1 NodeAddr={node1} NodeHostname=node1 Port={node1_port} CPUs=4 RealMemory=1000
NodeName=node2 NodeAddr={node2} NodeHostname=node2 Port={node2_port} CPUs=4 RealMemory=1000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def skip(reason):
    print(f"SKIPPED: no real Slurm: {reason}")
    sys.exit(0)


def in_own_namespace():
    """Starts this script again as the child of a process namespace's first process, which takes all down with it."""
    if os.environ.get("CROSSGRID_SLURM_NAMESPACE"):
        return
    missing = [name for name in ("munged", "slurmctld", "slurmd", "sbatch", "mpirun", "unshare", "ip") if not program(name)]
    if missing:
        skip(f"{', '.join(missing)} is not installed (Debian: munge slurmctld slurmd slurm-client openmpi-bin util-linux "
             "iproute2)")
    if os.geteuid() != 0:
        skip("its daemons need root here")
    namespace = ["unshare", "--fork", "--pid", "--kill-child", "--mount-proc", "--uts"]
    probe = subprocess.run([*namespace, "hostname", "probe"], capture_output=True, text=True)
    if probe.returncode != 0:
        skip(f"this machine gives no namespaces: {probe.stderr.strip()}")
    with tempfile.NamedTemporaryFile() as hosts:
        nodes = " ".join(f"{name}:{address}" for name, address in NODE_ADDRESSES.items())
        network = NETWORK.format(control=CONTROL_ADDRESS, nodes=nodes, hosts=hosts.name)
        probe = subprocess.run([*namespace, "--net", "bash", "-c", network], capture_output=True, text=True)
        networks = probe.returncode == 0
        if not networks:
            print(f"nodes share this machine's network: {probe.stderr.strip()}")
        script = [sys.executable, "-u", *sys.argv]
        inside = subprocess.run([*namespace, *(["--net"] if networks else []), "bash", "-c",
                                 (network if networks else "") + '"$@" & wait $!', "first", *script],
                                env=runs.environment(CROSSGRID_SLURM_NAMESPACE="networks" if networks else "hosts"))
    sys.exit(inside.returncode)


def program(name):
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Cluster:
    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="crossgrid-slurm-", ignore_cleanup_errors=True)
        self.folder = Path(self.temporary.name)
        self.daemons = {}
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # The namespace's other processes: daemons, steps, whatever they have left.
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) not in (1, os.getpid()):
                try:
                    os.kill(int(entry.name), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        for daemon in self.daemons.values():
            daemon.wait()
        self.temporary.cleanup()

    def start(self):
        for name in ("munge", "state"):
            (self.folder / name).mkdir(mode=0o755)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        munge = self.folder / "munge"
        self.daemon("munged", "--foreground", "--force", f"--key-file={key}", f"--socket={munge}/socket",
                    f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed")
        self.wait_for("munged", 10, lambda: (munge / "socket").exists())
        control, node1, node2 = free_ports(3)
        self.config = self.folder / "slurm.conf"
        self.networks = os.environ["CROSSGRID_SLURM_NAMESPACE"] == "networks"
        addresses = {"control": CONTROL_ADDRESS, **NODE_ADDRESSES} if self.networks else dict.fromkeys(
            ("control", *NODES), "127.0.0.1")
        self.config.write_text(CONFIG.format(folder=self.folder, control_port=control, node1_port=node1, node2_port=node2,
                                             **addresses))
        self.daemon("slurmctld", "-D", "-f", str(self.config), host="control")
        for node in NODES:
            self.start_node(node)
        self.wait_for("idle nodes", 60, lambda: self.ask("sinfo", "-h", "-t", "idle", "-o", "%D").strip() == "2")

    def start_node(self, node):
        self.daemon("slurmd", "-D", "-N", node, "-f", str(self.config), host=node)

    def daemon(self, name, *words, host=None):
        command = [program(name), *words]
        if host:
            command = ["unshare", "--uts", "bash", "-c", 'hostname "$0" && exec "$@"', host, *command]
        if host in NODES and self.networks:
            command = ["nsenter", f"--net=/run/netns/{host}", *command]
        log = open(self.folder / f"{name}-{host or 'here'}.out", "a")
        self.daemons[f"{name} {host}"] = subprocess.Popen(command, env=self.environment(), stdout=log, stderr=log,
                                                          stdin=subprocess.DEVNULL, start_new_session=True)

    def environment(self, **extra):
        found = getattr(self, "config", None)
        return runs.environment(**({"SLURM_CONF": str(found)} if found else {}), **extra)

    def ask(self, *words):
        return subprocess.run(words, env=self.environment(), text=True, capture_output=True, timeout=60).stdout

    def wait_for(self, what, seconds, done):
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                self.fail(f"{what}: not within {seconds} s")
            time.sleep(0.1)

    def jobs(self):
        """State of each job in the queue: id -> "RUNNING", "PENDING", ..."""
        lines = self.ask("squeue", "-h", "-r", "-o", "%i %T").split("\n")
        return dict(line.split() for line in lines if line)

    def lose_node(self, node):
        """SIGKILL for a node's daemon and all that it started, at once; Slurm notices after SlurmdTimeout."""
        daemon = self.daemons.pop(f"slurmd {node}")
        name_space = os.readlink(f"/proc/{daemon.pid}/ns/uts")
        victims = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.readlink(entry / "ns/uts") == name_space:
                    victims.append(int(entry.name))
            except OSError:
                continue
        for victim in victims:
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                pass
        daemon.wait()
        return len(victims) - 1

    def fail(self, message):
        for log in sorted(self.folder.glob("*.log")) + sorted(self.folder.glob("*.out")):
            print(f"---- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:]))
        print(self.ask("squeue"))
        runs.fail(message)
