using PsyLite.Models;
using PsyLite.Models.Gguf;

namespace PsyLite.Tests.Engine;

/// <summary>BERT models small enough to make on the spot, in the layout of bge.</summary>
internal static class TinyEncoder
{
    public const int Width = 64;
    public const int Longest = 64;
    private const int Layers = 2;
    private const int FeedForward = 128;
    private const float Epsilon = 1e-12f;

    /// <summary>Rows of the vocabulary; what WordPiece calls a word's beginning carries a '▁' in GGUF.</summary>
    public static readonly string[] Tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", .. "今天猫狗书学考试开心难过，。".Select(c => $"▁{c}"), "▁good", "▁cat", "s"];

    /// <param name="pooling">llama_pooling_type; null writes none.</param>
    /// <param name="isPassing">Layers pass their input on, so that the vectors can be computed by hand.</param>
    /// <returns>Values by tensor name.</returns>
    public static Dictionary<string, float[]> Write(string path, int? pooling, bool isPassing = false)
    {
        var random = new Random(11);
        var tensors = new Dictionary<string, float[]>();
        var writer = new GgufWriter().Set("general.architecture", "bert").Set("general.name", "tiny").Set("bert.block_count", (uint)Layers)
            .Set("bert.context_length", (uint)Longest).Set("bert.embedding_length", (uint)Width).Set("bert.feed_forward_length", (uint)FeedForward)
            .Set("bert.attention.head_count", 2u).Set("bert.attention.layer_norm_epsilon", Epsilon).Set("bert.attention.causal", false)
            .Set("tokenizer.ggml.model", "bert").Set("tokenizer.ggml.tokens", Tokens)
            .Set("tokenizer.ggml.token_type", Tokens.Select(t => t[0] == '[' ? 3 : 1).ToArray()).Set("tokenizer.ggml.token_type_count", 2u)
            .Set("tokenizer.ggml.padding_token_id", 0u).Set("tokenizer.ggml.unknown_token_id", 1u).Set("tokenizer.ggml.bos_token_id", 2u)
            .Set("tokenizer.ggml.cls_token_id", 2u).Set("tokenizer.ggml.seperator_token_id", 3u).Set("tokenizer.ggml.mask_token_id", 4u);
        if (pooling is { } kind)
        {
            writer.Set("bert.pooling_type", (uint)kind);
        }

        void Add(string name, params long[] shape)
        {
            var isNorm = name.Contains("norm", StringComparison.Ordinal);
            var isZero = isPassing && (name.Contains("attn_output.", StringComparison.Ordinal) || name.Contains("ffn_down", StringComparison.Ordinal));
            var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = isZero ? 0 : ((isNorm && name.EndsWith("weight", StringComparison.Ordinal) ? 1f : 0f) + ((random.NextSingle() - 0.5f) * 0.5f));
            }

            tensors[name] = values;
            writer.Add(name, GgmlType.F32, TensorSource.From(values, shape));
        }

        Add("token_embd.weight", Tokens.Length, Width);
        Add("token_types.weight", 2, Width);
        Add("position_embd.weight", Longest, Width);
        void Norm(string name) => Vectors(name, Width);
        void Vectors(string name, long width)
        {
            Add($"{name}.weight", width);
            Add($"{name}.bias", width);
        }

        void Linear(string name, long rows, long columns)
        {
            Add($"{name}.weight", rows, columns);
            Add($"{name}.bias", rows);
        }

        Norm("token_embd_norm");
        for (var layer = 0; layer < Layers; layer++)
        {
            foreach (var role in new[] { "attn_q", "attn_k", "attn_v", "attn_output" })
            {
                Linear($"blk.{layer}.{role}", Width, Width);
            }

            Norm($"blk.{layer}.attn_output_norm");
            Linear($"blk.{layer}.ffn_up", FeedForward, Width);
            Linear($"blk.{layer}.ffn_down", Width, FeedForward);
            Norm($"blk.{layer}.layer_output_norm");
        }

        writer.Write(path);
        return tensors;
    }

    /// <summary>States [token][width] that a passing model ends with: embeddings, then one layer norm after another.</summary>
    public static List<double[]> States(Dictionary<string, float[]> tensors, IReadOnlyList<int> tokens)
    {
        var states = new List<double[]>();
        foreach (var (position, token) in tokens.Index())
        {
            var x = new double[Width];
            for (var i = 0; i < Width; i++)
            {
                x[i] = tensors["token_embd.weight"][(token * Width) + i] + tensors["token_types.weight"][i] + tensors["position_embd.weight"][(position * Width) + i];
            }

            x = Normed(x, "token_embd_norm");
            for (var layer = 0; layer < Layers; layer++)
            {
                x = Normed(Normed(x, $"blk.{layer}.attn_output_norm"), $"blk.{layer}.layer_output_norm");
            }

            states.Add(x);
        }

        return states;

        double[] Normed(double[] x, string name)
        {
            var mean = x.Average();
            var deviation = Math.Sqrt(x.Sum(v => (v - mean) * (v - mean)) / Width + Epsilon);
            return [.. x.Select((v, i) => ((v - mean) / deviation * tensors[$"{name}.weight"][i]) + tensors[$"{name}.bias"][i])];
        }
    }
}
