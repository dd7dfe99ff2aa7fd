#!/usr/bin/python3
"""Writes internlm2_golden.safetensors: what PyTorch computes, in double precision, for a small random InternLM2 decoder on one
packed row of three segments. GoldenTests.cs compares the trainer with it. Run again only when the definition changes:

    /usr/bin/python3 tests/PsyLite.Tests/Golden/internlm2_golden.py

Needs python3-torch and numpy (made with torch 1.13.0, numpy 1.24.2). Sizes are odd on purpose: no vector width divides them.
"""
import json
import math
import pathlib
import struct

import numpy as np
import torch

VOCAB, HIDDEN, FFN, LAYERS, HEADS, KV_HEADS, ROPE_BASE, EPSILON = 67, 36, 52, 2, 6, 2, 1e6, 1e-5
HEAD, GROUP = HIDDEN // HEADS, HEADS // KV_HEADS
SEGMENTS = [17, 1, 23]
STEPS, PEAK_RATE, WARMUP, DECAY, CLIP = 20, 1e-2, 3, 0.1, 1.0
IGNORED = -100


def random_weights(generator):
    def normal(*shape, scale=0.15):
        # Rounded to float32 so that the file holds exactly what was used.
        return (torch.randn(*shape, generator=generator, dtype=torch.float64) * scale).float().double().requires_grad_()

    weights = {"model.tok_embeddings.weight": normal(VOCAB, HIDDEN, scale=0.5)}
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."
        weights[prefix + "attention.wqkv.weight"] = normal((HEADS + 2 * KV_HEADS) * HEAD, HIDDEN, scale=0.4)
        weights[prefix + "attention.wo.weight"] = normal(HIDDEN, HIDDEN)
        weights[prefix + "feed_forward.w1.weight"] = normal(FFN, HIDDEN)
        weights[prefix + "feed_forward.w3.weight"] = normal(FFN, HIDDEN)
        weights[prefix + "feed_forward.w2.weight"] = normal(HIDDEN, FFN)
        for norm in ("attention_norm", "ffn_norm"):
            weights[prefix + norm + ".weight"] = (1 + normal(HIDDEN).detach()).float().double().requires_grad_()
    weights["model.norm.weight"] = (1 + normal(HIDDEN).detach()).float().double().requires_grad_()
    weights["output.weight"] = normal(VOCAB, HIDDEN)
    return weights


def rms_norm(x, weight):
    return weight * x / torch.sqrt((x * x).mean(-1, keepdim=True) + EPSILON)


def rotate(x, positions):
    """x [T, heads, HEAD]; the two halves of a head are the real and imaginary parts of HEAD / 2 complex numbers."""
    half = HEAD // 2
    frequency = ROPE_BASE ** (-torch.arange(half, dtype=torch.float64) / half)
    turn = torch.polar(torch.ones(len(positions), half, dtype=torch.float64), positions[:, None] * frequency)[:, None, :]
    turned = torch.complex(x[..., :half], x[..., half:]) * turn
    return torch.cat([turned.real, turned.imag], -1)


def attention(x, weights, prefix, positions, visible):
    tokens = len(x)
    grouped = (x @ weights[prefix + "wqkv.weight"].T).reshape(tokens, KV_HEADS, GROUP + 2, HEAD)
    queries = rotate(grouped[:, :, :GROUP].reshape(tokens, HEADS, HEAD), positions)
    keys, values = rotate(grouped[:, :, GROUP], positions), grouped[:, :, GROUP + 1]
    out = []
    for head in range(HEADS):
        scores = queries[:, head] @ keys[:, head // GROUP].T / math.sqrt(HEAD)
        out.append(torch.softmax(scores.masked_fill(~visible, float("-inf")), -1) @ values[:, head // GROUP])
    return torch.cat(out, -1) @ weights[prefix + "wo.weight"].T


def decoder(weights, tokens):
    segment = torch.cat([torch.full((n,), i) for i, n in enumerate(SEGMENTS)])
    positions = torch.cat([torch.arange(n, dtype=torch.float64) for n in SEGMENTS])
    order = torch.arange(len(tokens))
    visible = (segment[:, None] == segment[None, :]) & (order[:, None] >= order[None, :])
    x = weights["model.tok_embeddings.weight"][tokens]
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."
        x = x + attention(rms_norm(x, weights[prefix + "attention_norm.weight"]), weights, prefix + "attention.", positions, visible)
        n = rms_norm(x, weights[prefix + "ffn_norm.weight"])
        gate, up = n @ weights[prefix + "feed_forward.w1.weight"].T, n @ weights[prefix + "feed_forward.w3.weight"].T
        x = x + (gate * torch.sigmoid(gate) * up) @ weights[prefix + "feed_forward.w2.weight"].T
    return rms_norm(x, weights["model.norm.weight"]) @ weights["output.weight"].T


def weighted_loss(logits, labels, token_weights):
    kept = labels != IGNORED
    log_probabilities = torch.log_softmax(logits[kept], -1)[torch.arange(int(kept.sum())), labels[kept]]
    return -(log_probabilities * token_weights[kept]).sum() / token_weights[kept].sum()


def trajectory(weights, tokens, labels, token_weights):
    """Losses of STEPS updates with AdamW, clipping at CLIP, linear warm-up and cosine decay to 0; norms take no weight decay."""
    vectors = [w for w in weights.values() if w.dim() == 1]
    matrices = [w for w in weights.values() if w.dim() == 2]
    optimiser = torch.optim.AdamW([{"params": matrices, "weight_decay": DECAY}, {"params": vectors, "weight_decay": 0.0}], lr=PEAK_RATE, betas=(0.9, 0.999), eps=1e-8)
    losses = []
    for step in range(STEPS):
        rate = PEAK_RATE * (step + 1) / WARMUP if step < WARMUP else PEAK_RATE * 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad()
        loss = weighted_loss(decoder(weights, tokens), labels, token_weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(weights.values()), CLIP)
        optimiser.step()
        losses.append(loss.item())
    return losses


def save(path, tensors):
    header, offset, data = {}, 0, b""
    for name, array in tensors.items():
        raw = array.tobytes()
        header[name] = {"dtype": "I32" if array.dtype == np.int32 else "F32", "shape": list(array.shape), "data_offsets": [offset, offset + len(raw)]}
        data, offset = data + raw, offset + len(raw)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    generator = torch.Generator().manual_seed(20260722)
    weights = random_weights(generator)
    total = sum(SEGMENTS)
    tokens = torch.randint(0, VOCAB, (total,), generator=generator)
    labels = torch.cat([tokens[1:], torch.tensor([IGNORED])])
    ends = np.cumsum(SEGMENTS) - 1
    labels[ends] = IGNORED
    labels[1] = labels[16] = IGNORED
    labels[18:24] = IGNORED
    labels[17] = 5  # a segment of a single token that still has a target
    token_weights = (torch.rand(total, generator=generator, dtype=torch.float64) + 0.25).float().double()

    logits = decoder(weights, tokens)
    loss = weighted_loss(logits, labels, token_weights)
    loss.backward()

    def f32(x):
        return x.detach().numpy().astype("<f4")

    tensors = {"tokens": tokens.numpy().astype("<i4"), "labels": labels.numpy().astype("<i4"), "token_weights": f32(token_weights),
               "segment_starts": (ends + 1 - SEGMENTS).astype("<i4"), "logits": f32(logits), "loss": np.array([loss.item()], "<f4")}
    for name, weight in weights.items():
        tensors[name], tensors["grad." + name] = f32(weight), f32(weight.grad)
    tensors["trajectory"] = np.array(trajectory(weights, tokens, labels, token_weights), "<f4")
    save(pathlib.Path(__file__).with_name("internlm2_golden.safetensors"), tensors)
    print("loss", loss.item(), "trajectory", [round(float(x), 4) for x in tensors["trajectory"]])


main()
