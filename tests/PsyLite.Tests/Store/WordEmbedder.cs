using Microsoft.Extensions.AI;

namespace PsyLite.Tests.Store;

/// <summary>
/// Meaning as a test needs it: texts that share a character of one family point the same way. Deterministic, no model.
/// </summary>
internal sealed class WordEmbedder : IEmbeddingGenerator<string, Embedding<float>>
{
    private const int Dimensions = 96;
    private static readonly string[] Families = ["猫狗宠喵汪", "车驾路油", "饭菜锅吃煮", "书学考题"];

    public static float[] Vector(string text)
    {
        var vector = new float[Dimensions];
        for (var i = 0; i < Dimensions; i++)
        {
            vector[i] = (i * 7 % 5 - 2) * 0.01f;
        }

        for (var family = 0; family < Families.Length; family++)
        {
            var hits = text.Count(Families[family].Contains);
            var random = new Random(family);
            for (var i = 0; i < Dimensions; i++)
            {
                vector[i] += hits * (random.NextSingle() - 0.5f);
            }
        }

        return vector;
    }

    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        Task.FromResult(new GeneratedEmbeddings<Embedding<float>>(values.Select(v => new Embedding<float>(Vector(v)))));

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}
