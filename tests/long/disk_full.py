"""Disks that are full: of a school and of the hub, while all write and sync, at the start, and during the first sync.

Every store stands on an ext4 file system of its own, of a few MiB, in a file that is mounted in this program's own mount
namespace: whatever happens to this program, the kernel takes the mounts away with it. Needs root and loop devices; where
there are none, the part says so and does nothing. ROUNDS says how often each scenario is played (3).
"""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import part as program
from load import Load, judge
from network import CommandFailed, wait_until
from people import SCHEMA

ROUNDS = program.parameter("ROUNDS", 3)
IN_NAMESPACE = "NAVETTE_IN_MOUNT_NAMESPACE"
DISK_BYTES = 24 << 20
FULL, ROOM = b"the disk is full", b"there is room on the disk again"


class Disk:
    """A small file system, and a file in it that takes the room away."""

    def __init__(self, place, size=DISK_BYTES):
        self.place, self.filler = pathlib.Path(place), pathlib.Path(place) / "filler"
        image = self.place.parent / (self.place.name + ".ext4")
        self.place.mkdir()
        with open(image, "wb") as file:
            file.truncate(size)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, self.place], check=True)

    def free(self):
        about = os.statvfs(self.place)
        return about.f_bavail * about.f_frsize

    def fill(self, leaving=0):
        """Takes all the room but `leaving` bytes; others may take that at the same time."""
        with open(self.filler, "ab", buffering=0) as file:
            for size in (65536, 1024):
                with contextlib.suppress(OSError):
                    while self.free() > leaving + size:
                        file.write(bytes(size))
            if leaving == 0:
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(1024))

    def make_room(self):
        self.filler.unlink()

    def unmount(self):
        subprocess.run(["umount", self.place], check=True)


@contextlib.contextmanager
def disks(folder, *names):
    """{name: Disk} mounted as the homes of these sites."""
    mounted = {}
    try:
        for name in names:
            mounted[name] = Disk(folder / name)
        yield mounted
    finally:
        for disk in mounted.values():
            disk.unmount()


class Scenes:
    def __init__(self, part):
        self.part, self.chance = part, part.chance

    @contextlib.contextmanager
    def town(self):
        """A hub and two schools, each on a disk of its own, in step."""
        with self.part.folder() as folder, disks(folder, "hub", "small", "other") as mounted:
            with self.part.network(folder) as network:
                network.add_hub(SCHEMA)
                network.add_schools("small", "other")
                network.converge()
                yield network, mounted

    def fill(self, disk, leaving=0):
        disk.fill(leaving)
        self.part.faults += 1

    def while_all_write(self, name):
        """The disk of one site fills up under its daemon, again and again, and each time room is made."""
        with self.town() as (network, mounted), Load(network.sites, self.part.seed) as load:
            site, disk = next(site for site in network.sites if site.name == name), mounted[name]
            for _ in range(3):
                wait_until(lambda: all(writer.record.exists() for writer in load.writers), "the writers write")
                self.fill(disk, self.chance.choice([0, 100_000, 400_000]))
                said = site.log.stat().st_size
                wait_until(lambda: disk.free() < 1 << 16, "the disk is full")
                self.fill(disk)
                wait_until(lambda: FULL in site.log.read_bytes()[said:], "the daemon says that the disk is full")
                assert_status_tells(site)
                time.sleep(self.chance.uniform(0.5, 3))
                assert site.process.poll() is None, "%s ended\n%s" % (name, site.stderr())
                disk.make_room()
                wait_until(lambda: ROOM in site.log.read_bytes()[said:], "the daemon says that there is room again")
            load.stop()
            judge(self.part, network, load)

    def killed_while_full(self, name):
        """Killed on a full disk; what is there is enough to start again once there is room, and nothing is lost."""
        with self.town() as (network, mounted), Load(network.sites, self.part.seed) as load:
            site, disk = next(site for site in network.sites if site.name == name), mounted[name]
            writer = next(writer for writer in load.writers if writer.site is site)
            wait_until(lambda: all(writer.record.exists() for writer in load.writers), "the writers write")
            for _ in range(3):
                self.fill(disk, self.chance.choice([0, 20_000, 200_000]))
                time.sleep(self.chance.uniform(0, 1))
                site.kill()
                writer.kill()
                self.part.faults += 2
                self.fill(disk)
                self.start_on_a_full_disk(site)
                disk.make_room()
                writer.start()
                site.start().wait_until_ready()
            load.stop()
            judge(self.part, network, load)

    def start_on_a_full_disk(self, site):
        """It starts, or it says why not; what it says is understood."""
        said = site.log.stat().st_size
        site.start()
        deadline = time.monotonic() + 5
        while site.process.poll() is None and not site.is_ready() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert_status_tells(site)
        if site.process.poll() is None:
            site.kill()
            return
        code, site.process = site.process.returncode, None
        words = site.log.read_bytes()[said:]
        assert code == 4 and (FULL in words or b"No space left on device" in words), (code, words)

    def during_the_first_sync(self):
        """A school joins on a disk that is too small for what the network has; with more room it gets all of it."""
        with self.part.folder() as folder, disks(folder, "late") as mounted:
            with self.part.network(folder) as network:
                network.add_hub(SCHEMA)
                giver, = network.add_schools("giver")
                rows = 20000
                with giver.connection() as connection:
                    connection.execute("BEGIN")
                    connection.executemany(
                        "INSERT INTO person(id, name, town) VALUES (?, ?, ?)",
                        (("row%06d" % number, "Name %d" % number, os.urandom(20).hex()) for number in range(rows)))
                    connection.execute("COMMIT")
                self.part.writes += rows
                network.converge(seconds=120)
                late = network.add_school("late", start=False)
                self.fill(mounted["late"], leaving=self.chance.choice([1, 2, 4]) << 19)
                late.start()
                wait_until(lambda: FULL in late.log.read_bytes(), "the disk is full")
                assert_status_tells(late)
                if self.chance.random() < 0.5:
                    late.kill()
                    self.part.faults += 1
                    self.start_on_a_full_disk(late)
                    mounted["late"].make_room()
                    late.start()
                else:
                    time.sleep(self.chance.uniform(0, 2))
                    mounted["late"].make_room()
                network.converge(seconds=120)
                there = late.query("SELECT count(*) FROM person")[0][0]
                self.part.lost += rows - there
                network.assert_clean(late)


def assert_status_tells(site):
    """`status` works on a full disk, or says that it is full: either way the person knows."""
    try:
        found = site.cli("status", codes=(1,))
        assert found["full"] and found["free_bytes"] < 1 << 20, found
        assert "The disk is full" in site.run("status", codes=(1,)).stdout
    except CommandFailed as caught:
        assert caught.code == 4 and "the disk is full" in caught.stderr, caught


def body(part):
    scenes = Scenes(part)
    for _ in range(ROUNDS):
        for name in ("small", "hub"):
            scenes.while_all_write(name)
            scenes.killed_while_full(name)
        scenes.during_the_first_sync()
    part.facts.append("%d rounds" % ROUNDS)


def enter_namespace():
    """Runs this program again in a mount namespace of its own; returns where that is done, or cannot be done."""
    if os.environ.get(IN_NAMESPACE) or os.geteuid() != 0 or shutil.which("unshare") is None:
        return
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0:
        os.execvpe("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv],
                   {**os.environ, IN_NAMESPACE: "1"})


def can_mount():
    if not os.environ.get(IN_NAMESPACE) or shutil.which("mkfs.ext4") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            Disk(pathlib.Path(folder) / "try", 4 << 20).unmount()
        except subprocess.CalledProcessError:
            return False
    return True


if __name__ == "__main__":
    enter_namespace()
    if not can_mount():
        program.skip("disk full", "needs root, mount namespaces, loop devices and mkfs.ext4 (Debian: e2fsprogs)")
    program.run("disk full", body)
