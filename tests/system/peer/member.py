"""A member of a network that speaks for itself: it joins, exchanges changesets with a daemon, and keeps what it verified.

It runs in the caller's thread: nothing happens but inside `until`.
"""
import base64
import dataclasses
import os
import time

import nacl.public
import nacl.signing
import zmq
import zmq.utils.z85

from peer import changeset as form
from peer import values
from peer.changeset import AUTHORITY_SCOPE, CERTIFICATE, DELETE, GENESIS, NETWORK_SCOPE, PUT, SCHEMA, blake, log_of

PROTOCOL = 1
CREDIT = 1 << 20


@dataclasses.dataclass
class Invitation:
    number: bytes
    endpoint: str
    hub_curve_key: bytes
    authority_key: bytes
    secret: bytes
    expires_ms: int

    @staticmethod
    def read(text):
        kind, _, coded = text.partition(":")
        assert kind == "navette1"
        raw = base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4))
        record, check = raw[:-4], raw[-4:]
        assert blake(record)[:4] == check, "the invitation lost a character"
        parts, at = [], 0
        while at < len(record):
            size, at = values.take_varint(record, at)
            parts.append(record[at:at + size])
            at += size
        number, endpoint, hub_curve_key, authority_key, secret, expires = parts
        assert [len(part) for part in (number, hub_curve_key, authority_key, secret, expires)] == [8, 32, 32, 32, 8]
        return Invitation(number, endpoint.decode(), hub_curve_key, authority_key, secret,
                          int.from_bytes(expires, "little"))


class Member:
    """Keys, an own log, and all logs that were received and verified: {log: [encoded Changeset, …]}."""

    def __init__(self, proto, name):
        self.proto, self.name = proto, name
        self.site = os.urandom(16)
        self.sign_key = nacl.signing.SigningKey.generate()
        self.curve_key = nacl.public.PrivateKey.generate()
        self.network_key = self.hub_curve_key = self.last_invitation = None
        self.logs, self.heads = {}, {}
        self.arrived = []  # (log, seq, encoded Changeset), in the order in which Has grew
        self.members, self.tables, self.authority = {}, {}, (0, b"")
        self.groups = {}  # name: scope
        self.carried = set()  # scopes that it says it carries, beside those that everybody does
        self.records = {}  # (table name, key values): {column: value}, of what has no concurrent writes
        self.unread = []
        self.own = None
        self.session = None
        self.said, self.refusals, self.peer_has = [], [], {}
        self.pulls = 0

    def curve_key_of(self, name):
        """The X25519 key of the member of that name, which is what its daemon is dialled by."""
        return next(one.curve_key for one in self.members.values() if one.name == name)

    # ---- joining ----
    def join(self, invitation_text, endpoints=()):
        proto, invitation = self.proto, Invitation.read(invitation_text)
        self.network_key, self.hub_curve_key = invitation.authority_key, invitation.hub_curve_key
        self.last_invitation = invitation
        body = proto.EnrolBody(site=self.site, name=self.name, sign_key=bytes(self.sign_key.verify_key),
                               curve_key=bytes(self.curve_key.public_key), recovery_key=bytes(self.curve_key.public_key),
                               endpoints=endpoints, invitation=invitation.number).SerializeToString(deterministic=True)
        reply = self.ask_to_enrol(invitation, self.request(body, invitation.secret))
        assert reply.admitted, reply.text
        for raw in reply.authority:
            self.take(raw)
        assert self.site in self.members
        self.own = form.Writer(proto, self.network_key, self.sign_key, self.site)
        return self

    def request(self, body, secret):
        return self.proto.EnrolRequest(request=body, proof=blake(body, key=blake(secret)),
                                       signature=self.sign_key.sign(b"navette enrol 1\n" + body).signature)

    def ask_to_enrol(self, invitation, request):
        socket = new_socket(invitation.hub_curve_key, nacl.public.PrivateKey.generate())
        try:
            socket.connect(invitation.endpoint)
            socket.send(request.SerializeToString(deterministic=True))
            assert socket.poll(15000), "no answer to the request"
            reply = self.proto.EnrolReply()
            reply.ParseFromString(socket.recv())
            return reply
        finally:
            socket.close(0)

    # ---- what was received ----
    def key_of(self, header):
        if header.scope == AUTHORITY_SCOPE:
            return bytes(self.network_key)
        if header.site not in self.members:
            raise form.Refused("member")
        return self.members[header.site].sign_key

    def take(self, raw):
        """Verifies an encoded Changeset and keeps it; False where it is known or waits for what it builds on."""
        header, ops = form.verify(self.proto, raw, self.network_key, self.key_of)
        log, known = log_of(header), self.logs.setdefault(log_of(header), [])
        if header.seq <= len(known):
            return False
        hashes = [form.header_hash(self.parsed(one).header) for one in known[-1:]]
        if header.seq != len(known) + 1 or any(
                self.heads.get((header.scope, head.site, head.epoch), (0, b""))[0] < head.seq for head in header.context):
            return False
        if header.previous != (hashes[0] if hashes else b""):
            raise form.Refused("chain")
        if log[0] != AUTHORITY_SCOPE and header.authority_seq > self.authority[0]:
            return False
        known.append(raw)
        digest = form.header_hash(self.parsed(raw).header)
        self.heads[log] = (header.seq, digest[:16])
        self.arrived.append((log, header.seq, raw))
        for op in ops:
            if op is not None:
                self.take_op(op)
        if log[0] == AUTHORITY_SCOPE:
            self.authority = (header.seq, digest)
        return True

    def parsed(self, raw):
        changeset = self.proto.Changeset()
        changeset.ParseFromString(raw)
        return changeset

    def take_op(self, op):
        if op.kind == CERTIFICATE:
            self.members[op.certificate.site] = op.certificate
        elif op.kind == SCHEMA:
            for table in op.schema.tables:
                name, columns = self.tables.setdefault(table.number, (table.name, {}))
                columns.update({column.field: column.name for column in table.columns})
        elif op.kind in (PUT, DELETE):
            name, columns = self.tables[op.table]
            key = (name, tuple(values.decode_all(op.key)))
            if op.kind == DELETE:
                self.records.pop(key, None)
                return
            places = [n for n in range(64) if op.fields >> n & 1]
            given = values.decode_all(op.values)
            if len(places) != len(given):
                return  # against the protocol: nothing, everywhere
            self.records.setdefault(key, {}).update({columns[n]: value for n, value in zip(places, given)})
        elif op.kind == form.GROUP:
            self.groups.setdefault(op.group.name, blake(op.SerializeToString(deterministic=True))[:16])
        else:
            assert op.kind in (GENESIS, form.READER, form.REMOVAL, form.REVOCATION, form.NEWER)

    def dot_of(self, table, value):
        """The Dot of the put that gave a record of the table this value."""
        number = self.table_number(table)
        for (_, site, epoch), seq, raw in self.arrived:
            for index, entry in enumerate(form.open_body(self.proto, self.parsed(raw)).entries):
                op = self.proto.Op()
                op.ParseFromString(entry.op)
                if op.kind == PUT and op.table == number and value in values.decode_all(op.values):
                    return self.proto.Dot(site=site, epoch=epoch, seq=seq, index=index)
        raise AssertionError("no put of that value")

    # ---- what it writes ----
    def table_number(self, table):
        return next(number for number, (name, _) in self.tables.items() if name == table)

    def put(self, table, key, excepts=(), kind=PUT, time_ms=None, **fields):
        """An encoded Op that gives fields values."""
        number = self.table_number(table)
        places = {name: field for field, name in self.tables[number][1].items()}
        ordered = sorted((places[name], value) for name, value in fields.items())
        return self.proto.Op(
            kind=kind, table=number, key=values.encode_all(*key), excepts=excepts,
            time_ms=int(time.time() * 1000) if time_ms is None else time_ms,
            fields=sum(1 << place for place, _ in ordered),
            values=values.encode_all(*(value for _, value in ordered))).SerializeToString(deterministic=True)

    def delete(self, table, key):
        return self.proto.Op(kind=DELETE, table=self.table_number(table), key=values.encode_all(*key),
                             time_ms=int(time.time() * 1000)).SerializeToString(deterministic=True)

    def seal(self, *ops, writer=None, **how):
        """Seals ops into an own log, that of `network` if none is named, with all that was applied of its scope as
        context; returns the encoded Changeset."""
        writer = writer or self.own
        how.setdefault("authority", self.authority)
        seen = {log: head for log, head in self.heads.items() if log[0] == writer.scope}
        return writer.seal(list(ops), seen=seen, **how)

    def write(self, *ops, **how):
        """Seals ops, keeps the changeset as received, and pushes it where there is a session."""
        raw = self.seal(*ops, **how)
        assert self.take(raw)
        if self.session is not None:
            self.push(raw)
        return raw

    # ---- a session ----
    def connect(self, endpoint, curve_key=None, server_key=None, hello=True):
        self.session = new_socket(server_key or self.hub_curve_key, curve_key or self.curve_key)
        self.session.connect(endpoint)
        self.said, self.refusals, self.peer_has = [], [], {}
        if hello:
            self.hello()
            self.say_has(please=True)
        return self

    def hello(self, **other):
        self.send(hello=self.proto.Hello(**{"protocol": PROTOCOL, "network": self.network_key, "site": self.site,
                                            "scopes": self.scopes(*self.carried), **other}))

    def close(self):
        if self.session is not None:
            self.session.close(0)
            self.session = None

    def send(self, **kind):
        self.send_bytes(self.proto.Message(**kind).SerializeToString(deterministic=True))

    def send_bytes(self, *frames):
        self.session.send_multipart(frames)

    def far_heads(self):
        return [self.proto.Head(scope=scope, site=site, epoch=epoch, seq=seq, pin=pin[:16])
                for (scope, site, epoch), (seq, pin) in self.shared_heads()]

    def shared_heads(self):
        """What may be said of what is held: that of the scopes which it says it carries."""
        shared = {AUTHORITY_SCOPE, NETWORK_SCOPE, *self.carried}
        return sorted((log, head) for log, head in self.heads.items() if log[0] in shared)

    def digest(self):
        parts = {}
        for (scope, site, epoch), (seq, pin) in self.shared_heads():
            head = site + epoch.to_bytes(8, "little") + seq.to_bytes(8, "little") + pin[:16]
            parts[scope] = parts.get(scope, b"") + head
        return blake(b"".join(scope + blake(part, 16) for scope, part in sorted(parts.items())), 16)

    def carry(self, *scopes):
        """Says that it carries these scopes too, be it true or not, and what it holds of them."""
        self.carried.update(scopes)
        self.say_has(please=True)

    def say_has(self, please=False):
        self.send(has=self.proto.Has(digest=self.digest(), whole=True, heads=self.far_heads(), please=please,
                                     scopes=self.scopes(*self.carried)))

    def scopes(self, *scopes):
        """What both carry beside what everybody does, as this member says it: true or not."""
        return self.proto.Scopes(authority_seq=self.authority[0], scopes=sorted(scopes))

    def push(self, *changesets):
        self.send(batch=self.proto.Batch(pull=0, changesets=changesets))

    def until(self, holds, what, seconds=30):
        """Reads and answers messages until holds() is true."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, "the peer waited %d s for: %s (it was told: %s)" % (
                seconds, what, [message.WhichOneof("kind") for message in self.said[-20:]] + self.refusals)
            if self.session.poll(50):
                self.read()

    def read(self):
        message = self.proto.Message()
        frames = self.session.recv_multipart()
        assert len(frames) == 1
        message.ParseFromString(frames[0])
        self.said.append(message)
        kind = message.WhichOneof("kind")
        if kind is not None:
            getattr(self, "on_" + kind)(getattr(message, kind))

    def on_hello(self, hello):
        assert (hello.protocol, hello.network) == (PROTOCOL, self.network_key)

    def on_has(self, has):
        if has.whole:
            self.peer_has = {}
        for head in has.heads:
            self.peer_has[head.scope, head.site, head.epoch] = (head.seq, head.pin)
        if has.digest == self.digest():
            self.peer_has = dict(self.shared_heads())
        elif has.please or not (has.whole or has.heads):
            self.say_has(please=not has.whole)
        if any(self.heads.get(log, (0, b""))[0] < seq for log, (seq, _) in self.peer_has.items()):
            self.pulls += 1
            self.send(pull=self.proto.Pull(pull=self.pulls, has=self.far_heads(), credit_bytes=CREDIT))

    def on_pull(self, pull):
        has = {(head.scope, head.site, head.epoch): head.seq for head in pull.has}
        lacking = [raw for log, seq, raw in self.arrived if seq > has.get(log, 0)]
        self.send(batch=self.proto.Batch(pull=pull.pull, changesets=lacking, last=True))

    def on_batch(self, batch):
        waiting = self.unread + list(batch.changesets)
        grew = True
        while grew:
            taken = [raw for raw in waiting if self.take(raw)]
            grew = bool(taken)
        self.unread = [raw for raw in waiting if not self.is_known(raw)]
        if batch.pull and batch.changesets and not batch.last:
            self.send(credit=self.proto.Credit(pull=batch.pull, bytes=sum(map(len, batch.changesets))))
        if batch.changesets:
            self.say_has()

    def is_known(self, raw):
        header = self.proto.Header()
        header.ParseFromString(self.parsed(raw).header)
        return header.seq <= len(self.logs.get(log_of(header), []))

    def on_credit(self, credit):
        pass

    def on_ping(self, ping):
        if not ping.reply:
            self.send(ping=self.proto.Ping(reply=True))

    def on_refusal(self, refusal):
        self.refusals.append((refusal.reason, refusal.text))


def new_socket(server_key, own_key):
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.linger = 0
    socket.reconnect_ivl = 2
    socket.curve_serverkey = zmq.utils.z85.encode(server_key)
    socket.curve_secretkey = zmq.utils.z85.encode(bytes(own_key))
    socket.curve_publickey = zmq.utils.z85.encode(bytes(own_key.public_key))
    return socket
