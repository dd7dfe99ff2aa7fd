using PsyLite.Training.Data.Records;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace PsyLite.Training.Data.Pairs;

/// <summary>
/// Pairs that were written by hand: files <c>*.yaml</c>, each a list of {id, topic, context: [{role, content}…] that ends with the user, chosen: {think, reply},
/// rejected: [{kind, reply}…]}. Every rejected reply makes one pair; the pairs of one id belong together. An entry with a mood (low, neutral, happy) gets
/// the composer's first line of reasoning, so that preference optimisation keeps the form that fine-tuning taught.
/// </summary>
public static class PreferenceCorpus
{
    /// <exception cref="InvalidDataException">The folder has no such file, or an entry is wrong; the message names file and entry.</exception>
    public static IReadOnlyList<DataRecord> Read(string folder, ComposerPrompts prompts)
    {
        var yaml = new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).WithDuplicateKeyChecking().IgnoreUnmatchedProperties().Build();
        var files = Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.yaml").Order(StringComparer.Ordinal).ToList() : [];
        if (files.Count == 0)
        {
            throw new InvalidDataException($"{folder} holds no preference pairs; expected files *.yaml there.");
        }

        var records = new List<DataRecord>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in files)
        {
            var file = $"preferences/{Path.GetFileNameWithoutExtension(path)}";
            foreach (var entry in Parse(yaml, path, File.ReadAllText(path)))
            {
                if (!ids.Add($"{file}/{entry?.Id}"))
                {
                    throw new InvalidDataException($"{path}: the id {entry?.Id} is used twice.");
                }

                records.AddRange(Pairs(entry, file, path, prompts));
            }
        }

        return records;
    }

    internal static IReadOnlyList<DataRecord> ReadText(string text, ComposerPrompts prompts, string path = "pairs.yaml") =>
        [.. Parse(new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).WithDuplicateKeyChecking().IgnoreUnmatchedProperties().Build(), path, text)
            .SelectMany(e => Pairs(e, "preferences/pairs", path, prompts))];

    private static List<Entry?> Parse(IDeserializer yaml, string path, string text)
    {
        try
        {
            return yaml.Deserialize<List<Entry?>?>(text) ?? throw new InvalidDataException($"{path} is empty.");
        }
        catch (YamlException e)
        {
            throw new InvalidDataException($"{path} is no list of pairs: line {e.Start.Line}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private static IEnumerable<DataRecord> Pairs(Entry? entry, string file, string path, ComposerPrompts prompts)
    {
        if (entry is null || string.IsNullOrEmpty(entry.Id) || entry.Context is not [.., { Role: "user" }] || entry.Rejected is not { Count: > 0 } || string.IsNullOrWhiteSpace(entry.Chosen?.Reply))
        {
            throw new InvalidDataException($"{path}: the entry {entry?.Id} needs an id, a context that ends with the user, a chosen reply and at least one rejected reply.");
        }

        if (entry.Mood is { } given)
        {
            TextCorpus.RequireMood(path, entry.Id, given);
        }

        var think = entry is { Mood: { } mood, Topic.Length: > 0, Chosen.Think.Length: > 0 } ? $"{prompts.FirstLine(entry.Topic, mood, Step(entry))}\n{entry.Chosen.Think.Trim()}" : entry.Chosen.Think;
        for (var i = 0; i < entry.Rejected.Count; i++)
        {
            var other = entry.Rejected[i];
            var record = new DataRecord(
                $"{file}/{entry.Id}/{i + 1}", "pair", $"{file}/{entry.Id}",
                [.. entry.Context.Select(m => new SampleMessage(m?.Role ?? "", (m?.Content ?? "").Trim())), Message(think, entry.Chosen.Reply)])
            {
                Group = $"{file}/{entry.Id}",
                Topic = entry.Topic is { Length: > 0 } topic ? topic : null,
                Licence = "Apache-2.0",
                Origin = other?.Kind is { Length: > 0 } kind ? kind : null,
                Rejected = Message(other?.Think ?? "", other?.Reply ?? ""),
            };
            yield return record.Fault() is { } fault ? throw new InvalidDataException($"{path}: the entry {entry.Id} cannot be used: {fault}.") : record;
        }
    }

    private static string Step(Entry entry) =>
        entry.Topic!.StartsWith("拒绝", StringComparison.Ordinal) ? "婉拒" : entry.Context.Count switch { 1 => "倾听", 3 => "换个角度", _ => "走一小步" };

    private static SampleMessage Message(string? think, string? reply) =>
        new("assistant", (reply ?? "").Trim()) { Reasoning = string.IsNullOrWhiteSpace(think) ? null : think.Trim() };

    private sealed class Entry
    {
        public string? Id { get; set; }

        public string? Topic { get; set; }

        public string? Mood { get; set; }

        public List<Said?> Context { get; set; } = [];

        public Answer? Chosen { get; set; }

        public List<Answer?> Rejected { get; set; } = [];
    }

    private sealed class Said
    {
        public string? Role { get; set; }

        public string? Content { get; set; }
    }

    private sealed class Answer
    {
        public string? Kind { get; set; }

        public string? Think { get; set; }

        public string? Reply { get; set; }
    }
}
