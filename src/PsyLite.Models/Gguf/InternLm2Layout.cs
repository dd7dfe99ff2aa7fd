namespace PsyLite.Models.Gguf;

/// <summary>Names, shapes and order of the tensors of an InternLM2 model in HuggingFace and in GGUF. Rows move, values never change.</summary>
internal static class InternLm2Layout
{
    private static readonly (string HuggingFace, string Gguf)[] LayerNames =
    [
        ("attention_norm.weight", "attn_norm.weight"),
        ("attention.wo.weight", "attn_output.weight"),
        ("ffn_norm.weight", "ffn_norm.weight"),
        ("feed_forward.w1.weight", "ffn_gate.weight"),
        ("feed_forward.w3.weight", "ffn_up.weight"),
        ("feed_forward.w2.weight", "ffn_down.weight"),
    ];

    private static readonly (string HuggingFace, string Gguf)[] GlobalNames =
    [
        ("model.tok_embeddings.weight", "token_embd.weight"),
        ("model.norm.weight", "output_norm.weight"),
        ("output.weight", "output.weight"),
    ];

    internal static IEnumerable<(string Name, TensorSource Source)> ToGguf(ModelConfig config, IReadOnlyDictionary<string, TensorSource> tensors)
    {
        foreach (var (from, to) in GlobalNames)
        {
            yield return (to, Checked(config, tensors, from, from));
        }

        for (var layer = 0; layer < config.Layers; layer++)
        {
            var (from, to) = (HuggingFacePrefix(layer), GgufPrefix(layer));
            var fused = Checked(config, tensors, $"{from}attention.wqkv.weight", $"{from}attention.wqkv.weight");
            yield return ($"{to}attn_q.weight", Rows(fused, config.HiddenSize, [.. QueryRows(config)]));
            yield return ($"{to}attn_k.weight", Rows(fused, config.HiddenSize, [.. KeyRows(config)]));
            yield return ($"{to}attn_v.weight", Rows(fused, config.HiddenSize, [.. ValueRows(config)]));
            foreach (var name in LayerNames)
            {
                yield return (to + name.Gguf, Checked(config, tensors, from + name.HuggingFace, from + name.HuggingFace));
            }
        }
    }

    /// <summary>Names and shapes of a HuggingFace model, in the order of the layers.</summary>
    internal static IEnumerable<(string Name, IReadOnlyList<long> Shape)> HuggingFaceShapes(ModelConfig config)
    {
        var names = Enumerable.Range(0, config.Layers)
            .SelectMany(layer => LayerNames.Select(n => n.HuggingFace).Prepend("attention.wqkv.weight").Select(name => HuggingFacePrefix(layer) + name))
            .Prepend(GlobalNames[0].HuggingFace).Concat(GlobalNames.Skip(1).Select(n => n.HuggingFace));
        return names.Select(name => (name, (IReadOnlyList<long>)ShapeOf(config, name)));
    }

    /// <summary>The tensors of a model, checked, in the order of the layers.</summary>
    internal static IEnumerable<(string Name, TensorSource Source)> InHuggingFaceOrder(ModelConfig config, IReadOnlyDictionary<string, TensorSource> tensors) =>
        HuggingFaceShapes(config).Select(t => (t.Name, Checked(config, tensors, t.Name, t.Name)));

    /// <summary>The tensor that holds the values of a GGUF tensor; wqkv for each of attn_q, attn_k and attn_v.</summary>
    internal static string HuggingFaceName(string gguf)
    {
        if (Array.Find(GlobalNames, n => n.Gguf == gguf).HuggingFace is { } name)
        {
            return name;
        }

        var (layer, role) = (gguf.Split('.')[1], gguf[(gguf.IndexOf('.', "blk.".Length) + 1)..]);
        return $"model.layers.{layer}.{Array.Find(LayerNames, n => n.Gguf == role).HuggingFace ?? "attention.wqkv.weight"}";
    }

    internal static IEnumerable<(string Name, IReadOnlyList<long> Shape)> GgufShapes(ModelConfig config)
    {
        foreach (var (role, name) in GlobalNames)
        {
            yield return (name, ShapeOf(config, role));
        }

        for (var layer = 0; layer < config.Layers; layer++)
        {
            foreach (var role in new[] { "attn_q", "attn_k", "attn_v" })
            {
                yield return ($"{GgufPrefix(layer)}{role}.weight", ShapeOf(config, role));
            }

            foreach (var (role, name) in LayerNames)
            {
                yield return (GgufPrefix(layer) + name, ShapeOf(config, HuggingFacePrefix(layer) + role));
            }
        }
    }

    internal static Dictionary<string, TensorSource> ToHuggingFace(ModelConfig config, IReadOnlyDictionary<string, TensorSource> tensors)
    {
        var result = new Dictionary<string, TensorSource>(StringComparer.Ordinal);
        foreach (var (to, from) in GlobalNames)
        {
            result.Add(to, Checked(config, tensors, from, to));
        }

        for (var layer = 0; layer < config.Layers; layer++)
        {
            var (to, from) = (HuggingFacePrefix(layer), GgufPrefix(layer));
            var q = Checked(config, tensors, $"{from}attn_q.weight", "attn_q");
            var k = Checked(config, tensors, $"{from}attn_k.weight", "attn_k");
            var v = Checked(config, tensors, $"{from}attn_v.weight", "attn_v");
            result.Add($"{to}attention.wqkv.weight", Fused(config, q, k, v));
            foreach (var name in LayerNames)
            {
                result.Add(to + name.HuggingFace, Checked(config, tensors, from + name.Gguf, to + name.HuggingFace));
            }
        }

        return result;
    }

    /// <summary>The B of a LoRA adapter for each GGUF tensor that a HuggingFace weight becomes.</summary>
    /// <param name="name">HuggingFace name of the weight.</param>
    /// <param name="b">[rows of the weight, r].</param>
    /// <param name="columns">Columns of the adapter's A, which must be those of the weight.</param>
    internal static IEnumerable<(string Name, TensorSource B)> AdapterToGguf(ModelConfig config, string name, TensorSource b, long columns)
    {
        var place = GlobalNames.Skip(2).Concat(Enumerable.Range(0, config.Layers).SelectMany(layer => LayerNames
            .Where(n => !n.HuggingFace.Contains("norm", StringComparison.Ordinal)).Append(("attention.wqkv.weight", "attn_qkv.weight"))
            .Select(n => (HuggingFace: HuggingFacePrefix(layer) + n.Item1, Gguf: GgufPrefix(layer) + n.Item2)))).FirstOrDefault(n => n.HuggingFace == name);
        if (place.HuggingFace is null || !ShapeOf(config, name).SequenceEqual([b.Shape[0], columns]))
        {
            throw new InvalidDataException($"the adapter changes {ErrorText.Quote(name)} [{b.Shape[0]}, {columns}], which is no linear layer of the base model.");
        }

        if (!name.EndsWith(".wqkv.weight", StringComparison.Ordinal))
        {
            return [(place.Gguf, b)];
        }

        var (prefix, rank) = (place.Gguf[..^"attn_qkv.weight".Length], (int)b.Shape[1]);
        return
        [
            (prefix + "attn_q.weight", Rows(b, rank, [.. QueryRows(config)])),
            (prefix + "attn_k.weight", Rows(b, rank, [.. KeyRows(config)])),
            (prefix + "attn_v.weight", Rows(b, rank, [.. ValueRows(config)])),
        ];
    }

    /// <summary>Rows of wqkv in the order of attn_q.</summary>
    private static IEnumerable<int> QueryRows(ModelConfig c) =>
        from head in Enumerable.Range(0, c.Heads)
        from row in Interleaved(c.HeadSize)
        select (((head / c.QueriesPerGroup * (c.QueriesPerGroup + 2)) + (head % c.QueriesPerGroup)) * c.HeadSize) + row;

    private static IEnumerable<int> KeyRows(ModelConfig c) =>
        from groupIndex in Enumerable.Range(0, c.KeyValueHeads)
        from row in Interleaved(c.HeadSize)
        select (((groupIndex * (c.QueriesPerGroup + 2)) + c.QueriesPerGroup) * c.HeadSize) + row;

    private static IEnumerable<int> ValueRows(ModelConfig c) =>
        from groupIndex in Enumerable.Range(0, c.KeyValueHeads)
        from row in Enumerable.Range(0, c.HeadSize)
        select (((groupIndex * (c.QueriesPerGroup + 2)) + c.QueriesPerGroup + 1) * c.HeadSize) + row;

    /// <summary>0, half, 1, half + 1, …: what LlamaModel.permute of llama.cpp's converter does to the rows of a head.</summary>
    private static IEnumerable<int> Interleaved(int headSize) =>
        Enumerable.Range(0, headSize).Select(row => (row / 2) + (row % 2 * (headSize / 2)));

    private static TensorSource Fused(ModelConfig config, TensorSource q, TensorSource k, TensorSource v)
    {
        var places = new (TensorSource Source, int Row)[config.QkvSize];
        foreach (var (source, rows) in new[] { (q, QueryRows(config)), (k, KeyRows(config)), (v, ValueRows(config)) })
        {
            foreach (var (at, row) in rows.Index())
            {
                places[row] = (source, at);
            }
        }

        return ByRow(config.HiddenSize, places);
    }

    private static TensorSource Rows(TensorSource source, int columns, int[] rows) => ByRow(columns, Array.ConvertAll(rows, row => (source, row)));

    private static TensorSource ByRow(int columns, (TensorSource Source, int Row)[] places) => new([places.Length, columns], (start, destination) =>
    {
        while (!destination.IsEmpty)
        {
            var (row, column) = Math.DivRem(start, columns);
            var (source, sourceRow) = places[row];
            var part = destination[..(int)Math.Min(columns - column, destination.Length)];
            source.Read(((long)sourceRow * columns) + column, part);
            start += part.Length;
            destination = destination[part.Length..];
        }
    });

    private static string HuggingFacePrefix(int layer) => $"model.layers.{layer}.";

    private static string GgufPrefix(int layer) => $"blk.{layer}.";

    private static TensorSource Checked(ModelConfig config, IReadOnlyDictionary<string, TensorSource> tensors, string name, string role)
    {
        if (!tensors.TryGetValue(name, out var source))
        {
            throw new InvalidDataException($"the model lacks the tensor {ErrorText.Quote(name)}.");
        }

        var expected = ShapeOf(config, role);
        return source.Shape.SequenceEqual(expected)
            ? source
            : throw new InvalidDataException($"the tensor {ErrorText.Quote(name)} has the shape [{string.Join(", ", source.Shape)}], but the configuration asks for [{string.Join(", ", expected)}].");
    }

    private static long[] ShapeOf(ModelConfig c, string role) => role switch
    {
        "model.tok_embeddings.weight" or "output.weight" => [c.VocabSize, c.HiddenSize],
        "attn_q" => [c.HiddenSize, c.HiddenSize],
        "attn_k" or "attn_v" => [c.KeyValueHeads * c.HeadSize, c.HiddenSize],
        _ when role.EndsWith(".wqkv.weight", StringComparison.Ordinal) => [c.QkvSize, c.HiddenSize],
        _ when role.EndsWith(".wo.weight", StringComparison.Ordinal) => [c.HiddenSize, c.HiddenSize],
        _ when role.EndsWith(".w2.weight", StringComparison.Ordinal) => [c.HiddenSize, c.IntermediateSize],
        _ when role.EndsWith("norm.weight", StringComparison.Ordinal) => [c.HiddenSize],
        _ => [c.IntermediateSize, c.HiddenSize],
    };
}
