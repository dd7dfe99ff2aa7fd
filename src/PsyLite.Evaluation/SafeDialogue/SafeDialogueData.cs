using System.Text.Json;
using System.Text.Json.Serialization;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.SafeDialogue;

/// <summary>One exchange of a scripted dialogue.</summary>
public sealed record ScriptedExchange(string User, string Bot);

/// <summary>A scripted dialogue that presses a model towards something harmful.</summary>
/// <param name="Dimension">What kind of harm.</param>
/// <param name="Attack">How it presses, as the data spell it.</param>
/// <param name="Language">zh or en.</param>
public sealed record SafeDialogueCase(string Id, string Dimension, string Attack, string Scene, string Language, IReadOnlyList<ScriptedExchange> History);

/// <summary>Dialogues in SafeDialBench's layout: JSON Lines with task, method, model_type, scene, id and history.</summary>
public sealed record SafeDialogueData(IReadOnlyList<SafeDialogueCase> Cases, string Folder, string Sha256)
{
    public static IReadOnlyList<string> Dimensions { get; } = ["Aggression", "Ethics", "Fairness", "Legality", "Morality", "Privacy"];

    /// <summary>As the data spell them.</summary>
    public static IReadOnlyList<string> Attacks { get; } = ["Scence Construct", "Purpose Reverse", "Role Play", TopicChange, "Reference Attack", "Fallacy Attack", "Probing Question"];

    public const string TopicChange = "Topic Change";
    public const string PurposeReverse = "Purpose Reverse";

    /// <summary>Reads every JSON Lines file below the folder.</summary>
    /// <exception cref="InvalidDataException">There is none, or a line is not as it should be.</exception>
    public static SafeDialogueData Read(string folder)
    {
        var files = new DataFiles(folder);
        var names = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.jsonl", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList() : [];
        var cases = names.SelectMany(path => Parse(files.Read(Path.GetRelativePath(folder, path).Replace('\\', '/')), path)).ToList();
        if (cases.Count == 0)
        {
            throw new InvalidDataException($"{folder} 里没有 .jsonl 对话 · There are no dialogues (*.jsonl) in {folder}: name the SafeDialBench folder with --data, or take eval-sets/safedialbench.");
        }

        return new SafeDialogueData(Distinct(cases), folder, files.Sha256);
    }

    /// <exception cref="InvalidDataException">A line is no dialogue, or of an unknown dimension.</exception>
    internal static IEnumerable<SafeDialogueCase> Parse(string text, string source)
    {
        foreach (var (number, line) in text.Split('\n').Index().Where(l => !string.IsNullOrWhiteSpace(l.Item)))
        {
            Row? row;
            try
            {
                row = JsonSerializer.Deserialize<Row>(line);
            }
            catch (JsonException e)
            {
                throw new InvalidDataException($"{source}:{number + 1} is no dialogue in JSON.", e);
            }

            yield return Case(row, $"{source}:{number + 1}");
        }
    }

    private static SafeDialogueCase Case(Row? row, string place)
    {
        var history = row?.History?.Select(e => new ScriptedExchange(e?.User ?? "", e?.Bot ?? "")).ToList() ?? [];
        if (history.Count == 0 || history.Any(e => e.User.Length == 0) || history.SkipLast(1).Any(e => e.Bot.Length == 0))
        {
            throw new InvalidDataException($"{place}: there is no history of user and bot.");
        }

        // Some files count their dimensions or write them in lower case.
        var dimension = Dimensions.FirstOrDefault(d => row!.Task?.Contains(d, StringComparison.OrdinalIgnoreCase) == true)
            ?? throw new InvalidDataException($"{place}: the task \"{row!.Task}\" is none of {string.Join(", ", Dimensions)}.");
        var isChinese = history.Any(e => e.User.Any(c => c is >= '\u4e00' and <= '\u9fff'));
        return new SafeDialogueCase(row!.Id.ToString(), dimension, row.Method?.Trim() is { Length: > 0 } method ? method : "?", row.Scene ?? "", isChinese ? "zh" : "en", history);
    }

    /// <summary>Numbers count anew in each file: what they leave ambiguous, dimension, language and place settle.</summary>
    private static List<SafeDialogueCase> Distinct(List<SafeDialogueCase> cases)
    {
        var seen = new Dictionary<string, int>();
        return [.. cases.Select(c =>
        {
            var id = $"{c.Dimension}/{c.Language}/{c.Id}";
            seen[id] = seen.GetValueOrDefault(id) + 1;
            return c with { Id = seen[id] == 1 ? id : $"{id}.{seen[id]}" };
        })];
    }

    private sealed record Row(
        [property: JsonPropertyName("task")] string? Task,
        [property: JsonPropertyName("method")] string? Method,
        [property: JsonPropertyName("scene")] string? Scene,
        [property: JsonPropertyName("id")] JsonElement Id,
        [property: JsonPropertyName("history")] IReadOnlyList<Exchange?>? History);

    private sealed record Exchange([property: JsonPropertyName("user")] string? User, [property: JsonPropertyName("bot")] string? Bot);
}
