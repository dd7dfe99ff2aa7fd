using System.Text.Json;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.Counselling;

/// <summary>One side's words.</summary>
public sealed record CounsellingLine(bool IsClient, string Text);

/// <summary>A dialogue as it was held: client and counsellor in turn, the client first.</summary>
public sealed record CounsellingDialogue(string Topic, string Id, IReadOnlyList<CounsellingLine> Lines)
{
    public int ClientTurns => Lines.Count(l => l.IsClient);

    /// <summary>The client's turns with what was said before each, by both, in the dialogue as it was held: the model's own replies lead nowhere else.</summary>
    public IEnumerable<CounsellingTurn> Turns() => Lines.Index().Where(l => l.Item.IsClient).Select((l, number) => new CounsellingTurn(this, number, [.. Lines.Take(l.Index)], l.Item.Text));
}

/// <summary>A client's turn and its gold history.</summary>
/// <param name="Number">Among the client's turns, from 0.</param>
public sealed record CounsellingTurn(CounsellingDialogue Dialogue, int Number, IReadOnlyList<CounsellingLine> History, string Query)
{
    public string Id => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Dialogue.Topic}/{Dialogue.Id}#{Number + 1}");

    /// <summary>History as plain text, as the protocol quotes it.</summary>
    public string HistoryText => string.Join('\n', History.Select(l => (l.IsClient ? CounsellingData.Client : CounsellingData.Counsellor) + l.Text));
}

/// <summary>Dialogues in the layout of CPsyCounE: <c>{topic}/{number}.json</c>, each a list of strings.</summary>
public sealed record CounsellingData(IReadOnlyList<CounsellingDialogue> Dialogues, string Folder, string Sha256)
{
    public const string Client = "求助者：";
    public const string Counsellor = "支持者：";

    /// <exception cref="InvalidDataException">There are no dialogues, or one is not as it should be.</exception>
    public static CounsellingData Read(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new InvalidDataException($"没有文件夹 {folder} · There is no folder {folder}: name the CPsyCounE folder with --data, or take eval-sets/cpsycoune.");
        }

        var files = new DataFiles(folder);
        var dialogues = Directory.GetDirectories(folder).Order(StringComparer.Ordinal).SelectMany(topic => Directory.GetFiles(topic, "*.json").Order(StringComparer.Ordinal).Select(path =>
        {
            var name = $"{Path.GetFileName(topic)}/{Path.GetFileName(path)}";
            return Parse(Path.GetFileName(topic), Path.GetFileNameWithoutExtension(path), files.Read(name), path);
        })).ToList();
        return dialogues.Count > 0
            ? new CounsellingData(dialogues, folder, files.Sha256)
            : throw new InvalidDataException($"{folder} 里没有 主题/编号.json · There is no TOPIC/NUMBER.json in {folder}: name the CPsyCounE folder with --data, or take eval-sets/cpsycoune.");
    }

    /// <exception cref="InvalidDataException">It is no list of strings, a string has neither prefix, or the sides do not alternate.</exception>
    internal static CounsellingDialogue Parse(string topic, string id, string json, string source)
    {
        string?[]? strings;
        try
        {
            strings = JsonSerializer.Deserialize<string?[]>(json);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{source} is no JSON list of strings.", e);
        }

        var lines = (strings ?? []).Select((text, i) =>
            text?.StartsWith(Client, StringComparison.Ordinal) == true ? new CounsellingLine(true, text[Client.Length..].Trim())
            : text?.StartsWith(Counsellor, StringComparison.Ordinal) == true ? new CounsellingLine(false, text[Counsellor.Length..].Trim())
            : throw new InvalidDataException($"{source}: line {i + 1} begins with neither {Client} nor {Counsellor}.")).ToList();
        if (lines.Count == 0 || lines.Index().Any(l => l.Item.IsClient != (l.Index % 2 == 0)))
        {
            throw new InvalidDataException($"{source}: client and counsellor must take turns, the client first.");
        }

        return new CounsellingDialogue(topic, id, lines);
    }
}
