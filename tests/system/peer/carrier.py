"""A hub that only carries: it takes all logs as they come, and notes every byte that it was sent."""
from peer import changeset as form
from peer.member import Member


class Carrier(Member):
    """Keeps, besides its logs, what came over the line: `frames` as they were sent, `bodies` decompressed."""

    def __init__(self, proto, name):
        super().__init__(proto, name)
        self.frames, self.bodies = [], []

    def scopes(self, *_):
        return self.proto.Scopes(authority_seq=self.authority[0], all=True)

    def shared_heads(self):
        return sorted(self.heads.items())

    def take_op(self, op):
        if op.kind not in (form.SEALED, form.GRANT, form.ASK):
            super().take_op(op)

    def take(self, raw):
        self.bodies.append(form.open_body(self.proto, self.parsed(raw)).SerializeToString())
        return super().take(raw)

    def read(self):
        super().read()
        self.frames.append(self.said[-1].SerializeToString())

    def all_that_came(self):
        return b"\0".join(self.frames + self.bodies)
