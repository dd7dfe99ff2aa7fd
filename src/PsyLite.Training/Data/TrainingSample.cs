using System.Text.Json;
using System.Text.Json.Serialization;

namespace PsyLite.Training.Data;

/// <summary>One message of a sample. Reasoning belongs to the assistant's last message only: it never travels in the history.</summary>
public sealed record SampleMessage(string Role, string Content)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Reasoning { get; init; }

    /// <summary>The text breaks off after the reasoning: a short exercise in saying what a message is about.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool BreaksOff { get; init; }
}

/// <summary>One training conversation; the loss of the fine-tuning stage falls on its last message.</summary>
public sealed record TrainingSample(string Kind, string Source, IReadOnlyList<SampleMessage> Messages)
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string ToJson() => JsonSerializer.Serialize(this, Options);

    /// <exception cref="InvalidDataException">The line is not a sample; the message says why.</exception>
    public static TrainingSample FromJson(string line)
    {
        try
        {
            var sample = JsonSerializer.Deserialize<TrainingSample>(line, Options);
            return sample?.Messages is { Count: > 0 } && sample.Messages[^1] is { Role: "assistant" } && sample.Messages.All(m => m is { Role: not null, Content: not null })
                ? sample
                : throw new InvalidDataException("a sample needs messages of role and content, the last one from the assistant.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"not a JSON sample: {e.Message}", e);
        }
    }
}
