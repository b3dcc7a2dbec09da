"""A clock that is far off is shown to the operators on both sides, and changes nothing else."""
import time

from network import wait_until
from peer.member import Member
from schemas import PEOPLE

HOUR_MS = 3600 * 1000


class Late(Member):
    """A member whose clock is three hours behind."""

    def now_ms(self):
        return int(time.time() * 1000) - 3 * HOUR_MS

    def hello(self, **other):
        super().hello(**{"now_ms": self.now_ms(), **other})

    def on_ping(self, ping):
        if not ping.reply:
            self.send(ping=self.proto.Ping(reply=True, now_ms=self.now_ms()))


def peer_named(site, name):
    return next((peer for peer in site.cli("status", codes=(0, 1))["peers"] if peer["name"] == name), None)


def test_a_clock_that_is_far_off_is_shown_on_both_sides(network, proto):
    hub = network.add_hub(PEOPLE)
    pantin, = network.add_schools("pantin")
    late = Late(proto, "late").join(network.invitation("late")).connect(hub.endpoint())
    late.write(late.put("person", ["p1"], name="Ada Exemple", time_ms=late.now_ms()))
    late.until(lambda: hub.query("SELECT name FROM person") == [("Ada Exemple",)], "what it writes is taken")
    late.until(lambda: (peer_named(hub, "late") or {}).get("clock_off_ms"), "the hub's operator sees it")
    assert -3 * HOUR_MS <= peer_named(hub, "late")["clock_off_ms"] <= -3 * HOUR_MS + 60000
    assert "late: its clock is 3 h" in hub.run("status", codes=(0, 1)).stdout
    assert hub.stderr().count("the clock of late is") == 1
    # And it can see it as well: the hub says its own.
    hello = next(message.hello for message in late.said if message.WhichOneof("kind") == "hello")
    assert abs(hello.now_ms - time.time() * 1000) < 60000
    wait_until(lambda: peer_named(pantin, "hub"), "pantin lists the hub")
    assert peer_named(pantin, "hub")["clock_off_ms"] == 0 and "clock" not in pantin.run("status", codes=(0, 1)).stdout

    # Once it is set right that is gone.
    late.close()
    late.now_ms = lambda: int(time.time() * 1000)
    late.connect(hub.endpoint())
    late.until(lambda: peer_named(hub, "late")["clock_off_ms"] == 0, "it is set right")
    late.close()


def test_a_clock_out_of_all_measure_is_no_message(network, proto):
    hub = network.add_hub(PEOPLE)
    member = Member(proto, "wild").join(network.invitation("wild")).connect(hub.endpoint(), hello=False)
    member.hello(now_ms=2**63 - 1)
    wait_until(lambda: hub.refusals().get("message"), "it is refused")
    member.close()
