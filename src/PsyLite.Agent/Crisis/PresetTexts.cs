using YamlDotNet.RepresentationModel;

namespace PsyLite.Agent.Crisis;

/// <summary>One preset text with its numbers filled in. <paramref name="Id"/> is family, language and position.</summary>
internal sealed record PresetText(string Id, string Text);

/// <summary>
/// Every text that the program says without a model, from embedded files: needs no model, database or network. Immutable.
/// </summary>
internal sealed class PresetTexts
{
    public const string Fallback = "zh-CN";
    private readonly Dictionary<(string Family, string Language), IReadOnlyList<PresetText>> _texts = [];

    public PresetTexts(HotlineDirectory hotlines)
    {
        foreach (var file in EmbeddedText.Names("Crisis.").Where(n => !n.EndsWith("hotlines.yaml", StringComparison.Ordinal)))
        {
            foreach (var (family, languages) in EmbeddedText.ReadYaml(file).Children)
            {
                foreach (var (language, list) in ((YamlMappingNode)languages).Children)
                {
                    var key = (((YamlScalarNode)family).Value!, ((YamlScalarNode)language).Value!);
                    _texts.Add(key, [.. ((YamlSequenceNode)list).Select((text, i) =>
                        new PresetText($"{key.Item1}/{key.Item2}/{i + 1}", hotlines.Fill(((YamlScalarNode)text).Value!)))]);
                }
            }
        }
    }

    public IEnumerable<(string Family, string Language, IReadOnlyList<PresetText> Texts)> All =>
        _texts.Select(t => (t.Key.Family, t.Key.Language, t.Value));

    public bool Has(string family, string language) => _texts.ContainsKey((family, language));

    /// <summary>
    /// A text of the family that this conversation has not seen; when all have been seen, one that was not the last.
    /// <paramref name="seed"/> spreads first choices over conversations and keeps a turn repeatable.
    /// </summary>
    public string Choose(string family, string language, ISet<string> used, int seed)
    {
        var texts = _texts.TryGetValue((family, language), out var list) ? list : _texts[(family, Fallback)];
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
        return chosen.Text;
    }
}
