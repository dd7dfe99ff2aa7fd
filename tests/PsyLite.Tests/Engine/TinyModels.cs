using System.Text;
using PsyLite.Engine;
using PsyLite.Models;
using PsyLite.Models.Gguf;
using PsyLite.Models.Text;

namespace PsyLite.Tests.Engine;

/// <summary>
/// InternLM2 models small enough to make on the spot: random ones, whose every number depends on the whole context, and
/// scripted ones, whose layers pass their input on and whose output names the next token of a script.
/// </summary>
public sealed class TinyModels : IDisposable
{
    public const string NewLine = "\n";
    public const string TurnEnd = ChatTemplate.EndPiece;
    public const int ContextLength = 512;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("psylite-tiny");
    private readonly Lazy<string> random;
    private readonly Lazy<string> wide;
    private int scripts;

    public TinyModels()
    {
        random = new(() => Write("random.gguf", new ModelConfig(Vocabulary.VocabSize, 64, 128, 2, 4, 2, ContextLength)));
        wide = new(() => Write("wide.gguf", new ModelConfig(Vocabulary.VocabSize, 256, 256, 1, 4, 2, ContextLength)));
    }

    public static SentencePieceModel Vocabulary { get; } = MakeVocabulary();

    public string Folder => folder.FullName;

    /// <summary>Two layers of random F32 weights.</summary>
    public string Random => random.Value;

    /// <summary>Rows of 256, as K-quantisation needs them.</summary>
    public string Wide => wide.Value;

    /// <summary>One thread, so that tests that run side by side do not wait for each other's barriers.</summary>
    public static LlamaOptions Options(string path) => new() { Path = path, Threads = 1, BatchThreads = 1 };

    /// <summary>A model that follows each piece of the script by the next one; no piece may stand there twice, save the last to make a loop.</summary>
    public string Scripted(params string[] script)
    {
        var config = new ModelConfig(Vocabulary.VocabSize, 128, 128, 1, 4, 2, 2048);
        var tensors = RandomTensors(config);
        var embedding = tensors["model.tok_embeddings.weight"];
        var output = new float[config.VocabSize * config.HiddenSize];
        for (var i = 0; i + 1 < script.Length; i++)
        {
            embedding.AsSpan(Id(script[i]) * config.HiddenSize, config.HiddenSize).CopyTo(output.AsSpan(Id(script[i + 1]) * config.HiddenSize));
        }

        tensors["output.weight"] = output;
        Array.Clear(tensors["model.layers.0.attention.wo.weight"]);
        Array.Clear(tensors["model.layers.0.feed_forward.w2.weight"]);
        return Write($"script{Interlocked.Increment(ref scripts)}.gguf", config, tensors);
    }

    /// <summary>Id of a piece, or of the byte for a text such as <c>0xE5</c>.</summary>
    public static int Id(string piece) => Vocabulary.IdOf(piece == NewLine ? "<0x0A>" : piece.StartsWith("0x", StringComparison.Ordinal) ? $"<{piece}>" : piece);

    public void Dispose() => folder.Delete(recursive: true);

    private static SentencePieceModel MakeVocabulary()
    {
        var pieces = new List<SentencePiece>
        {
            new("<unk>", 0, PieceType.Unknown),
            new("<s>", 0, PieceType.Control),
            new("</s>", 0, PieceType.Control),
        };
        pieces.AddRange(Enumerable.Range(0, 256).Select(b => new SentencePiece($"<0x{b:X2}>", 0, PieceType.Byte)));
        pieces.AddRange(new[] { ChatTemplate.StartPiece, ChatTemplate.EndPiece }.Select(text => new SentencePiece(text, 0, PieceType.Control)));
        pieces.AddRange(new[] { "<think>", "</think>" }.Select(text => new SentencePiece(text, 0, PieceType.UserDefined)));
        string[] merged = ["愉快", "us", "er", "user", "我们", .. "愉快平稳低落你好我们今天很心情的了甲乙丙丁userassistnm▁。，".EnumerateRunes().Select(r => r.ToString()).Distinct()];
        pieces.AddRange(merged.Select((text, rank) => new SentencePiece(text, -rank - 1, PieceType.Normal)));
        return new SentencePieceModel(pieces, new SentencePieceSettings { AddDummyPrefix = false, RemoveExtraWhitespaces = false, ByteFallback = true });
    }

    private static Dictionary<string, float[]> RandomTensors(ModelConfig config)
    {
        var noise = new Random(7);
        float[] Normal(long count, double scale)
        {
            var values = new float[count];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = (float)(scale * Math.Sqrt(-2 * Math.Log(1 - noise.NextDouble())) * Math.Cos(2 * Math.PI * noise.NextDouble()));
            }

            return values;
        }

        float[] Ones() => [.. Enumerable.Repeat(1f, config.HiddenSize)];
        var tensors = new Dictionary<string, float[]>
        {
            ["model.tok_embeddings.weight"] = Normal(config.VocabSize * config.HiddenSize, 1),
            ["model.norm.weight"] = Ones(),
            ["output.weight"] = Normal(config.VocabSize * config.HiddenSize, 0.3),
        };
        var scale = 1 / Math.Sqrt(config.HiddenSize);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            tensors[prefix + "attention.wqkv.weight"] = Normal(config.QkvSize * config.HiddenSize, 2 * scale);
            tensors[prefix + "attention.wo.weight"] = Normal(config.HiddenSize * config.HiddenSize, scale);
            tensors[prefix + "feed_forward.w1.weight"] = Normal(config.IntermediateSize * config.HiddenSize, scale);
            tensors[prefix + "feed_forward.w3.weight"] = Normal(config.IntermediateSize * config.HiddenSize, scale);
            tensors[prefix + "feed_forward.w2.weight"] = Normal(config.HiddenSize * config.IntermediateSize, scale);
            tensors[prefix + "attention_norm.weight"] = Ones();
            tensors[prefix + "ffn_norm.weight"] = Ones();
        }

        return tensors;
    }

    private string Write(string name, ModelConfig config, Dictionary<string, float[]>? tensors = null)
    {
        var path = Path.Combine(Folder, name);
        var sources = (tensors ?? RandomTensors(config)).ToDictionary(
            t => t.Key,
            t => t.Key.Contains("norm", StringComparison.Ordinal)
                ? TensorSource.From(t.Value, t.Value.Length)
                : TensorSource.From(t.Value, t.Value.Length / Columns(t.Key, config), Columns(t.Key, config)));
        InternLm2Gguf.Write(path, config, Vocabulary, sources, GgmlType.F32, new ModelCard("tiny"));
        return path;
    }

    private static int Columns(string name, ModelConfig config) => name.EndsWith("w2.weight", StringComparison.Ordinal) ? config.IntermediateSize : config.HiddenSize;
}

/// <summary>One set of models for all tests of the engine.</summary>
[CollectionDefinition(Name)]
public sealed class EngineCollection : ICollectionFixture<TinyModels>
{
    public const string Name = "engine";
}
