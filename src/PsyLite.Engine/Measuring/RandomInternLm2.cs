using PsyLite.Engine.Native;
using PsyLite.Models;
using PsyLite.Models.Gguf;
using PsyLite.Models.HuggingFace;
using PsyLite.Models.Safetensors;
using PsyLite.Models.Text;

namespace PsyLite.Engine.Measuring;

/// <summary>
/// Untrained InternLM2 models of a given shape and quantisation: they compute and weigh exactly as much as a trained one, and say
/// nothing. For measuring where the trained file is not at hand.
/// </summary>
public static class RandomInternLm2
{
    /// <summary>Shapes by name: config.json of internlm2_5-7b-chat and internlm2_5-1_8b-chat, and that of the built-in model.</summary>
    public static IReadOnlyDictionary<string, ModelConfig> Presets { get; } = new Dictionary<string, ModelConfig>(StringComparer.Ordinal)
    {
        ["internlm2.5-7b"] = new(92544, 4096, 14336, 32, 32, 8, 32768),
        ["internlm2.5-1.8b"] = new(92544, 2048, 8192, 24, 16, 8, 32768),
        ["mini"] = new(6144, 256, 768, 4, 8, 4, 2048),
    };

    /// <summary>Number formats that such a file can have.</summary>
    public static IReadOnlyList<QuantizedType> Types { get; } =
    [
        QuantizedType.Q4_K_M, QuantizedType.Q4_K_S, QuantizedType.Q4_0, QuantizedType.Q8_0, QuantizedType.Q2_K, QuantizedType.Q3_K_M,
        QuantizedType.Q5_K_M, QuantizedType.Q6_K, QuantizedType.F16, QuantizedType.BF16, QuantizedType.F32,
    ];

    /// <summary>Bytes of the tensors of such a file; header and vocabulary come on top.</summary>
    public static long TensorBytes(ModelConfig config, QuantizedType type)
    {
        var mix = new QuantizationMix(type, config);
        return InternLm2Gguf.Shapes(config).Sum(t => GgufWriter.BytesOf(mix.TypeOf(t.Name, t.Shape.Count), t.Shape.Aggregate(1L, (product, size) => product * size)));
    }

    /// <summary>Writes the file; about 150 MB of memory are needed, whatever its size.</summary>
    /// <param name="path">Where; replaced only once the new file is complete.</param>
    /// <param name="config">Shape; the widths must be multiples of 256.</param>
    /// <param name="vocabulary">Its tokenizer; filled up where it has fewer pieces than the shape has rows.</param>
    /// <param name="type">The mix of types, as llama.cpp's quantiser would choose it.</param>
    /// <param name="seed">The same seed gives the same file.</param>
    /// <param name="progress">Called with the bytes of each tensor as it is begun.</param>
    /// <param name="cancellationToken">Ends the work and removes what was written.</param>
    /// <exception cref="InvalidDataException">The vocabulary does not fit the shape.</exception>
    public static void Write(
        string path, ModelConfig config, SentencePieceModel vocabulary, QuantizedType type, int seed, Action<long>? progress = null, CancellationToken cancellationToken = default)
    {
        _ = LlamaLibrary.Current;
        var mix = new QuantizationMix(type, config);
        var values = RandomBlocks.Values(seed);
        var blocks = new Dictionary<GgmlType, RandomBlocks>();
        var index = 0;
        InternLm2Gguf.WriteStored(path, config, Filled(vocabulary, config.VocabSize), (uint)type, new ModelCard("untrained InternLM2", "Random weights for measuring; it has learned nothing."), (name, shape) =>
        {
            var stored = mix.TypeOf(name, shape.Count);
            var count = shape.Aggregate(1L, (product, size) => product * size);
            var order = ((ulong)(uint)seed << 32) + (uint)index++;
            return (stored, stream =>
            {
                progress?.Invoke(GgufWriter.BytesOf(stored, count));
                if (shape.Count == 1)
                {
                    RandomBlocks.WriteOnes(stream, count);
                    return;
                }

                if (!blocks.TryGetValue(stored, out var bank))
                {
                    blocks.Add(stored, bank = new RandomBlocks(stored, values));
                }

                bank.Write(stream, count, order, cancellationToken);
            }
            );
        });
    }

    /// <summary>Writes a HuggingFace folder of such a model.</summary>
    /// <param name="folder">Made if it is not there.</param>
    /// <param name="config">Shape of the model.</param>
    /// <param name="vocabulary">Its tokenizer; filled up where it has fewer pieces than the shape has rows.</param>
    /// <param name="type">F16, BF16 or F32.</param>
    /// <param name="seed">The same seed gives the same files.</param>
    /// <param name="progress">Called with the bytes of each part.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="InvalidDataException">The vocabulary does not fit the shape, or the type is none of the three.</exception>
    public static void WriteFolder(
        string folder, ModelConfig config, SentencePieceModel vocabulary, QuantizedType type, int seed, Action<long>? progress = null, CancellationToken cancellationToken = default)
    {
        var (stored, each) = type switch
        {
            QuantizedType.F16 => (SafetensorsType.F16, sizeof(ushort)),
            QuantizedType.BF16 => (SafetensorsType.BF16, sizeof(ushort)),
            QuantizedType.F32 => (SafetensorsType.F32, sizeof(float)),
            _ => throw new InvalidDataException($"a HuggingFace folder holds F16, BF16 or F32, not {type}: leave --type out, or choose one of them."),
        };
        var values = RandomBlocks.Values(seed);
        var tensors = InternLm2Gguf.HuggingFaceShapes(config).Index().ToDictionary(
            t => t.Item.Name,
            t => new TensorSource(t.Item.Shape, t.Item.Shape.Count == 1
                ? (_, destination) => destination.Fill(1)
                : (start, destination) => RandomBlocks.Read(values, start, destination, ((ulong)(uint)seed << 32) + (uint)t.Index)).Watched(count => progress?.Invoke(count * each), cancellationToken));
        HuggingFaceWriter.Write(folder, config, Filled(vocabulary, config.VocabSize), tensors, stored);
    }

    /// <summary>
    /// The vocabulary with as many pieces as the model has rows. The added ones are visible when decoded, so that a stream of random
    /// tokens shows its pace, and cannot come out of merging, since no shorter piece begins them.
    /// </summary>
    private static SentencePieceModel Filled(SentencePieceModel vocabulary, int size)
    {
        if (vocabulary.VocabSize > size)
        {
            throw new InvalidDataException($"the tokenizer has {vocabulary.VocabSize} pieces, more than the {size} rows of the model: choose another tokenizer or preset.");
        }

        var chat = SentencePieceModel.InternLm25ChatPieces;
        if (vocabulary.VocabSize == size && chat.Keys.Max() < size && vocabulary.IdOf(ChatTemplate.EndPiece) < 0)
        {
            return vocabulary.WithControlPieces(chat);
        }

        var added = Enumerable.Range(vocabulary.VocabSize, size - vocabulary.VocabSize).Select(id => new SentencePiece($"▁{id:x6}", -1e6f - id, PieceType.Normal));
        return vocabulary.VocabSize == size ? vocabulary : new SentencePieceModel([.. vocabulary.Pieces, .. added], vocabulary.Settings);
    }
}
