using PsyLite.Training.Kernels;

namespace PsyLite.Training.Layers;

/// <summary>
/// x -> m = x + wo(attention(wqkv(norm x))) -> m + w2(silu(w1 n) * w3 n), n = norm m. Keeps x, qkv, attended, m, gate and up of the
/// forward pass; norms and the activation are recomputed in the backward pass, which then reuses gate and up for their gradients.
/// </summary>
internal sealed class DecoderBlock
{
    private readonly Workspace _w;
    private readonly Attention _attention;
    private readonly Linear _wqkv;
    private readonly Linear _wo;
    private readonly Linear _w1;
    private readonly Linear _w2;
    private readonly Linear _w3;
    private readonly RmsNorm _attentionNorm;
    private readonly RmsNorm _ffnNorm;
    private readonly Matrix _qkv;
    private readonly Matrix _attended;
    private readonly Matrix _middle;
    private readonly Matrix _gate;
    private readonly Matrix _up;
    private readonly Matrix _logSumExp;

    public DecoderBlock(int layer, ParameterSet parameters, Workspace workspace, Attention attention)
    {
        _w = workspace;
        _attention = attention;
        var (c, prefix) = (workspace.Config, $"model.layers.{layer}.");
        Linear Load(string name) => new(parameters[prefix + name], workspace.Gemm);
        (_wqkv, _wo) = (Load("attention.wqkv.weight"), Load("attention.wo.weight"));
        (_w1, _w2, _w3) = (Load("feed_forward.w1.weight"), Load("feed_forward.w2.weight"), Load("feed_forward.w3.weight"));
        _attentionNorm = new RmsNorm(parameters[prefix + "attention_norm.weight"], workspace);
        _ffnNorm = new RmsNorm(parameters[prefix + "ffn_norm.weight"], workspace);
        Input = workspace.Allocate(workspace.MaxTokens, c.HiddenSize);
        _qkv = workspace.Allocate(workspace.MaxTokens, c.QkvSize);
        _attended = workspace.Allocate(workspace.MaxTokens, c.HiddenSize);
        _middle = workspace.Allocate(workspace.MaxTokens, c.HiddenSize);
        _gate = workspace.Allocate(workspace.MaxTokens, c.IntermediateSize);
        _up = workspace.Allocate(workspace.MaxTokens, c.IntermediateSize);
        _logSumExp = workspace.Allocate(c.Heads, workspace.MaxTokens);
    }

    /// <summary>[maxTokens x hidden] the residual stream that enters this block; whoever runs before it writes here.</summary>
    public Matrix Input { get; }

    public void Forward(int tokens, Segments segments, Matrix output)
    {
        var (x, middle, normed) = (Input.FirstRows(tokens), _middle.FirstRows(tokens), _w.Normed.FirstRows(tokens));
        var (qkv, attended) = (_qkv.FirstRows(tokens), _attended.FirstRows(tokens));
        _attentionNorm.Forward(x, normed);
        _wqkv.Forward(normed, qkv);
        Rotate(qkv, segments, 1f);
        _attention.Forward(qkv, segments, attended, _logSumExp);
        Copy(x, middle);
        _wo.Forward(attended, middle, accumulate: true);

        var (gate, up, act) = (_gate.FirstRows(tokens), _up.FirstRows(tokens), _w.Act.FirstRows(tokens));
        _ffnNorm.Forward(middle, normed);
        _w1.Forward(normed, gate);
        _w3.Forward(normed, up);
        _w.Pool.Ranges(tokens, (from, to) => SwiGluKernel.Forward(gate, up, act, from, to));
        Copy(middle, output);
        _w2.Forward(act, output, accumulate: true);
    }

    /// <summary>gradient [T x hidden] enters as the gradient of the output and leaves as that of the input.</summary>
    public void Backward(int tokens, Segments segments, Matrix gradient)
    {
        BackwardFeedForward(tokens, gradient);
        var (qkv, attended, normed) = (_qkv.FirstRows(tokens), _attended.FirstRows(tokens), _w.Normed.FirstRows(tokens));
        var (dAttended, dqkv, dNormed) = (_w.AttendedGradient.FirstRows(tokens), _w.QkvGradient.FirstRows(tokens), _w.NormedGradient.FirstRows(tokens));
        _wo.BackwardInput(gradient, dAttended);
        _wo.BackwardWeight(attended, gradient);
        _attention.Backward(qkv, segments, attended, dAttended, _logSumExp, dqkv);
        Rotate(dqkv, segments, -1f);
        _attentionNorm.Recompute(Input.FirstRows(tokens), normed);
        _wqkv.BackwardWeight(normed, dqkv);
        _wqkv.BackwardInput(dqkv, dNormed);
        _attentionNorm.Backward(Input.FirstRows(tokens), dNormed, gradient);
    }

    private void BackwardFeedForward(int tokens, Matrix gradient)
    {
        var (gate, up, act) = (_gate.FirstRows(tokens), _up.FirstRows(tokens), _w.Act.FirstRows(tokens));
        var (middle, normed, dNormed) = (_middle.FirstRows(tokens), _w.Normed.FirstRows(tokens), _w.NormedGradient.FirstRows(tokens));
        _w2.BackwardInput(gradient, act);
        _w.Pool.Ranges(tokens, (from, to) => SwiGluKernel.Backward(gate, up, act, from, to));
        _w2.BackwardWeight(act, gradient);
        _ffnNorm.Recompute(middle, normed);
        _w1.BackwardWeight(normed, gate);
        _w3.BackwardWeight(normed, up);
        _w1.BackwardInput(gate, dNormed);
        _w3.BackwardInput(up, dNormed, accumulate: true);
        _ffnNorm.Backward(middle, dNormed, gradient);
    }

    private void Rotate(Matrix qkv, Segments segments, float direction) => _w.Pool.Ranges(qkv.Rows, (from, to) =>
        RopeKernel.RotateRows(qkv, segments.Positions, _w.Cosine, _w.Sine, _w.Config.QueriesPerGroup, direction, from, to));

    private void Copy(Matrix source, Matrix target) => _w.Pool.Ranges(source.Rows, (from, to) => RowKernel.Copy(source, target, from, to));
}
