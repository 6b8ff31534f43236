#!/usr/bin/env python3
"""A whole client in one file: binary packets over TCP or TLS, with Python's standard library and MessagePack (python3-msgpack).

    client.py tcp://127.0.0.1:2500 listen --state bob.json [--count 3]
    client.py tcp://127.0.0.1:2500 send TO "hello" "again" --state alice.json

The state file keeps the identity, the outbox with what is open, and how far each stream was read. So both commands may be killed at
any moment and started again: what was open is sent again under its number, and what was noted as shown is not shown twice. It
goes on where it was, but does not connect again by itself, and a sender keeps nothing beyond `stored`.
"""
import argparse
import json
import os
import secrets
import socket
import ssl
import struct
import sys
import time
from urllib.parse import urlsplit

try:
    import msgpack
except ImportError:
    sys.exit("this needs MessagePack: apt install python3-msgpack, or pip install msgpack")

# Within what a server lets one client have open at a time: 64 messages and 256 KiB.
BATCH = 32


class State:
    """What outlives the process, written before anything depends on it."""

    def __init__(self, path):
        self.path = path
        self.kept = {"id": None, "secret": None, "outbox": secrets.token_urlsafe(12), "attempt": 0, "next": {}, "open": [], "read": {}}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.kept.update(json.load(file))

    def __getitem__(self, key):
        return self.kept[key]

    def __setitem__(self, key, value):
        self.kept[key] = value

    def save(self):
        draft = f"{self.path}.new"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(self.kept, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self.path)


class Link:
    """Packets on a stream: four bytes of length, then frames back to back, each a MessagePack array."""

    def __init__(self, url, ca):
        place = urlsplit(url)
        secure = place.scheme == "tls"
        if place.scheme not in ("tcp", "tls") or not place.hostname:
            sys.exit(f"give tcp://HOST:PORT or tls://HOST:PORT, not {url}")
        try:
            self.socket = socket.create_connection((place.hostname, place.port or (2501 if secure else 2500)), timeout=60)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if secure:
                self.socket = ssl.create_default_context(cafile=ca).wrap_socket(self.socket, server_hostname=place.hostname)
        except OSError as error:
            sys.exit(f"cannot connect to {url}: {error}")

    def say(self, *frames):
        packet = b"".join(msgpack.packb(frame) for frame in frames)
        self.socket.sendall(struct.pack(">I", len(packet)) + packet)

    def frames(self):
        """All frames, until the server closes. Pings are answered here."""
        while True:
            head = self._read(4)
            if head is None:
                return
            unpacker = msgpack.Unpacker(strict_map_key=True, max_buffer_size=16 * 1024 * 1024)
            unpacker.feed(self._read(struct.unpack(">I", head)[0]) or b"")
            for frame in unpacker:
                if frame[0] == "ping":
                    self.say(["pong"])
                elif frame[0] in ("close", "error"):
                    sys.exit(f"the server says {frame[0]}: {frame[1:]}")
                else:
                    yield frame

    def _read(self, size):
        chunks = bytearray()
        while len(chunks) < size:
            chunk = self.socket.recv(min(size - len(chunks), 65536))
            if not chunk:
                return None
            chunks += chunk
        return bytes(chunks)


def connect(url, ca, state):
    state["attempt"] += 1
    state.save()
    link = Link(url, ca)
    hello = {"v": 1, "outbox": state["outbox"], "attempt": state["attempt"]}
    if state["id"]:
        hello |= {"id": state["id"], "secret": state["secret"]}
    link.say(["hello", hello])
    frames = link.frames()
    welcome = next(frames)[1]
    state["id"] = welcome["id"]
    state["secret"] = welcome.get("secret", state["secret"])
    state.save()
    return link, frames


def listen(link, frames, state, count):
    print(json.dumps({"id": state["id"]}), flush=True)
    shown = 0
    for op, *rest in frames:
        if op not in ("message", "void"):
            continue
        seq, sender, outbox, n = rest[:4]
        stream = f"{sender} {outbox}"
        # A number at or below the last one is a repeat: it was dealt with, so it is only acked.
        if n > state["read"].get(stream, 0):
            if op == "message":
                print(json.dumps({"from": sender, "n": n, "body": rest[6]}, default=repr), flush=True)
                shown += 1
            state["read"][stream] = n
            state.save()
        link.say(["ack", seq])
        if shown == count:
            link.say(["bye"])
            return


def send(link, frames, state, to, bodies):
    for body in bodies:
        n = state["next"].get(to, 1)
        state["next"][to] = n + 1
        state["open"].append([n, to, body])
    # From here on they will be sent, whatever happens to this process.
    state.save()
    while state["open"]:
        batch = state["open"][:BATCH]
        offer(link, state, batch)
        settle(link, frames, state, batch)
    link.say(["bye"])


def settle(link, frames, state, batch):
    """Reads receipts until nothing of the batch is open any more."""
    for frame in frames:
        if frame[0] != "receipt":
            continue
        kind, target, n, *rest = frame[1:]
        if kind in ("stored", "delivered"):
            state["open"] = [entry for entry in state["open"] if entry[1] != target or entry[0] > n]
            state.save()
            print(json.dumps({"to": target, "n": n, "is": kind}), flush=True)
        elif kind == "retry":
            time.sleep(rest[1] / 1000)
            offer(link, state, [entry for entry in batch if entry[1] == target and entry[0] >= n])
        else:
            sys.exit(f"message {n} to {target}: {kind} {rest}")
        if not any(entry in state["open"] for entry in batch):
            return
    sys.exit("the connection was lost; what is open goes out the next time")


def offer(link, state, batch):
    """Sends, each message with the lowest number that is still open to the same target."""
    floors = {}
    for n, to, _ in state["open"]:
        floors.setdefault(to, n)
    link.say(*(["send", n, floors.get(to, n), to, None, body] for n, to, body in batch))


def main():
    parser = argparse.ArgumentParser(description="a small client of ackd")
    parser.add_argument("url")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("listen", "send"):
        command = commands.add_parser(name)
        command.add_argument("--state", required=True, help="a file of its own")
        command.add_argument("--ca", help="whose certificate to trust, as PEM")
    commands.choices["listen"].add_argument("--count", type=int, help="end after this many messages")
    commands.choices["send"].add_argument("to")
    commands.choices["send"].add_argument("body", nargs="*", help="none: only what is still open from before")
    asked = parser.parse_args()
    state = State(asked.state)
    link, frames = connect(asked.url, asked.ca, state)
    if asked.command == "listen":
        listen(link, frames, state, asked.count)
    else:
        send(link, frames, state, asked.to, asked.body)


if __name__ == "__main__":
    main()
