"""A member that reads groups: it opens what is in boxes, and writes into boxes of its own with keys that it grants."""
import os

import nacl.exceptions

from peer import changeset as form
from peer import sealed
from peer.changeset import AUTHORITY_SCOPE, NETWORK_SCOPE
from peer.member import Member


class Reader(Member):
    """What it read of records stands in `records`, as if there were no scopes: tests use a key in one scope alone."""

    def __init__(self, proto, name):
        super().__init__(proto, name)
        self.readers = {}  # scope of a group: the sites that read it now
        self.writers = {}  # scope: the log that it writes there
        self.keys = {}  # (log, number): a content key that somebody granted
        self.closed = []  # (log, number, seq, index, salt, box) that no key was there for
        self.granted = {}  # own log: (number of the key in use, whom it was granted to)

    def follow(self, name):
        """The scope of the group, once this member knows that it is in it; it says from then on that it carries it."""
        self.until(lambda: self.site in self.readers.get(self.groups.get(name), ()), "to be in group " + name)
        self.carry(self.groups[name])
        return self.groups[name]

    # ---- what was received ----
    def take(self, raw):
        if not super().take(raw):
            return False
        header = self.header_of(raw)
        if header.scope not in (AUTHORITY_SCOPE, NETWORK_SCOPE):
            self.open(raw, header)
        return True

    def take_op(self, op):
        if op.kind in (form.SEALED, form.GRANT, form.ASK, form.REDACT):
            return  # see open; what others let go of it keeps
        if op.kind == form.READER:
            self.readers.setdefault(op.reader.scope, set()).add(op.reader.site)
        elif op.kind == form.REMOVAL:
            self.readers[op.removal.scope].discard(op.removal.site)
        elif op.kind == form.REVOCATION:
            for sites in self.readers.values():
                sites.discard(op.revocation.site)
        super().take_op(op)

    def header_of(self, raw):
        return self.proto.Header.FromString(self.parsed(raw).header)

    def ops_of(self, raw):
        """(index, salt, Op) of each op that is there."""
        body = form.open_body(self.proto, self.parsed(raw))
        salts = form.salts(body.seed, len(body.entries)) if body.seed else [entry.salt for entry in body.entries]
        return [(index, salt, self.proto.Op.FromString(entry.op))
                for index, (salt, entry) in enumerate(zip(salts, body.entries)) if not entry.digest]

    def open(self, raw, header):
        log, ops = form.log_of(header), self.ops_of(raw)
        for _, _, op in ops:
            if op.kind == form.GRANT:
                self.take_grant(log, header.seq, op.grant)
        self.closed += [(log, op.key_number or header.seq, header.seq, index, salt, op.box)
                        for index, salt, op in ops if op.kind == form.SEALED]
        closed, self.closed = self.closed, []
        for one in closed:
            if one[:2] in self.keys:
                self.take_box(self.keys[one[:2]], *one)
            else:
                self.closed.append(one)

    def take_grant(self, log, seq, grant):
        of = (log[0], grant.site, grant.epoch) if grant.site else log
        key = sealed.open_grant(grant, of, self.site, bytes(self.curve_key))
        if key is not None:
            self.keys.setdefault((of, grant.number or seq), key)

    def take_box(self, key, log, _, seq, index, salt, box):
        try:
            op = self.proto.Op.FromString(sealed.open_box(key, log, seq, index, salt, box))
        except (nacl.exceptions.CryptoError, ValueError):
            return  # nothing, everywhere
        if op.kind in (form.PUT, form.DELETE):
            super().take_op(op)

    # ---- what it writes ----
    def writer_in(self, scope):
        if scope not in self.writers:
            self.writers[scope] = form.Writer(self.proto, self.network_key, self.sign_key, self.site, scope=scope)
        return self.writers[scope]

    def grant_to(self, key, log, sites, number=0):
        """An encoded Grant of the log's key to all keys of those sites."""
        boxes = []
        for site in sites:
            boxes.append((site, self.members[site].curve_key, False))
            if self.members[site].recovery_key:
                boxes.append((site, self.members[site].recovery_key, True))
        return sealed.grant(self.proto, key, log, boxes, number=number, elsewhere=log[1] != self.site)

    def seal_in(self, scope, *ops, clear=(), writer=None, **how):
        """Seals ops into its log in that scope, each in a box but those of `clear`; grants a key where one is due.
        Returns the encoded Changeset."""
        writer = writer or self.writer_in(scope)
        log, seq, seed = (scope, self.site, writer.epoch), writer.seq + 1, os.urandom(32)
        number, readers = self.granted.get(log, (0, None))
        if ops and readers != self.readers[scope]:
            self.keys[log, seq] = sealed.new_key()
            self.granted[log] = (seq, set(self.readers[scope]))
            clear = [*clear, self.grant_to(self.keys[log, seq], log, self.readers[scope])]
            number = seq
        boxed = sealed.seal_ops(self.proto, self.keys.get((log, number), b""), log, seq, seed, ops,
                                number=0 if number == seq else number, clear=clear)
        return self.seal(*boxed, writer=writer, seed=seed, **how)

    def write_in(self, scope, *ops, **how):
        """Seals ops, keeps the changeset as received, and pushes it where there is a session."""
        raw = self.seal_in(scope, *ops, **how)
        assert self.take(raw)
        if self.session is not None:
            self.push(raw)
        return raw

    # ---- what a test looks at ----
    def record(self, table, *key):
        return self.records.get((table, key))

    def places_of(self, raw):
        """(log, seq) of an encoded Changeset."""
        header = self.header_of(raw)
        return form.log_of(header), header.seq

    def has_at_peer(self, raw):
        """Whether the peer said that it holds this changeset, or a later one of its log."""
        log, seq = self.places_of(raw)
        return self.peer_has.get(log, (0, b""))[0] >= seq
