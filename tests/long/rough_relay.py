"""A relay whose line is bad in the ways in which TCP lets it be: slow, far, stalled, half-open, cut at any byte."""
import socket
import threading
import time

from relay import Relay, _set_reset, _shut

SMALL_CHUNK = 2048


class RoughRelay(Relay):
    """`rate`: bytes a second each way, 0 for no bound. `cut_chance`: how likely each piece that passes is the last of its
    connection, of which a part comes through. `delay`, of Relay, holds every piece back."""

    def __init__(self, upstream, chance):
        self.rate, self.cut_chance, self._chance = 0, 0.0, chance
        self._stalled, self._half_open = threading.Event(), threading.Event()
        super().__init__(upstream)

    def stall(self):
        """Reads no more, of either side, and says nothing: who sends fills the buffers on the way, then waits."""
        self._stalled.set()

    def half_open(self):
        """The far ends go away, and the near ones are not told: what they send is taken by nobody."""
        self._half_open.set()
        with self._lock:
            pairs = set(self._pairs)
        for _, far in pairs:
            _set_reset(far)
            _shut(far, socket.SHUT_RD)

    def heal(self):
        self.rate, self.cut_chance, self.delay = 0, 0.0, 0.0
        self._stalled.clear()
        if self._half_open.is_set():
            self._half_open.clear()
            self.reset()  # who was left in the dark hears of it at last
        super().heal()

    def _wait_while_silent(self, direction):
        while ((self._stalled.is_set() or self._half_open.is_set() or self._deaf[direction].is_set())
               and not self._is_cut and not self._closed):
            time.sleep(0.01)

    def _pump(self, source, sink, direction):
        try:
            while True:
                self._wait_while_silent(direction)
                data = source.recv(SMALL_CHUNK if self.rate or self.cut_chance else 65536)
                if not data:
                    break
                self._wait_while_silent(direction)
                time.sleep(self.delay + (len(data) / self.rate if self.rate else 0))
                if self.cut_chance and self._chance.random() < self.cut_chance:
                    sink.sendall(data[:self._chance.randrange(len(data))])
                    for end in (source, sink):
                        _set_reset(end)
                    break
                sink.sendall(data)
                self.carried[direction] += len(data)
        except OSError:
            pass
        while self._half_open.is_set() and not self._closed:
            time.sleep(0.01)
        _shut(source, socket.SHUT_RD)
        _shut(sink, socket.SHUT_RD)
