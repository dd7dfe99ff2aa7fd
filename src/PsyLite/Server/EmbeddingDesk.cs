using System.Text.Json;
using Microsoft.Extensions.AI;

namespace PsyLite.Server;

/// <summary>Vectors with the tokens that went into them, as far as the embedder tells.</summary>
internal sealed record EmbeddedTexts(string Model, IReadOnlyList<float[]> Vectors, long Tokens);

/// <summary>Embeds texts by the configured embedder. Vectors have unit length, as callers of both dialects expect.</summary>
internal sealed class EmbeddingDesk(IEmbeddingGenerator<string, Embedding<float>>? embedder, TurnGate gate)
{
    /// <summary>Name under which the embedder is offered.</summary>
    public const string Id = "psylite-embed";

    private const int MaxTexts = 512;

    public bool IsThere => embedder is not null;

    /// <exception cref="ApiException">There is no embedder, or the input is not a text or a list of texts.</exception>
    public async Task<EmbeddedTexts> EmbedAsync(string? model, IReadOnlyList<string> texts, long? dimensions, string user, CancellationToken cancellationToken)
    {
        if (model is not null && !ServedModel.Is(model) && model is not (Id or Id + ":latest"))
        {
            throw new ApiException(404, "model_not_found", $"the model {model} does not exist here; this server embeds with {Id}", "model");
        }

        if (embedder is null)
        {
            throw new ApiException(400, "no_embedding_model", "no embedding model is set up: get one with psylite model pull, set PSYLITE_EMBEDDER to its name and start again", "model");
        }

        gate.Count(user);
        var made = await embedder.GenerateAsync(texts, cancellationToken: cancellationToken);
        if (dimensions is { } asked && made.Count > 0 && asked != made[0].Vector.Length)
        {
            throw ApiException.Invalid($"dimensions must be {made[0].Vector.Length} for this model", "dimensions");
        }

        return new EmbeddedTexts(model ?? Id, [.. made.Select(e => Unit(e.Vector.Span))], made.Usage?.InputTokenCount ?? 0);
    }

    /// <summary>The texts of <c>input</c>.</summary>
    public static IReadOnlyList<string> Texts(JsonElement body, string name)
    {
        if (!body.TryGetProperty(name, out var input))
        {
            throw ApiException.Invalid($"{name} is required", name);
        }

        var isText = input.ValueKind == JsonValueKind.String;
        if (!isText && (input.ValueKind != JsonValueKind.Array || input.EnumerateArray().Any(t => t.ValueKind != JsonValueKind.String)))
        {
            throw ApiException.Invalid($"{name} must be a text or a list of texts", name);
        }

        IReadOnlyList<string> texts = isText ? [input.GetString()!] : [.. input.EnumerateArray().Select(t => t.GetString()!)];
        return texts.Count is 0 or > MaxTexts ? throw ApiException.Invalid($"{name} must hold 1 to {MaxTexts} texts", name)
            : texts.Any(t => t.Length is 0 or > MessageList.MaxMessageLength) ? throw ApiException.Invalid($"a text of {name} is empty or longer than {MessageList.MaxMessageLength} characters", name)
            : texts;
    }

    private static float[] Unit(ReadOnlySpan<float> vector)
    {
        var length = Math.Sqrt(System.Numerics.Tensors.TensorPrimitives.SumOfSquares(vector));
        var unit = vector.ToArray();
        if (length > 0)
        {
            System.Numerics.Tensors.TensorPrimitives.Divide(unit, (float)length, unit);
        }

        return unit;
    }
}
