using PsyLite.Models;

namespace PsyLite.Training;

/// <summary>Name and size of one tensor of a decoder or of its adapters.</summary>
internal readonly record struct TensorShape(string Name, int Rows, int Columns, bool IsVector = false)
{
    /// <summary>Ends of the names of an adapter's two matrices (PEFT).</summary>
    public const string AdapterA = ".lora_A.weight";
    public const string AdapterB = ".lora_B.weight";

    private const string Weight = ".weight";
    private const string Head = "output.weight";

    public long Count => (long)Rows * Columns;

    /// <summary>A linear layer of a block: neither embedding, head nor norm.</summary>
    public bool IsBlockLinear => !IsVector && Name.StartsWith("model.layers.", StringComparison.Ordinal);

    /// <summary>Name of an adapter's matrix for the weight of a linear layer.</summary>
    public static string AdapterName(string weight, string end) => weight[..^Weight.Length] + end;

    /// <summary>Every tensor of a decoder, in the order of the HuggingFace state dictionary.</summary>
    public static IReadOnlyList<TensorShape> Decoder(ModelConfig c)
    {
        var shapes = new List<TensorShape> { new("model.tok_embeddings.weight", c.VocabSize, c.HiddenSize) };
        for (var layer = 0; layer < c.Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            shapes.Add(new(prefix + "attention.wqkv.weight", c.QkvSize, c.HiddenSize));
            shapes.Add(new(prefix + "attention.wo.weight", c.HiddenSize, c.HiddenSize));
            shapes.Add(new(prefix + "feed_forward.w1.weight", c.IntermediateSize, c.HiddenSize));
            shapes.Add(new(prefix + "feed_forward.w3.weight", c.IntermediateSize, c.HiddenSize));
            shapes.Add(new(prefix + "feed_forward.w2.weight", c.HiddenSize, c.IntermediateSize));
            shapes.Add(new(prefix + "attention_norm.weight", 1, c.HiddenSize, IsVector: true));
            shapes.Add(new(prefix + "ffn_norm.weight", 1, c.HiddenSize, IsVector: true));
        }

        shapes.Add(new("model.norm.weight", 1, c.HiddenSize, IsVector: true));
        shapes.Add(new(Head, c.VocabSize, c.HiddenSize));
        return shapes;
    }

    /// <summary>A [r x in] and B [out x r] of every adapted layer.</summary>
    public static IReadOnlyList<TensorShape> Adapters(ModelConfig c, LoraOptions lora) =>
    [
        .. Decoder(c).Where(s => s.IsBlockLinear || (lora.Output && s.Name == Head)).SelectMany(s => (TensorShape[])
        [
            new(AdapterName(s.Name, AdapterA), lora.Rank, s.Columns),
            new(AdapterName(s.Name, AdapterB), s.Rows, lora.Rank),
        ]),
    ];
}
