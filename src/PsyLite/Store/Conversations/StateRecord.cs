using System.Text.Json;
using System.Text.Json.Serialization;
using PsyLite.Agent;

namespace PsyLite.Store.Conversations;

/// <summary>A conversation's risk state as bytes, with the version of its form. Lossless: what a turn wrote is what the next one reads.</summary>
internal sealed record StateRecord(int Version, ConversationState State)
{
    private const int Newest = 1;
    private static readonly JsonSerializerOptions Json = new() { Converters = { new JsonStringEnumConverter() } };

    public static byte[] Write(ConversationState state) => JsonSerializer.SerializeToUtf8Bytes(new StateRecord(Newest, state), Json);

    /// <exception cref="InvalidDataException">The bytes are no state, or one of a later version.</exception>
    public static ConversationState Read(ReadOnlySpan<byte> bytes)
    {
        StateRecord? record;
        try
        {
            record = JsonSerializer.Deserialize<StateRecord>(bytes, Json);
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException("a stored risk state is not readable.", fault);
        }

        return record is { Version: Newest, State: { } state } ? state : throw new InvalidDataException("a stored risk state is of another version.");
    }

    /// <summary>A copy that shares nothing with the original, which a turn goes on changing.</summary>
    public static ConversationState Copy(ConversationState state) => Read(Write(state));
}
