"""The line between a school and the hub: a small TCP relay, so that the demo can cut it."""
import socket
import threading


class Line:
    """Passes bytes between whoever connects to `endpoint` and the address that `far_end()` names, until it is cut."""

    def __init__(self, far_end):
        self._far_end = far_end
        self._ends, self._lock = set(), threading.Lock()
        self._is_cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self):
        return "tcp://127.0.0.1:%d" % self._listener.getsockname()[1]

    def cut(self):
        with self._lock:
            self._is_cut = True
            ends, self._ends = self._ends, set()
        for end in ends:
            _hang_up(end)

    def heal(self):
        self._is_cut = False

    def close(self):
        self._listener.close()
        self.cut()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        with near:
            if self._is_cut:
                return
            try:
                far = socket.create_connection(self._far_end(), 5)
            except OSError:
                return
            with far:
                far.settimeout(None)
                with self._lock:
                    if self._is_cut:
                        return
                    self._ends |= {near, far}
                back = threading.Thread(target=_pass_on, args=(far, near), daemon=True)
                back.start()
                _pass_on(near, far)
                back.join()
                with self._lock:
                    self._ends -= {near, far}


def _pass_on(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    _hang_up(source)
    _hang_up(sink)


def _hang_up(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
