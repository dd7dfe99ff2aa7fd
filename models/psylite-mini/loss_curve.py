#!/usr/bin/env python3
"""Draws loss-curve.svg from metrics.jsonl files of `psylite train`, one panel a stage (standard library only).

usage: loss_curve.py OUT.svg NAME=metrics.jsonl [NAME=metrics.jsonl ...]
"""
import json
import sys

WIDTH, HEIGHT, LEFT, TOP, GAP = 380, 230, 46, 34, 60


def read(path):
    rows = {}
    for line in open(path, encoding="utf-8"):
        row = json.loads(line)
        rows[row["step"]] = row  # a resumed run repeats steps; the later line counts
    return [rows[s] for s in sorted(rows)]


def smooth(values, span):
    return [sum(values[max(0, i - span + 1):i + 1]) / (i + 1 - max(0, i - span + 1)) for i in range(len(values))]


def panel(name, rows, x0):
    steps = [r["step"] for r in rows]
    train = smooth([r["loss"] for r in rows], 50)
    held = [(r["step"], r["validationLoss"]) for r in rows if r["validationLoss"] is not None]
    top = max(train[min(30, len(train) - 1):] + [v for _, v in held]) * 1.05
    x = lambda s: x0 + LEFT + (WIDTH - LEFT) * s / steps[-1]
    y = lambda v: TOP + HEIGHT * (1 - min(v, top) / top)
    line = lambda points: " ".join(f"{x(s):.1f},{y(v):.1f}" for s, v in points)
    out = [f'<text x="{x0 + LEFT}" y="20" class="h">{name}</text>']
    for k in range(5):
        v = top * k / 4
        out.append(f'<line x1="{x(0):.1f}" x2="{x(steps[-1]):.1f}" y1="{y(v):.1f}" y2="{y(v):.1f}" class="g"/><text x="{x(0) - 6:.1f}" y="{y(v) + 4:.1f}" class="t" text-anchor="end">{v:.1f}</text>')
    for k in range(1, 5):
        s = steps[-1] * k // 4
        out.append(f'<text x="{x(s):.1f}" y="{TOP + HEIGHT + 16}" class="t" text-anchor="middle">{s}</text>')
    keep = max(1, len(steps) // 600)
    out.append(f'<polyline points="{line(list(zip(steps, train))[::keep])}" class="a"/>')
    out.append(f'<polyline points="{line(held)}" class="b"/>')
    return out


def main():
    parts = [argument.split("=", 1) for argument in sys.argv[2:]]
    width = len(parts) * (WIDTH + GAP)
    body = []
    for i, (name, path) in enumerate(parts):
        body += panel(name, read(path), i * (WIDTH + GAP))
    legend = TOP + HEIGHT + 40
    body.append(f'<line x1="{LEFT}" x2="{LEFT + 26}" y1="{legend}" y2="{legend}" class="a"/><text x="{LEFT + 34}" y="{legend + 4}" class="t">training loss, weighted mean in nats, running mean of 50 steps</text>')
    body.append(f'<line x1="{LEFT + 420}" x2="{LEFT + 446}" y1="{legend}" y2="{legend}" class="b"/><text x="{LEFT + 454}" y="{legend + 4}" class="t">held-back situations</text>')
    style = ".h{font:600 14px sans-serif;fill:#333}.t{font:11px sans-serif;fill:#555}.g{stroke:#ddd}.a{fill:none;stroke:#2f6f8f;stroke-width:1.6}.b{fill:none;stroke:#b5652b;stroke-width:1.8}"
    with open(sys.argv[1], "w", encoding="utf-8") as svg:
        svg.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {legend + 20}" width="{width}"><style>{style}</style><rect width="100%" height="100%" fill="#fff"/>{"".join(body)}</svg>\n')


main()
