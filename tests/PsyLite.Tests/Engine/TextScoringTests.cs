using PsyLite.Engine;

namespace PsyLite.Tests.Engine;

/// <summary>Likelihoods of plain text by the batched scheduler against one plain sequence of llama_decode.</summary>
[Collection(EngineCollection.Name)]
public sealed class TextScoringTests(TinyModels models)
{
    private const string Characters = "今天很好的心情，我们愉快。不是了在有和就人都一上也到说要去你会着没看自己这";

    private LlamaOptions Exact => TinyModels.Options(models.Random) with { KvCache = KvCacheType.F32, FlashAttention = false, Sequences = 6 };

    [Fact]
    public async Task Two_hundred_items_scored_together_are_those_of_a_plain_decode()
    {
        using var model = LlamaModel.Load(Exact);
        using var client = new LlamaChatClient(model);
        var random = new Random(4);
        string Words(int count) => new([.. Enumerable.Range(0, count).Select(_ => Characters[random.Next(Characters.Length)])]);
        var items = Enumerable.Range(0, 200).Select(i => Words(4 + random.Next(24)) + "\n答案：").Select(prompt => (string[])[prompt + "好", prompt + "了", prompt + Words(3), prompt + Words(2)]).ToList();
        var scores = await Task.WhenAll(items.Select(texts => client.ScoreTextsAsync(texts)));
        for (var i = 0; i < items.Count; i++)
        {
            var found = scores[i];
            for (var t = 0; t < items[i].Length; t++)
            {
                var tokens = model.Vocabulary.Encode(items[i][t], parseSpecial: false, addSpecial: true);
                Assert.Equal(tokens.Length, found.SharedTokens + found.RestTokens[t]);
                var (shared, rest) = Plain(model, tokens, found.SharedTokens);
                Assert.Equal(rest, found.Rest[t], 1e-3);
                Assert.Equal(found.RestTokens.Distinct().Count() > 1, found.Shared is not null);
                Assert.Equal(found.Shared is null ? 0 : shared, found.Shared ?? 0, 1e-3);
            }
        }
    }

    [Fact]
    public void Perplexity_is_that_of_the_second_half_of_each_chunk()
    {
        using var model = LlamaModel.Load(Exact);
        var random = new Random(6);
        var text = new string([.. Enumerable.Range(0, 400).Select(_ => Characters[random.Next(Characters.Length)])]);
        const int Context = 64;
        var result = TextPerplexity.Compute(model, text + "\n", Context);
        var tokens = model.Vocabulary.Encode(text, parseSpecial: false, addSpecial: true);
        Assert.Equal(tokens.Length / Context, result.Chunks.Count);
        var sum = 0.0;
        for (var chunk = 0; chunk < result.Chunks.Count; chunk++)
        {
            var part = tokens.AsSpan(chunk * Context, Context).ToArray();
            part[0] = model.Vocabulary.AddsBegin ? model.Vocabulary.BeginToken : part[0];
            var (_, likelihood) = Plain(model, part, (Context / 2) + 1);
            Assert.Equal(-likelihood / ((Context / 2) - 1), result.Chunks[chunk], 2e-3);
            sum -= likelihood;
        }

        Assert.Equal(result.Chunks.Count * ((Context / 2) - 1), result.ScoredTokens);
        Assert.Equal(sum / result.ScoredTokens, result.NegativeLogLikelihood, 1e-3);
        Assert.Equal(result.Chunks[0], TextPerplexity.Compute(model, text, Context, mostChunks: 1).NegativeLogLikelihood, 1e-3);
        Assert.Contains("longer text", Assert.Throws<LlamaException>(() => TextPerplexity.Compute(model, "好", Context)).Message);
        Assert.Contains("trained", Assert.Throws<LlamaException>(() => TextPerplexity.Compute(model, text, 4096)).Message);
    }

    /// <summary>Sums over the tokens before a place, the first given, and from it on.</summary>
    private static (double Before, double From) Plain(LlamaModel model, int[] tokens, int place)
    {
        var logits = LlamaLogits.Compute(model, tokens);
        double Of(int i)
        {
            var largest = (double)logits[i - 1].Max();
            return logits[i - 1][tokens[i]] - largest - Math.Log(logits[i - 1].Sum(l => Math.Exp(l - largest)));
        }

        return (Enumerable.Range(1, place - 1).Sum(Of), Enumerable.Range(place, tokens.Length - place).Sum(Of));
    }
}
