using System.Text.Json;

namespace PsyLite.Training.Data;

/// <summary>One prompt with a better and a worse reply. The prompt's messages are those before the last of <c>chosen</c>.</summary>
public sealed record PreferencePair(IReadOnlyList<SampleMessage> Prompt, SampleMessage Chosen, SampleMessage Rejected)
{
    private const int MaxDepth = 16;

    /// <summary>A line of JSON with <c>chosen</c> and <c>rejected</c>, equally long lists of <c>{role, content}</c> (orpo_dpo_mix_40k).</summary>
    /// <exception cref="InvalidDataException">The line is not such a pair; the message says why.</exception>
    public static PreferencePair FromJson(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = MaxDepth });
            var (chosen, rejected) = (Messages(json.RootElement, "chosen"), Messages(json.RootElement, "rejected"));
            return chosen.Count >= 2 && chosen.Count == rejected.Count && chosen[^1].Role == "assistant" && rejected[^1].Role == "assistant"
                ? new PreferencePair([.. chosen.SkipLast(1)], chosen[^1], rejected[^1])
                : throw new InvalidDataException("chosen and rejected must be equally long lists of at least two messages that end with one of the assistant.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InvalidDataException("a pair is a JSON object with chosen and rejected, lists of {role, content}.", e);
        }
    }

    private static List<SampleMessage> Messages(JsonElement root, string name) =>
        [.. root.GetProperty(name).EnumerateArray().Select(m => new SampleMessage(Text(m, "role"), Text(m, "content")))];

    private static string Text(JsonElement message, string name) =>
        message.GetProperty(name).GetString() ?? throw new InvalidDataException($"a message has no {name}.");
}

/// <summary>A pair as token ids; Reply is the place of the first token of the reply, behind the prompt with its header.</summary>
public sealed record EncodedPair((int[] Tokens, int Reply) Chosen, (int[] Tokens, int Reply) Rejected)
{
    public int Length => Chosen.Tokens.Length + Rejected.Tokens.Length;

    /// <summary>The pair as InternLM2's template has it, the newline behind each reply being learned; null when a reply has no tokens left.</summary>
    /// <param name="maxSideTokens">Longer sides are cut on the right.</param>
    /// <param name="overlong">Whether a cut reply keeps its end, or its pair is dropped.</param>
    public static EncodedPair? Encode(SampleEncoder encoder, PreferencePair pair, int maxSideTokens, Overlong overlong)
    {
        (int[] Tokens, int Reply)? Side(SampleMessage reply)
        {
            var encoded = encoder.Encode(new TrainingSample("pair", "", [.. pair.Prompt, reply]), LossScope.LastReply, maxSideTokens, overlong, trainNewline: true);
            var first = encoded is null ? -1 : Array.FindIndex(encoded.Labels, l => l != SampleEncoder.Ignored);
            return first < 0 ? null : (encoded!.Tokens, first + 1);
        }

        return Side(pair.Chosen) is { } chosen && Side(pair.Rejected) is { } rejected ? new EncodedPair(chosen, rejected) : null;
    }
}

/// <summary>Packs whole pairs, first come first served (XTuner's ORPO data set).</summary>
public static class PairPacking
{
    /// <param name="promptLabels">Whether the prompts of chosen conversations carry labels.</param>
    public static IEnumerable<PreferenceBatch> Pack(IEnumerable<EncodedPair> pairs, int packTokens, bool promptLabels)
    {
        var pack = new List<(int[] Tokens, int Reply)>();
        var length = 0;
        foreach (var pair in pairs)
        {
            if (length + pair.Length > packTokens && length > 0)
            {
                yield return new PreferenceBatch(pack, promptLabels);
                (pack, length) = ([], 0);
            }

            pack.Add(pair.Chosen);
            pack.Add(pair.Rejected);
            length += pair.Length;
        }

        if (length > 0)
        {
            yield return new PreferenceBatch(pack, promptLabels);
        }
    }
}
