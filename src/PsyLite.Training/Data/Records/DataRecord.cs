using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PsyLite.Training.Data.Records;

/// <summary>
/// One conversation or preference pair between commands of <c>psylite data</c> (docs/data.md). Its JSON is a <see cref="TrainingSample"/>
/// with more fields, so the trainer reads records as they are. The last message is the assistant's: the reply to be learned.
/// </summary>
/// <param name="Id">Unique within a file: source and number.</param>
/// <param name="Kind">What it is for: counsel, general, pair, or a composer's kind.</param>
/// <param name="Source">Where it comes from: the name of the set or of the block of text.</param>
public sealed record DataRecord(string Id, string Kind, string Source, IReadOnlyList<SampleMessage> Messages)
{
    /// <summary>Bounds of what is read; a record beyond them is refused, not cut.</summary>
    public const int MostMessages = 512;
    public const int MostCharacters = 400_000;

    internal static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Name of the dialogue it was cut from; splits keep these whole. The record itself when null.</summary>
    public string? Group { get; init; }

    public string? Topic { get; init; }

    public string? Licence { get; init; }

    /// <summary>Set within the source, such as <c>repo_name</c> of the distilled rows.</summary>
    public string? Origin { get; init; }

    /// <summary>Judged quality, 0 to 10 in the distilled rows.</summary>
    public double? Score { get; init; }

    /// <summary>Names of harm that the source itself gives.</summary>
    public IReadOnlyList<string>? Safety { get; init; }

    /// <summary>The reply that lost against the last message; makes the record a pair.</summary>
    public SampleMessage? Rejected { get; init; }

    [JsonIgnore]
    public string Dialogue => Group ?? Id;

    [JsonIgnore]
    public SampleMessage Reply => Messages[^1];

    /// <summary>The newest words of the person; empty when nobody spoke.</summary>
    [JsonIgnore]
    public string Question => Messages.LastOrDefault(m => m.Role == "user")?.Content ?? "";

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>Why it cannot be used; null when it can.</summary>
    public string? Fault()
    {
        if (Messages is not { Count: >= 1 and <= MostMessages })
        {
            return "it has no messages, or too many of them";
        }

        var characters = 0L;
        for (var i = 0; i < Messages.Count; i++)
        {
            if (Messages[i] is not { Role: "user" or "assistant" or "system", Content: not null } message)
            {
                return "a message has a role other than user, assistant or system, or no text";
            }

            var isOpen = i == Messages.Count - 1 && message.BreaksOff && !string.IsNullOrWhiteSpace(message.Reasoning);
            if (!isOpen && string.IsNullOrWhiteSpace(message.Content))
            {
                return "a message is empty";
            }

            characters += message.Content.Length + (message.Reasoning?.Length ?? 0);
        }

        return Reply.Role != "assistant" ? "the last message is not the assistant's"
            : Messages.Count < 2 ? "nobody spoke before the reply"
            : Rejected is { } other && (other.Role != "assistant" || string.IsNullOrWhiteSpace(other.Content)) ? "the rejected reply is empty"
            : characters + (Rejected?.Content.Length ?? 0) > MostCharacters ? $"it is longer than {MostCharacters} characters"
            : null;
    }
}
