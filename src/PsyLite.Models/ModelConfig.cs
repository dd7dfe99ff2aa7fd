namespace PsyLite.Models;

/// <summary>Shape of an InternLM2 decoder. Names follow the HuggingFace configuration of internlm2_5-7b-chat.</summary>
/// <param name="HiddenSize">Width of the residual stream, d.</param>
/// <param name="IntermediateSize">Width of the SwiGLU feed-forward layer.</param>
public sealed record ModelConfig(
    int VocabSize, int HiddenSize, int IntermediateSize, int Layers, int Heads, int KeyValueHeads, int ContextLength, float RopeBase = 1e6f, float RmsNormEpsilon = 1e-5f)
{
    /// <summary>Width of one attention head.</summary>
    public int HeadSize => HiddenSize / Heads;

    /// <summary>Query heads that share one key/value head.</summary>
    public int QueriesPerGroup => Heads / KeyValueHeads;

    /// <summary>Rows of the fused wqkv projection: per key/value group its queries, then one key and one value head.</summary>
    public int QkvSize => (Heads + 2 * KeyValueHeads) * HeadSize;

    /// <summary>Checks what the formulas above take for granted.</summary>
    /// <exception cref="ArgumentException">A size is not positive or does not divide as it must.</exception>
    public ModelConfig Validated()
    {
        if (VocabSize <= 0 || HiddenSize <= 0 || IntermediateSize <= 0 || Layers <= 0 || Heads <= 0 || KeyValueHeads <= 0 || ContextLength <= 0)
        {
            throw new ArgumentException("Every size of the model configuration must be positive.");
        }

        if (HiddenSize % Heads != 0 || Heads % KeyValueHeads != 0 || HeadSize % 2 != 0)
        {
            throw new ArgumentException($"hidden size {HiddenSize}, {Heads} heads and {KeyValueHeads} key/value heads do not divide into even heads and groups.");
        }

        return this;
    }
}
