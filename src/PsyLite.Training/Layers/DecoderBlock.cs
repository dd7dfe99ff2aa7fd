using PsyLite.Training.Kernels;

namespace PsyLite.Training.Layers;

/// <summary>
/// x -> m = x + wo(attention(wqkv(norm x))) -> m + w2(silu(w1 n) * w3 n), n = norm m. The backward pass needs x and the
/// <see cref="BlockActivations"/>; norms, the activation and the output of the heads are made again
/// there, and gate and up reused for their gradients.
/// </summary>
internal sealed class DecoderBlock
{
    private readonly Workspace _w;
    private readonly Attention _attention;
    private readonly BlockActivations _kept;
    private readonly bool _recompute;
    private readonly Linear _wqkv;
    private readonly Linear _wo;
    private readonly Linear _w1;
    private readonly Linear _w2;
    private readonly Linear _w3;
    private readonly RmsNorm _attentionNorm;
    private readonly RmsNorm _ffnNorm;

    /// <param name="recompute">Others use the same activations: the backward pass makes them again.</param>
    public DecoderBlock(int layer, DecoderWeights weights, Workspace workspace, Attention attention, BlockActivations kept, bool recompute)
    {
        (_w, _attention, _kept, _recompute) = (workspace, attention, kept, recompute);
        var (prefix, slot) = ($"model.layers.{layer}.", 0);
        Linear Load(string name) => weights.Linear(prefix + name, workspace, workspace.MaxTokens, kept.Down(slot++));
        (_wqkv, _wo) = (Load("attention.wqkv.weight"), Load("attention.wo.weight"));
        (_w1, _w2, _w3) = (Load("feed_forward.w1.weight"), Load("feed_forward.w2.weight"), Load("feed_forward.w3.weight"));
        _attentionNorm = new RmsNorm(weights.Base[prefix + "attention_norm.weight"], workspace);
        _ffnNorm = new RmsNorm(weights.Base[prefix + "ffn_norm.weight"], workspace);
        Input = workspace.Allocate(workspace.MaxTokens, workspace.Config.HiddenSize);
    }

    /// <summary>[maxTokens x hidden] the residual stream that enters this block; whoever runs before it writes here.</summary>
    public Matrix Input { get; }

    public void Forward(int tokens, Segments segments, Matrix output)
    {
        var act = Activate(tokens, segments);
        Copy(_kept.Middle.FirstRows(tokens), output);
        _w2.Forward(act, output, accumulate: true);
    }

    /// <summary>gradient [T x hidden] enters as the gradient of the output and leaves as that of the input.</summary>
    /// <param name="inputNeeded">False for the first block over frozen embeddings: the gradient then leaves unfinished.</param>
    public void Backward(int tokens, Segments segments, Matrix gradient, bool inputNeeded)
    {
        if (_recompute)
        {
            _w2.Remember(Activate(tokens, segments));
        }

        BackwardFeedForward(tokens, gradient);
        var (qkv, attended, normed) = (_kept.Qkv.FirstRows(tokens), _kept.Attended.FirstRows(tokens), _w.Normed.FirstRows(tokens));
        var (dAttended, dqkv, dNormed) = (_kept.AttendedGradient.FirstRows(tokens), _kept.QkvGradient.FirstRows(tokens), _w.NormedGradient.FirstRows(tokens));
        _wo.BackwardInput(gradient, dAttended);
        _attention.Backward(qkv, segments, attended, dAttended, _kept.LogSumExp, dqkv);
        _wo.BackwardWeight(attended, gradient);
        Rotate(dqkv, segments, -1f);
        _attentionNorm.Recompute(Input.FirstRows(tokens), normed);
        if (!inputNeeded)
        {
            _wqkv.BackwardNoInput(dqkv);
            _wqkv.BackwardWeight(normed, dqkv);
            return;
        }

        _wqkv.BackwardInput(dqkv, dNormed);
        _wqkv.BackwardWeight(normed, dqkv);
        _attentionNorm.Backward(Input.FirstRows(tokens), dNormed, gradient);
    }

    /// <summary>The forward pass up to the input of w2, [T x intermediate], which it returns.</summary>
    private Matrix Activate(int tokens, Segments segments)
    {
        var (x, middle, normed) = (Input.FirstRows(tokens), _kept.Middle.FirstRows(tokens), _w.Normed.FirstRows(tokens));
        var (qkv, attended) = (_kept.Qkv.FirstRows(tokens), _w.NormedGradient.FirstRows(tokens));
        _attentionNorm.Forward(x, normed);
        _wqkv.Forward(normed, qkv);
        Rotate(qkv, segments, 1f);
        _attention.Forward(qkv, segments, attended, _kept.LogSumExp);
        Copy(x, middle);
        _wo.Forward(attended, middle, accumulate: true);

        var (gate, up, act) = (_kept.Gate.FirstRows(tokens), _kept.Up.FirstRows(tokens), _w.Act.FirstRows(tokens));
        _ffnNorm.Forward(middle, normed);
        _w1.Forward(normed, gate);
        _w3.Forward(normed, up);
        _w.Pool.Ranges(tokens, (from, to) => SwiGluKernel.Forward(gate, up, act, from, to));
        return act;
    }

    private void BackwardFeedForward(int tokens, Matrix gradient)
    {
        var (gate, up, act) = (_kept.Gate.FirstRows(tokens), _kept.Up.FirstRows(tokens), _w.Act.FirstRows(tokens));
        var (middle, normed, dNormed) = (_kept.Middle.FirstRows(tokens), _w.Normed.FirstRows(tokens), _w.NormedGradient.FirstRows(tokens));
        _w2.BackwardInput(gradient, act);
        _w.Pool.Ranges(tokens, (from, to) => SwiGluKernel.Backward(gate, up, act, from, to));
        _w2.BackwardWeight(act, gradient);
        _ffnNorm.Recompute(middle, normed);
        _w1.BackwardInput(gate, dNormed);
        _w1.BackwardWeight(normed, gate);
        _w3.BackwardInput(up, dNormed, accumulate: true);
        _w3.BackwardWeight(normed, up);
        _ffnNorm.Backward(middle, dNormed, gradient);
    }

    private void Rotate(Matrix qkv, Segments segments, float direction) => _w.Pool.Ranges(qkv.Rows, (from, to) =>
        RopeKernel.RotateRows(qkv, segments.Positions, _w.Cosine, _w.Sine, _w.Config.QueriesPerGroup, direction, from, to));

    private void Copy(Matrix source, Matrix target) => _w.Pool.Ranges(source.Rows, (from, to) => RowKernel.Copy(source, target, from, to));
}
