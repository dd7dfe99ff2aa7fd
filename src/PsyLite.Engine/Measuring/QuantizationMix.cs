using PsyLite.Models;
using PsyLite.Models.Gguf;

namespace PsyLite.Engine.Measuring;

/// <summary>Which type llama.cpp's quantiser gives each tensor of an InternLM2 model.</summary>
/// <remarks>Source: llama_tensor_get_type_impl of llama-quant.cpp in llama.cpp v0.5.0, without an importance matrix.</remarks>
internal sealed class QuantizationMix(QuantizedType file, ModelConfig config)
{
    /// <summary>The type of most tensors.</summary>
    private readonly GgmlType plain = file switch
    {
        QuantizedType.F32 => GgmlType.F32,
        QuantizedType.F16 => GgmlType.F16,
        QuantizedType.BF16 => GgmlType.BF16,
        QuantizedType.Q4_0 => GgmlType.Q4_0,
        QuantizedType.Q8_0 => GgmlType.Q8_0,
        QuantizedType.Q2_K => GgmlType.Q2_K,
        QuantizedType.Q3_K_M => GgmlType.Q3_K,
        QuantizedType.Q4_K_S or QuantizedType.Q4_K_M => GgmlType.Q4_K,
        QuantizedType.Q5_K_M => GgmlType.Q5_K,
        QuantizedType.Q6_K => GgmlType.Q6_K,
        _ => throw new ArgumentOutOfRangeException(nameof(file), file, "There is no mix of types of this name."),
    };

    /// <param name="name">GGUF name, such as blk.3.ffn_down.weight.</param>
    /// <param name="dimensions">1 for the vectors, which are never quantised.</param>
    public GgmlType TypeOf(string name, int dimensions)
    {
        if (dimensions == 1)
        {
            return GgmlType.F32;
        }

        if (plain is GgmlType.F32 or GgmlType.F16 or GgmlType.BF16)
        {
            return plain;
        }

        if (name == "output.weight")
        {
            return plain == GgmlType.Q8_0 ? plain : GgmlType.Q6_K;
        }

        return name.Split('.') is ["blk", var layer, var role, _] ? InLayer(role, int.Parse(layer)) : plain;
    }

    private GgmlType InLayer(string role, int layer) => (file, role) switch
    {
        (QuantizedType.Q2_K, "attn_v") => config.QueriesPerGroup >= 4 ? GgmlType.Q4_K : GgmlType.Q3_K,
        (QuantizedType.Q2_K, "ffn_down" or "attn_output") => GgmlType.Q3_K,
        (QuantizedType.Q3_K_M, "attn_v") => layer < 2 ? GgmlType.Q5_K : GgmlType.Q4_K,
        (QuantizedType.Q3_K_M, "ffn_down") => layer < config.Layers / 16 ? GgmlType.Q5_K : GgmlType.Q4_K,
        (QuantizedType.Q3_K_M, "attn_output") => GgmlType.Q4_K,
        (QuantizedType.Q4_K_S, "attn_v") => layer < 4 ? GgmlType.Q5_K : GgmlType.Q4_K,
        (QuantizedType.Q4_K_S, "ffn_down") => layer < config.Layers / 8 ? GgmlType.Q5_K : GgmlType.Q4_K,
        (QuantizedType.Q4_K_M or QuantizedType.Q5_K_M, "attn_v" or "ffn_down") when HasMoreBits(layer) => GgmlType.Q6_K,
        _ => plain,
    };

    /// <summary>The first and the last eighth of the layers and every third between them.</summary>
    private bool HasMoreBits(int layer) =>
        layer < config.Layers / 8 || layer >= 7 * config.Layers / 8 || (layer - (config.Layers / 8)) % 3 == 2;
}
