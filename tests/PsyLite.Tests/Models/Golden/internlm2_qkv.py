"""Numbers of internlm2_qkv.json: how llama.cpp's converter splits wqkv.

The two functions are InternLM2Model.modify_tensors and LlamaModel.permute of conversion/ in llama.cpp v0.5.0, with
numpy in place of torch. Run: python3 internlm2_qkv.py > internlm2_qkv.json
"""
import json

import numpy as np

HEADS, KV_HEADS, HIDDEN = 6, 2, 36


def permute(weights, n_head, n_head_kv):
    if n_head_kv is not None and n_head != n_head_kv:
        n_head = n_head_kv
    return weights.reshape(n_head, 2, weights.shape[0] // n_head // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def split(qkv):
    q_per_kv = HEADS // KV_HEADS
    head_dim = HIDDEN // HEADS
    num_groups = HEADS // q_per_kv
    qkv = qkv.reshape((num_groups, q_per_kv + 2, head_dim, HIDDEN))
    q, k, v = qkv[:, :q_per_kv], qkv[:, -2], qkv[:, -1]
    q = permute(q.reshape((-1, q.shape[-1])), HEADS, HEADS)
    k = permute(k.reshape((-1, k.shape[-1])), HEADS, KV_HEADS)
    return q, k, v.reshape((-1, v.shape[-1]))


rows = (HEADS + 2 * KV_HEADS) * (HIDDEN // HEADS)
wqkv = np.arange(rows * HIDDEN, dtype=np.float32).reshape(rows, HIDDEN)
names = ("attn_q", "attn_k", "attn_v")
# Element [row, column] of wqkv is row * HIDDEN + column, so the first column of a result names the rows it came from.
result = {}
for name, tensor in zip(names, split(wqkv)):
    assert (tensor - tensor[:, :1] == np.arange(HIDDEN)).all()
    result[name] = [int(x) // HIDDEN for x in tensor[:, 0]]
print(json.dumps({"heads": HEADS, "keyValueHeads": KV_HEADS, "hiddenSize": HIDDEN, "rowsOfWqkv": result}))
