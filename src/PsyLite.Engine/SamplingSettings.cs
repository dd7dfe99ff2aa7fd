using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.AI;

namespace PsyLite.Engine;

/// <summary>How the next token is chosen. A <see cref="Temperature"/> of 0 always takes the likeliest one.</summary>
/// <param name="TopK">Candidates kept, by likelihood; 0 keeps all.</param>
/// <param name="TopP">Probability mass kept; 1 keeps all.</param>
/// <param name="MinP">Least probability kept, relative to the likeliest candidate; 0 keeps all.</param>
/// <param name="RepeatPenalty">Divides positive logits of tokens seen in the window; 1 is none.</param>
/// <param name="PenaltyWindow">Tokens of the reply that the penalties look back on; the prompt is never penalised.</param>
internal sealed record SamplingSettings(
    float Temperature = 0.7f,
    int TopK = 40,
    float TopP = 0.9f,
    float MinP = 0.05f,
    float RepeatPenalty = 1f,
    float FrequencyPenalty = 0f,
    float PresencePenalty = 0f,
    int PenaltyWindow = 64,
    uint Seed = 0)
{
    /// <summary>llama.cpp takes this seed for "choose one yourself".</summary>
    private const uint ReservedSeed = 0xFFFFFFFF;

    public bool HasPenalties => PenaltyWindow > 0 && (RepeatPenalty != 1 || FrequencyPenalty != 0 || PresencePenalty != 0);

    public bool PenaltiesOnlyLower => RepeatPenalty >= 1 && FrequencyPenalty >= 0 && PresencePenalty >= 0;

    /// <summary>Reads the options of a request over the defaults above; min_p, repeat_penalty and repeat_last_n come as additional properties.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value makes no sense.</exception>
    public static SamplingSettings From(ChatOptions? options)
    {
        var defaults = new SamplingSettings();
        var extra = options?.AdditionalProperties;
        var settings = new SamplingSettings(
            options?.Temperature ?? defaults.Temperature,
            options?.TopK ?? defaults.TopK,
            options?.TopP ?? defaults.TopP,
            Number(extra, "min_p") ?? defaults.MinP,
            Number(extra, "repeat_penalty") ?? defaults.RepeatPenalty,
            options?.FrequencyPenalty ?? defaults.FrequencyPenalty,
            options?.PresencePenalty ?? defaults.PresencePenalty,
            (int)(Number(extra, "repeat_last_n") ?? defaults.PenaltyWindow),
            SeedOf(options?.Seed));
        Check(settings.Temperature is >= 0 and <= 100, "temperature", settings.Temperature);
        Check(settings.TopK >= 0, "top_k", settings.TopK);
        Check(settings.TopP is >= 0 and <= 1, "top_p", settings.TopP);
        Check(settings.MinP is >= 0 and <= 1, "min_p", settings.MinP);
        Check(settings.RepeatPenalty is > 0 and <= 100, "repeat_penalty", settings.RepeatPenalty);
        Check(float.IsFinite(settings.FrequencyPenalty), "frequency_penalty", settings.FrequencyPenalty);
        Check(float.IsFinite(settings.PresencePenalty), "presence_penalty", settings.PresencePenalty);
        Check(settings.PenaltyWindow is >= 0 and <= 4096, "repeat_last_n", settings.PenaltyWindow);
        return settings;
    }

    private static void Check(bool holds, string name, object value)
    {
        if (!holds)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} is out of range.");
        }
    }

    private static uint SeedOf(long? seed)
    {
        var folded = seed is { } given ? (uint)given ^ (uint)(given >> 32) : BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));
        return folded == ReservedSeed ? 0 : folded;
    }

    private static float? Number(AdditionalPropertiesDictionary? extra, string name)
    {
        if (extra is null || !extra.TryGetValue(name, out var value) || value is null)
        {
            return null;
        }

        var text = Convert.ToString(value, CultureInfo.InvariantCulture);
        return float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && float.IsFinite(number)
            ? number
            : throw new ArgumentOutOfRangeException(name, value, $"{name} must be a number.");
    }
}
