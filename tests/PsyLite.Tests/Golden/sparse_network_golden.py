#!/usr/bin/python3
"""Writes sparse_network_golden.json: what PyTorch computes, in double precision, for a small network on sparse features (two dense layers,
multiple-instance loss) on three bags, and its parameters after steps of Adam whose rows move only when they are in use.
SparseNetworkTests.cs compares. Run again only when the definition changes:

    /usr/bin/python3 tests/PsyLite.Tests/Golden/sparse_network_golden.py

Needs python3-torch (made with torch 1.13.0).
"""
import json
import pathlib

import torch

FEATURES, WIDTH, OUTPUTS, FEWEST, GAIN = 11, 5, 3, 3, 2.0
OF_WHOLE = [False, False, True]
RATE, STEPS = 0.01, 3
NONE = None
BAGS = [
    {"windows": [[0, 1, 2, 2], [3, 4, -1]], "marked": NONE, "whole": [0, 1, 2, 2, 3, 4, -1], "labels": [1, 0, NONE], "weight": 1.0},
    {"windows": [[2, 5], [1, 6, 7, 8, 0]], "marked": [False, True], "whole": [2, 5, 1, 6, 7, 8, 0], "labels": [1, 1, 1], "weight": 0.5},
    {"windows": [[-1]], "marked": NONE, "whole": [-1], "labels": [0, 0, 0], "weight": 1.0},
]


def logits(p, instance):
    known = [f for f in instance if f >= 0]
    scale = GAIN / max(FEWEST, len(instance)) ** 0.5
    total = p["rows"][known].sum(0) if known else torch.zeros(WIDTH, dtype=torch.float64)
    second = torch.relu(p["hidden"] @ torch.tanh(scale * total) + p["hiddenBias"])
    return p["top"] @ second + p["topBias"]


def bag_loss(p, bag):
    windows = torch.stack([logits(p, w) for w in bag["windows"]])
    whole = logits(p, bag["whole"])
    loss = torch.zeros((), dtype=torch.float64)
    for output, label in enumerate(bag["labels"]):
        if label is None:
            continue
        among = windows[:, output]
        if label == 1 and bag["marked"]:
            among = among[torch.tensor(bag["marked"])]
        z = whole[output] if OF_WHOLE[output] else among.max()
        loss = loss + bag["weight"] * torch.nn.functional.binary_cross_entropy_with_logits(z, torch.tensor(float(label), dtype=torch.float64))
    return loss


def main():
    generator = torch.Generator().manual_seed(20261122)

    def normal(*shape):
        # Rounded to float32 so that the file holds exactly what was used.
        return (torch.randn(*shape, generator=generator, dtype=torch.float64) * 0.7).float().double().requires_grad_()

    p = {"rows": normal(FEATURES, WIDTH), "hidden": normal(WIDTH, WIDTH), "hiddenBias": normal(WIDTH), "top": normal(OUTPUTS, WIDTH), "topBias": normal(OUTPUTS)}
    out = {"features": FEATURES, "width": WIDTH, "fewest": FEWEST, "ofWhole": OF_WHOLE, "bags": BAGS, "rate": RATE, "steps": STEPS}
    out["start"] = {k: v.detach().flatten().tolist() for k, v in p.items()}
    out["losses"] = [bag_loss(p, b).item() for b in BAGS]
    out["logits"] = [[logits(p, w).tolist() for w in b["windows"] + [b["whole"]]] for b in BAGS]
    sum(bag_loss(p, b) for b in BAGS).backward()
    out["gradients"] = {k: v.grad.flatten().tolist() for k, v in p.items()}

    # SparseAdam takes a row's moments to move only when it has a gradient; the dense parameters have one at every step.
    moving = {k: v.detach().clone().requires_grad_() for k, v in p.items()}
    dense = torch.optim.Adam([v for k, v in moving.items() if k != "rows"], lr=RATE)
    sparse = torch.optim.SparseAdam([moving["rows"]], lr=RATE)
    for _ in range(STEPS):
        for v in moving.values():
            v.grad = None
        (sum(bag_loss(moving, b) for b in BAGS) / len(BAGS)).backward()
        rows = moving["rows"].grad
        used = rows.abs().sum(1).nonzero().flatten()
        moving["rows"].grad = torch.sparse_coo_tensor(used[None], rows[used], rows.shape)
        dense.step()
        sparse.step()
    out["end"] = {k: v.detach().flatten().tolist() for k, v in moving.items()}
    pathlib.Path(__file__).with_name("sparse_network_golden.json").write_text(json.dumps(out) + "\n")
    print("losses", out["losses"])


main()
