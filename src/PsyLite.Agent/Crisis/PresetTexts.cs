using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace PsyLite.Agent.Crisis;

/// <summary>One preset text, its roles still open. <paramref name="Id"/> is family, language and position.</summary>
internal sealed record PresetText(string Id, string Text)
{
    /// <summary>The longest run of words without a role or a name: by it the text is known again in a history.</summary>
    public string Mark { get; } = Text.Split('{', '}').Where((_, i) => i % 2 == 0).MaxBy(part => part.Length) ?? "";
}

/// <summary>
/// Every text that the program says without a model, from embedded files: needs no model, database or network. Immutable. A file that
/// cannot be read is left out and named in <see cref="Problems"/>; <see cref="LastWords"/> stand in for what is missing.
/// </summary>
internal sealed partial class PresetTexts
{
    public const string Fallback = "zh-CN";
    private readonly Dictionary<(string Family, string Language), IReadOnlyList<PresetText>> _texts = [];
    private readonly List<string> _problems = [];

    public PresetTexts(HotlineDirectory hotlines)
        : this(hotlines, EmbeddedText.Names("Crisis.").Where(n => !n.EndsWith("hotlines.yaml", StringComparison.Ordinal)).Select(EmbeddedText.Read))
    {
    }

    internal PresetTexts(HotlineDirectory hotlines, IEnumerable<string> files)
    {
        Hotlines = hotlines;
        foreach (var file in files)
        {
            try
            {
                Read(EmbeddedText.ParseYaml(file));
            }
            catch (Exception e) when (e is FormatException or InvalidCastException or ArgumentException)
            {
                _problems.Add(e.Message.ReplaceLineEndings(" "));
            }
        }
    }

    public HotlineDirectory Hotlines { get; }

    /// <summary>What could not be read; empty when all is well.</summary>
    public IReadOnlyList<string> Problems => _problems;

    public IEnumerable<(string Family, string Language, IReadOnlyList<PresetText> Texts)> All =>
        _texts.Select(t => (t.Key.Family, t.Key.Language, t.Value));

    public bool Has(string family, string language) => _texts.ContainsKey((family, language));

    /// <summary>
    /// A text of the family that this conversation has not seen; when all have been seen, one that was not the last.
    /// <paramref name="seed"/> spreads first choices over conversations and keeps a turn repeatable.
    /// </summary>
    public PresetText Choose(string family, string language, ISet<string> used, int seed)
    {
        if (!_texts.TryGetValue((family, language), out var texts) && !_texts.TryGetValue((family, Fallback), out texts))
        {
            return new PresetText($"last.words/{language}", LastWords(language));
        }

        var first = (int)((uint)seed % (uint)texts.Count);
        var order = Enumerable.Range(0, texts.Count).Select(i => texts[(first + i) % texts.Count]).ToList();
        var chosen = order.FirstOrDefault(t => !used.Contains(t.Id));
        if (chosen is null)
        {
            var last = texts.FirstOrDefault(t => used.Contains(t.Id + "!"));
            foreach (var text in texts)
            {
                used.Remove(text.Id);
                used.Remove(text.Id + "!");
            }

            chosen = order.First(t => t != last || texts.Count == 1);
        }

        foreach (var text in texts)
        {
            used.Remove(text.Id + "!");
        }

        used.Add(chosen.Id);
        used.Add(chosen.Id + "!");
        return chosen;
    }

    /// <summary>The text with its roles filled in for a region and its names from <paramref name="names"/>.</summary>
    public string Fill(string text, string region, string language, params ReadOnlySpan<(string Name, string Value)> names)
    {
        // Names come last and once: what a person wrote is never read as a placeholder.
        var filled = Placeholder().Replace(text, m => Hotlines.Say(m.Groups[2].Value, region, language) is { } said ? Spaced(m, said) : m.Value);
        foreach (var (name, value) in names)
        {
            var at = filled.IndexOf("{" + name + "}", StringComparison.Ordinal);
            filled = at < 0 ? filled : string.Concat(filled.AsSpan(0, at), value, filled.AsSpan(at + name.Length + 2));
        }

        return filled;
    }

    /// <summary>The presets that a reply of ours in a history is made of.</summary>
    public IEnumerable<PresetText> Recognise(string reply) =>
        _texts.Where(t => !t.Key.Family.EndsWith(".title", StringComparison.Ordinal)).SelectMany(t => t.Value)
            .Where(t => t.Mark.Length > 5 && reply.Contains(t.Mark, StringComparison.Ordinal));

    /// <summary>What is said when the texts themselves are missing. Names no number, for numbers live in one file.</summary>
    internal static string LastWords(string language) => language switch
    {
        "en" => "I hear that this is serious. Please move away from anything that could hurt you and get someone you trust beside you now. If it is urgent, call your local emergency number or go to the nearest emergency room. Is anyone with you?",
        "zh-TW" => "你說的我當真。請先離開會傷到你的東西，讓一個信得過的人現在到你身邊。情況緊急就打當地的緊急電話，或去最近的醫院急診。你身邊現在有人嗎？",
        "yue" => "你講嘅我當真。請先離開會傷到你嘅嘢，叫一個信得過嘅人即刻嚟你身邊。緊急就打當地嘅緊急電話，或者去最近嘅急症室。你身邊而家有冇人？",
        _ => "你说的我当真。请先离开能伤到你的东西，让一个信得过的人现在到你身边来。情况紧急就打当地的紧急电话，或去最近的医院急诊。你身边现在有人吗？",
    };

    private void Read(YamlMappingNode root)
    {
        foreach (var (family, languages) in root.Children)
        {
            foreach (var (language, list) in ((YamlMappingNode)languages).Children)
            {
                var key = (((YamlScalarNode)family).Value!, ((YamlScalarNode)language).Value!);
                _texts.Add(key, [.. ((YamlSequenceNode)list).Select((text, i) =>
                    new PresetText($"{key.Item1}/{key.Item2}/{i + 1}", ((YamlScalarNode)text).Value!))]);
            }
        }
    }

    /// <summary>The spaces beside a number belong to digits and Latin letters; words of Chinese stand without them.</summary>
    private static string Spaced(Match role, string said) =>
        (char.IsAscii(said[0]) ? role.Groups[1].Value : "") + said + (char.IsAscii(said[^1]) ? role.Groups[3].Value : "");

    [GeneratedRegex("( ?)\\{([a-z]+)\\}( ?)")]
    private static partial Regex Placeholder();
}

/// <summary>The presets as one conversation hears them: its language, its region, and what it has heard before.</summary>
internal sealed class PresetVoice(PresetTexts texts, string language, string region, ConversationState state)
{
    public string Language => language;

    public string Say(string family, params ReadOnlySpan<(string Name, string Value)> names) => SayFrom(family, 0, names);

    public string SayFrom(string family, int seed, params ReadOnlySpan<(string Name, string Value)> names)
    {
        var text = texts.Choose(family, language, state.UsedPresets, state.Turns + seed);
        return texts.Fill(text.Text, region, language, names);
    }

    public bool Has(string family) => texts.Has(family, language);
}
