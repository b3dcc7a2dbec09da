"""A TCP relay that a test puts between two daemons, to cut their line and to make it slow or deaf."""
import socket
import struct
import threading
import time

CHUNK = 65536


class Relay:
    """Listens on a port of the kernel's choice and passes bytes on to whatever `upstream()` names, a (host, port).

    `upstream` is asked at every connection, so a daemon may come back on another port. It may return None: nobody there.
    """

    def __init__(self, upstream):
        self._upstream = upstream
        self._lock = threading.Lock()
        self._pairs = set()
        self._is_cut = False
        self._deaf = {"up": threading.Event(), "down": threading.Event()}
        self.delay = 0.0
        self.carried = {"up": 0, "down": 0}
        self.recorded = None  # a bytearray: everything that passes is appended to it
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self):
        return "tcp://127.0.0.1:%d" % self._listener.getsockname()[1]

    def cut(self):
        """Ends every connection and refuses new ones until heal()."""
        with self._lock:
            self._is_cut = True
        self._drop_all(reset=False)

    def heal(self):
        with self._lock:
            self._is_cut = False
        for deaf in self._deaf.values():
            deaf.clear()

    def reset(self):
        """Ends every connection with a TCP reset; new ones are welcome."""
        self._drop_all(reset=True)

    def one_way(self, deaf):
        """Holds back all bytes of one direction ('up' or 'down') without a word, until heal(): a half-open line."""
        self._deaf[deaf].set()

    def close(self):
        self._closed = True
        # Closing a listener wakes no accept(); a connection does.
        try:
            socket.create_connection(self._listener.getsockname(), 1).close()
        except OSError:
            pass
        self._listener.close()
        self._drop_all(reset=False)

    def _drop_all(self, reset):
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for end in pair:
                if reset:
                    _set_reset(end)
                _shut(end, socket.SHUT_RD if reset else socket.SHUT_RDWR)

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._closed:
                near.close()
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        target = None if self._is_cut else self._upstream()
        try:
            far = socket.create_connection(target, 5) if target else None
        except OSError:
            far = None
        if far is None:
            near.close()
            return
        far.settimeout(None)
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = (near, far)
        with self._lock:
            if self._is_cut or self._closed:
                near.close()
                far.close()
                return
            self._pairs.add(pair)
        down = threading.Thread(target=self._pump, args=(far, near, "down"), daemon=True)
        down.start()
        self._pump(near, far, "up")
        down.join()
        with self._lock:
            self._pairs.discard(pair)
        near.close()
        far.close()

    def _pump(self, source, sink, direction):
        try:
            while True:
                data = source.recv(CHUNK)
                if not data:
                    break
                while self._deaf[direction].is_set() and not self._is_cut and not self._closed:
                    time.sleep(0.01)
                if self.delay:
                    time.sleep(self.delay)
                sink.sendall(data)
                self.carried[direction] += len(data)
                if self.recorded is not None:
                    self.recorded += data
        except OSError:
            pass
        # Reading ends here and so in the other direction; _serve closes both, which says it to the two daemons.
        _shut(source, socket.SHUT_RD)
        _shut(sink, socket.SHUT_RD)


def _set_reset(end):
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass


def _shut(end, how):
    try:
        end.shutdown(how)
    except OSError:
        pass
