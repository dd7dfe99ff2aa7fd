#!/usr/bin/python3
"""Writes tuning_golden.safetensors: adapters, NF4 and ORPO as PyTorch and numpy compute them, in double precision, for a small random
InternLM2 decoder. TuningGoldenTests.cs compares the trainer with it. Run again only when a definition changes:

    /usr/bin/python3 tests/PsyLite.Tests/Golden/tuning_golden.py

Needs python3-torch and numpy (made with torch 1.13.0, numpy 1.24.2). NF4 is written here from the QLoRA paper (arXiv 2305.14314) and the
description of the dynamic 8-bit type (arXiv 1511.04561), without looking at the trainer.
"""
import json
import math
import pathlib
import struct

import numpy as np
import torch

VOCAB, HIDDEN, FFN, LAYERS, HEADS, KV_HEADS, ROPE_BASE, EPSILON = 50, 64, 64, 2, 4, 2, 1e6, 1e-5
HEAD, GROUP = HIDDEN // HEADS, HEADS // KV_HEADS
RANK, ALPHA = 4, 16.0
# Lengths of chosen, rejected, chosen, rejected; the place of the first token of each reply.
SEGMENTS, REPLIES = [17, 14, 11, 19], [6, 6, 4, 4]
STEPS, PEAK_RATE, WARMUP, START_FACTOR, CLIP, BETA = 20, 5e-3, 3, 1e-5, 1.0, 0.2

NF4 = np.array([
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
    0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0], np.float32)


def dynamic_levels():
    """Signed dynamic type with 7 exponent bits: in decade 10^-e .. 10^-(e-1) lie 2^(6-e) fractions, the middles of equal parts of [0.1, 1]."""
    positive = []
    for exponent in range(7):
        parts = np.linspace(0.1, 1.0, 2 ** (6 - exponent) + 1)
        positive += list(10.0 ** -exponent * (parts[:-1] + parts[1:]) / 2)
    return np.sort(np.array(positive + [-x for x in positive] + [0.0, 1.0])).astype(np.float32)


def nearest(values, levels):
    """Index of the nearest level: the number of midpoints (in single precision) below the value."""
    middles = ((levels[:-1] + levels[1:]) * np.float32(0.5)).astype(np.float32)
    return (values[..., None] > middles).sum(-1)


def quantise(weight):
    """Codes of the values, codes of the block scales, scales of these, and their mean."""
    blocks = weight.astype(np.float32).reshape(-1, 64)
    scales = np.abs(blocks).max(1)
    codes = nearest(blocks * (np.float32(1) / scales)[:, None], NF4)
    mean = np.float32(scales.astype(np.float64).mean())
    centred = scales - mean
    levels, scale_codes, group_scales = dynamic_levels(), [], []
    for start in range(0, len(centred), 256):
        part = centred[start:start + 256]
        group_scales.append(np.abs(part).max())
        scale_codes.append(nearest(part * (np.float32(1) / group_scales[-1]), levels))
    return codes, np.concatenate(scale_codes), np.array(group_scales, np.float32), mean


def dequantise(shape, codes, scale_codes, group_scales, mean):
    scales = dynamic_levels()[scale_codes] * np.repeat(group_scales, 256)[:len(scale_codes)] + mean
    return (NF4[codes] * scales[:, None]).astype(np.float32).reshape(shape)


def bf16(array):
    """Rounded to the nearest bfloat16, ties to even."""
    bits = array.astype("<f4").view(np.uint32).astype(np.uint64)
    return (((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16) << 16).astype(np.uint32).view(np.float32).reshape(array.shape)


def random_weights(generator):
    def normal(*shape, scale):
        return (torch.randn(*shape, generator=generator, dtype=torch.float64) * scale).float().double()

    weights = {"model.tok_embeddings.weight": normal(VOCAB, HIDDEN, scale=0.5)}
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."
        weights[prefix + "attention.wqkv.weight"] = normal((HEADS + 2 * KV_HEADS) * HEAD, HIDDEN, scale=0.25)
        weights[prefix + "attention.wo.weight"] = normal(HIDDEN, HIDDEN, scale=0.12)
        weights[prefix + "feed_forward.w1.weight"] = normal(FFN, HIDDEN, scale=0.12)
        weights[prefix + "feed_forward.w3.weight"] = normal(FFN, HIDDEN, scale=0.12)
        weights[prefix + "feed_forward.w2.weight"] = normal(HIDDEN, FFN, scale=0.12)
        for norm in ("attention_norm", "ffn_norm"):
            weights[prefix + norm + ".weight"] = 1 + normal(HIDDEN, scale=0.1)
    weights["model.norm.weight"] = 1 + normal(HIDDEN, scale=0.1)
    weights["output.weight"] = normal(VOCAB, HIDDEN, scale=0.12)
    return {name: weight.float().double() for name, weight in weights.items()}


def random_adapters(weights, generator):
    adapters = {}
    for name, weight in weights.items():
        if weight.dim() == 2 and "tok_embeddings" not in name:
            out, inputs = weight.shape
            stem = name[:-len(".weight")]
            adapters[stem + ".lora_A.weight"] = (torch.randn(RANK, inputs, generator=generator, dtype=torch.float64) * 0.2).float().double()
            adapters[stem + ".lora_B.weight"] = (torch.randn(out, RANK, generator=generator, dtype=torch.float64) * 0.05).float().double()
    return adapters


class Decoder:
    def __init__(self, weights, adapters=None):
        self.weights, self.adapters = weights, adapters or {}

    def linear(self, x, name):
        y = x @ self.weights[name + ".weight"].T
        if name + ".lora_A.weight" in self.adapters:
            y = y + (ALPHA / RANK) * (x @ self.adapters[name + ".lora_A.weight"].T) @ self.adapters[name + ".lora_B.weight"].T
        return y

    def norm(self, x, name):
        return self.weights[name + ".weight"] * x / torch.sqrt((x * x).mean(-1, keepdim=True) + EPSILON)

    def attention(self, x, prefix):
        length = x.shape[0]
        qkv = self.linear(x, prefix + "wqkv").view(length, KV_HEADS, GROUP + 2, HEAD)
        angles = torch.arange(length, dtype=torch.float64)[:, None] / ROPE_BASE ** (torch.arange(HEAD // 2, dtype=torch.float64) / (HEAD // 2))

        def rotate(heads):
            a, b = heads[..., :HEAD // 2], heads[..., HEAD // 2:]
            cos, sin = angles.cos()[:, None], angles.sin()[:, None]
            return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)

        q = rotate(qkv[:, :, :GROUP].reshape(length, HEADS, HEAD))
        k = rotate(qkv[:, :, GROUP]).repeat_interleave(GROUP, 1)
        v = qkv[:, :, GROUP + 1].repeat_interleave(GROUP, 1)
        scores = torch.einsum("thd,shd->hts", q, k) / math.sqrt(HEAD)
        scores = scores.masked_fill(torch.ones(length, length).triu(1).bool(), -math.inf)
        return self.linear(torch.einsum("hts,shd->thd", scores.softmax(-1), v).reshape(length, HIDDEN), prefix + "wo")

    def logits(self, tokens):
        x = self.weights["model.tok_embeddings.weight"][tokens]
        for layer in range(LAYERS):
            prefix = f"model.layers.{layer}."
            x = x + self.attention(self.norm(x, prefix + "attention_norm"), prefix + "attention.")
            n = self.norm(x, prefix + "ffn_norm")
            gate, up = self.linear(n, prefix + "feed_forward.w1"), self.linear(n, prefix + "feed_forward.w3")
            x = x + self.linear(torch.nn.functional.silu(gate) * up, prefix + "feed_forward.w2")
        return self.linear(self.norm(x, "model.norm"), "output")

    def log_probabilities(self, tokens):
        """Of each token but the first, given those before it."""
        return self.logits(tokens).log_softmax(-1)[:-1].gather(1, tokens[1:, None])[:, 0]


def sft_loss(model, segments):
    """Mean over the tokens of all replies."""
    replies = [model.log_probabilities(tokens)[reply - 1:] for tokens, reply in segments]
    return -torch.cat(replies).mean()


def orpo_loss(model, segments, nll="xtuner"):
    """XTuner's formula; see the trainer's documentation for the three likelihoods. Returns the loss and XTuner's metrics."""
    texts = [model.log_probabilities(tokens) for tokens, _ in segments]
    replies = [text[reply - 1:] for text, (_, reply) in zip(texts, segments)]
    means = torch.stack([reply.mean() for reply in replies])
    chosen, rejected = means[0::2], means[1::2]
    log_odds = (chosen - rejected) - (torch.log1p(-chosen.exp()) - torch.log1p(-rejected.exp()))
    ratio = torch.nn.functional.logsigmoid(log_odds)
    likelihood = {"xtuner": -torch.cat(replies[0::2]).mean(), "trl": -torch.cat(texts[0::2]).mean(), "paper": -chosen.mean()}[nll]
    loss = likelihood - BETA * ratio.mean()
    metrics = [loss, BETA * chosen.mean(), BETA * rejected.mean(), (chosen > rejected).double().mean(), BETA * (chosen - rejected).mean(), ratio.mean(), log_odds.mean(), likelihood]
    return loss, [float(m) for m in metrics]


def rate(step):
    """XTuner: linear from 1e-5 of the peak over the warm-up, then half a cosine to 0."""
    if step < WARMUP:
        return PEAK_RATE * (START_FACTOR + (1 - START_FACTOR) * step / (WARMUP - 1))
    return PEAK_RATE * 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP)))


def trajectory(weights, adapters, loss_of):
    weights = {n: w.clone() for n, w in weights.items()}
    adapters = {n: a.clone() for n, a in (adapters or {}).items()}
    trained = list((adapters or weights).values())
    for parameter in trained:
        parameter.requires_grad_()
    optimiser = torch.optim.AdamW(trained, lr=PEAK_RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
    losses = []
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = rate(step)
        optimiser.zero_grad()
        loss = loss_of(Decoder(weights, adapters))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, CLIP)
        optimiser.step()
        losses.append(loss.item())
    return losses


def gradients(weights, adapters, loss_of):
    trained = {n: p.clone().requires_grad_() for n, p in (adapters or weights).items()}
    loss_of(Decoder(weights, trained) if adapters else Decoder(trained)).backward()
    return {n: p.grad for n, p in trained.items()}


def save(path, tensors):
    header, offset, data = {}, 0, b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": "I32" if array.dtype == np.int32 else "F32", "shape": list(array.shape), "data_offsets": [offset, offset + len(raw)]}
        data, offset = data + raw, offset + len(raw)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    generator = torch.Generator().manual_seed(20261122)
    weights = random_weights(generator)
    adapters = random_adapters(weights, generator)
    segments = [(torch.randint(0, VOCAB, (length,), generator=generator), reply) for length, reply in zip(SEGMENTS, REPLIES)]
    for chosen, rejected in zip(range(0, len(segments), 2), range(1, len(segments), 2)):
        segments[rejected][0][:REPLIES[rejected]] = segments[chosen][0][:REPLIES[chosen]]

    quantised = {}
    for name, weight in weights.items():
        array = weight.numpy().astype(np.float32)
        if array.ndim == 1:
            quantised[name] = weight
        elif name.startswith("model.layers."):
            quantised[name] = torch.from_numpy(dequantise(array.shape, *quantise(array)).astype(np.float64))
        else:
            quantised[name] = torch.from_numpy(bf16(array).astype(np.float64))

    def f32(x):
        return np.array(x.detach() if torch.is_tensor(x) else x).astype("<f4")

    tensors = {"tokens": np.concatenate([t.numpy() for t, _ in segments]).astype("<i4"), "lengths": np.array(SEGMENTS, "<i4"), "replies": np.array(REPLIES, "<i4")}
    tensors.update({name: f32(tensor) for name, tensor in {**weights, **adapters}.items()})

    # Second level of quantisation: 384 blocks make two groups of scales. One block is tiny, one has equal magnitudes.
    many = (torch.randn(192, 128, generator=generator) * torch.rand(192, 1, generator=generator)).numpy()
    many[3, :64] *= 1e-6
    many[5, 64:] = 0.25
    codes, scale_codes, group_scales, mean = quantise(many)
    tensors.update({"nf4.values": many.astype("<f4"), "nf4.codes": codes.reshape(-1).astype("<i4"), "nf4.scale_codes": scale_codes.astype("<i4"), "nf4.group_scales": group_scales,
                    "nf4.mean": np.array([mean], "<f4"), "nf4.decoded": dequantise(many.shape, codes, scale_codes, group_scales, mean)})

    losses = {"sft": lambda m: sft_loss(m, segments), "orpo": lambda m: orpo_loss(m, segments)[0]}
    modes = {"full": (weights, None), "lora": (weights, adapters), "qlora": (quantised, adapters)}
    for mode, (base, added) in modes.items():
        for name, loss in losses.items():
            tensors[f"{mode}.{name}.loss"] = f32([float(loss(Decoder(base, added)))])
            tensors[f"{mode}.{name}.trajectory"] = f32(trajectory(base, added, loss))
            for parameter, gradient in gradients(base, added, loss).items():
                tensors[f"{mode}.{name}.grad.{parameter}"] = f32(gradient)
    for nll in ("xtuner", "trl", "paper"):
        tensors[f"metrics.{nll}"] = f32(orpo_loss(Decoder(weights, adapters), segments, nll)[1])
        for parameter, gradient in gradients(weights, adapters, lambda m: orpo_loss(m, segments, nll)[0]).items():
            tensors[f"{nll}.grad.{parameter}"] = f32(gradient)
    save(pathlib.Path(__file__).with_name("tuning_golden.safetensors"), tensors)
    for name, array in tensors.items():
        if name.endswith("loss") or name.startswith("metrics") or name.endswith("trajectory"):
            print(name, array[:20].round(4))


main()
