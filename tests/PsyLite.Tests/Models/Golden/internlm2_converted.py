#!/usr/bin/env python3
"""Writes internlm2_converted.json: what llama.cpp's converters make of the folder and the adapter of TinyHuggingFace.cs.
HuggingFaceGgufTests.cs compares ours with it. Run again only when that model changes:

    PSYLITE_TINY_HF=/tmp/tiny dotnet test tests/PsyLite.Tests --filter FullyQualifiedName~HuggingFaceGgufTests
    python3 tests/PsyLite.Tests/Models/Golden/internlm2_converted.py LLAMA_CPP /tmp/tiny

LLAMA_CPP is a checkout of llama.cpp v0.5.0 whose Python requirements are installed.
"""
import hashlib
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../../../bench"))
from compare_gguf import Gguf  # noqa: E402


def facts(command, path, whole):
    subprocess.run([sys.executable, *command, "--outfile", path], check=True, stdout=subprocess.DEVNULL)
    file = Gguf(path)
    found = {"keys": list(file.metadata), "tensors": {}}
    if whole:
        found["file"] = hashlib.sha256(file.data).hexdigest()
    for name, (kind, shape, start, _) in file.tensors.items():
        count = 1
        for size in shape:
            count *= size
        found["tensors"][name] = hashlib.sha256(file.data[start:start + count * (4 if kind == 0 else 2)]).hexdigest()
    return found


def main():
    llama, tiny = sys.argv[1:]
    model, adapter = os.path.join(tiny, "tiny-12k-chat"), os.path.join(tiny, "tiny-lora")
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.gguf")
        golden = {t: facts([os.path.join(llama, "convert_hf_to_gguf.py"), model, "--outtype", t], out, True) for t in ("f16", "bf16", "f32")}
        golden["lora"] = facts([os.path.join(llama, "convert_lora_to_gguf.py"), adapter, "--base", model], out, False)
    with open(os.path.join(HERE, "internlm2_converted.json"), "w") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


main()
