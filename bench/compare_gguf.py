#!/usr/bin/env python3
"""Compares two GGUF files: bytes, then metadata key by key, then tensors by name, type, shape and SHA-256 of their data.

    python3 bench/compare_gguf.py OURS THEIRS      prints what differs; exit status 1 when anything does

Used beside llama.cpp's own programs (docs/models.md says how). Needs nothing but Python: it reads GGUF version 3 by itself.
"""
import hashlib
import mmap
import struct
import sys

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


class Gguf:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.at = 0
        magic, version, tensors, pairs = self.take("<4sIQQ")
        assert magic == b"GGUF" and version == 3, f"{path}: not GGUF 3"
        self.metadata = {}
        for _ in range(pairs):
            key = self.text()
            self.metadata[key] = self.value(self.take("<I")[0])
        places = []
        for _ in range(tensors):
            name = self.text()
            shape = self.take(f"<{self.take('<I')[0]}Q")
            kind, offset = self.take("<IQ")
            places.append((name, kind, shape, offset))
        start = (self.at + 31) // 32 * 32
        ends = sorted(p[3] for p in places)[1:] + [len(self.data) - start]
        follows = dict(zip(sorted(p[3] for p in places), ends))
        self.tensors = {n: (k, s, start + o, start + follows[o]) for n, k, s, o in places}

    def take(self, form):
        values = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return values

    def text(self):
        length = self.take("<Q")[0]
        self.at += length
        return self.data[self.at - length:self.at].decode("utf-8", "replace")

    def value(self, kind):
        if kind == 8:
            return ("string", self.text())
        if kind == 9:
            of, count = self.take("<IQ")
            return ("array", of, [self.value(of)[1] for _ in range(count)])
        return (kind, self.take("<" + SCALARS[kind])[0])

    def digest(self, name):
        _, _, start, end = self.tensors[name]
        hashed = hashlib.sha256()
        for part in range(start, end, 1 << 24):
            hashed.update(self.data[part:min(part + (1 << 24), end)])
        return hashed.hexdigest()


def main():
    ours, theirs = Gguf(sys.argv[1]), Gguf(sys.argv[2])
    different = 0
    for what, left, right in (("metadata", ours.metadata, theirs.metadata), ("tensor", ours.tensors, theirs.tensors)):
        for name in sorted(left.keys() ^ right.keys()):
            print(f"{what} {name}: only in {'the first' if name in left else 'the second'}")
            different += 1
        for name in sorted(left.keys() & right.keys()):
            if what == "metadata" and left[name] != right[name]:
                where = ""
                if left[name][0] == "array" == right[name][0]:
                    unlike = [i for i, (a, b) in enumerate(zip(left[name][2], right[name][2])) if a != b]
                    where = f" at {len(unlike)} places of {len(left[name][2])} and {len(right[name][2])}, first {[(i, left[name][2][i], right[name][2][i]) for i in unlike[:4]]}"
                print(f"metadata {name}: {where or (left[name], right[name])}")
                different += 1
            if what == "tensor" and (left[name][:2] != right[name][:2] or ours.digest(name) != theirs.digest(name)):
                print(f"tensor {name}: {left[name][:2]} and {right[name][:2]}, or their data")
                different += 1
    order = list(ours.metadata) == list(theirs.metadata) and list(ours.tensors) == list(theirs.tensors)
    same = len(ours.data) == len(theirs.data) and hashlib.sha256(ours.data).digest() == hashlib.sha256(theirs.data).digest()
    print(f"{len(ours.metadata)} keys, {len(ours.tensors)} tensors, {different} differences, order {'the same' if order else 'different'}, files {'equal byte for byte' if same else 'not equal as bytes'}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
