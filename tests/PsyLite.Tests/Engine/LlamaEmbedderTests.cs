using Microsoft.Extensions.AI;
using PsyLite.Engine;
using PsyLite.Options;
using PsyLite.Tests.Store;

namespace PsyLite.Tests.Engine;

[Collection(EngineCollection.Name)]
public sealed class LlamaEmbedderTests : IDisposable
{
    private const int Mean = 1;
    private const int Class = 2;
    private readonly TemporaryFolder _files = new();

    public void Dispose() => _files.Dispose();

    private LlamaEmbedder Load(int? pooling, bool isPassing = false)
    {
        TinyEncoder.Write(_files["tiny.gguf"], pooling, isPassing);
        return LlamaEmbedder.Load(_files["tiny.gguf"], threads: 1);
    }

    private static double Dot(ReadOnlyMemory<float> a, ReadOnlyMemory<float> b) => a.ToArray().Zip(b.ToArray()).Sum(p => (double)p.First * p.Second);

    [Theory]
    [InlineData(Mean)]
    [InlineData(Class)]
    public async Task Vectors_are_those_computed_by_hand(int pooling)
    {
        var tensors = TinyEncoder.Write(_files["tiny.gguf"], pooling, isPassing: true);
        using var embedder = LlamaEmbedder.Load(_files["tiny.gguf"], threads: 1);
        Assert.Equal(TinyEncoder.Width, embedder.Dimensions);
        var tokens = new[] { "[CLS]", "▁今", "▁天", "▁，", "▁cat", "s", "[SEP]" }.Select(t => Array.IndexOf(TinyEncoder.Tokens, t)).ToList();
        var states = TinyEncoder.States(tensors, tokens);
        var pooled = pooling == Class ? states[0] : [.. Enumerable.Range(0, TinyEncoder.Width).Select(i => states.Average(s => s[i]))];
        var length = Math.Sqrt(pooled.Sum(v => v * v));
        var vector = (await embedder.GenerateAsync(["今天，cats"]))[0].Vector.ToArray();
        Assert.All(vector.Zip(pooled), pair => Assert.Equal(pair.Second / length, pair.First, 3));
    }

    [Fact]
    public async Task A_text_has_the_same_vector_alone_and_among_many()
    {
        using var embedder = Load(Mean);
        var random = new Random(3);
        var texts = Enumerable.Range(0, 150).Select(i => new string([.. random.GetItems("今天猫狗书学考试开心难过，。".ToCharArray(), random.Next(1, 90))])).ToList();
        var together = await embedder.GenerateAsync(texts);
        Assert.Equal(texts.Count, together.Count);
        Assert.Equal(together.Usage!.InputTokenCount, texts.Sum(t => Math.Min(t.Length + 2, TinyEncoder.Longest)));
        foreach (var i in new[] { 0, 31, 32, 77, 149 })
        {
            var alone = (await embedder.GenerateAsync([texts[i]]))[0];
            Assert.Equal(1, Dot(alone.Vector, alone.Vector), 4);
            Assert.Equal(1, Dot(alone.Vector, together[i].Vector), 3);
        }

        Assert.True(Dot(together[0].Vector, together[1].Vector) < 0.9999);
    }

    [Fact]
    public async Task Nothing_unknown_and_too_long_have_vectors_too()
    {
        using var embedder = Load(Class);
        var vectors = await embedder.GenerateAsync(["", "魑魅魍魉", new string('猫', 5000), "\0\ud800"]);
        Assert.All(vectors, v => Assert.Equal(1, Dot(v.Vector, v.Vector), 4));
        Assert.Equal(1, Dot(vectors[2].Vector, (await embedder.GenerateAsync([new string('猫', 62)]))[0].Vector), 4);
        Assert.Empty(await embedder.GenerateAsync([]));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => embedder.GenerateAsync(["猫"], cancellationToken: new CancellationToken(true)));
    }

    [Theory]
    [InlineData(null, "names no pooling")]
    [InlineData(4, "ranks pairs")]
    public void Another_kind_of_model_is_refused(int? pooling, string words) => Assert.Contains(words, Assert.Throws<LlamaException>(() => Load(pooling)).Message);

    [Fact]
    public void A_configured_model_is_opened_and_a_missing_one_leaves_a_line()
    {
        TinyEncoder.Write(_files["tiny.gguf"], Mean);
        var opened = InstalledEmbedder.Open(new AppOptions { Embedder = _files["tiny.gguf"], Models = _files["models"] });
        using var generator = opened.Generator;
        Assert.NotNull(generator);
        Assert.Null(opened.Problem);
        Assert.Equal((null, null), (InstalledEmbedder.Open(new AppOptions()).Generator, InstalledEmbedder.Open(new AppOptions()).Problem));
        var missing = InstalledEmbedder.Open(new AppOptions { Embedder = "/nowhere/bge.gguf", Models = _files["models"] });
        Assert.Null(missing.Generator);
        Assert.Contains("/nowhere/bge.gguf", missing.Problem);
    }
}
