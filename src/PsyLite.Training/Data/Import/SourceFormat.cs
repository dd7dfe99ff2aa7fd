using System.Text.Json;

namespace PsyLite.Training.Data.Import;

/// <summary>What the rows of a source look like; docs/data.md shows one of each.</summary>
public enum SourceFormat
{
    /// <summary>Told from the fields of each row.</summary>
    Auto,

    /// <summary>Lists of 求助者：/支持者： lines, or rows with a history of pairs.</summary>
    CPsyCoun,

    /// <summary>conversations: [{from, value}].</summary>
    ShareGpt,

    /// <summary>instruction, input, output, and perhaps history and system.</summary>
    Alpaca,

    /// <summary>messages: [{role, content}].</summary>
    OpenAi,

    /// <summary>Chinese-DeepSeek-R1-distill: repo_name and score beside question, reasoning and answer.</summary>
    R1Distill,

    /// <summary>PKU-SafeRLHF: prompt, response_0, response_1, better_response_id.</summary>
    SafeRlhf,

    /// <summary>chosen and rejected: lists of messages, or texts beside a prompt.</summary>
    Pairs,

    /// <summary>Records of <c>psylite data</c> itself, and composed samples.</summary>
    Record,
}

internal static class FormatDetection
{
    /// <returns>The format whose fields the row has; null when it has those of none.</returns>
    public static SourceFormat? Of(JsonElement row) => row.ValueKind switch
    {
        JsonValueKind.Array => SourceFormat.CPsyCoun,
        JsonValueKind.Object => OfObject(row),
        _ => null,
    };

    private static SourceFormat? OfObject(JsonElement row)
    {
        bool Has(string name) => row.TryGetProperty(name, out _);
        return Has("messages") ? Has("kind") && Has("source") ? SourceFormat.Record : SourceFormat.OpenAi
            : Has("conversations") ? SourceFormat.ShareGpt
            : Has("response_0") && Has("response_1") ? SourceFormat.SafeRlhf
            : Has("chosen") && Has("rejected") ? SourceFormat.Pairs
            : Has("repo_name") || Has("reasoning_content") ? SourceFormat.R1Distill
            : Has("conversation") || Has("dialogue") || Has("dialog") ? SourceFormat.CPsyCoun
            : (Has("instruction") || Has("prompt") || Has("question") || Has("input")) && (Has("output") || Has("response") || Has("answer")) ? SourceFormat.Alpaca
            : null;
    }
}
