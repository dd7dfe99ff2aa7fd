using YamlDotNet.RepresentationModel;

namespace PsyLite.Agent.Humour;

/// <summary>Hard things that people live through, with the words they use for them: so that a piece unfit for 失恋 is kept from who says 分手.</summary>
internal static class Troubles
{
    private static readonly Dictionary<string, string[]> Words = EmbeddedText.ReadYaml("Humour.troubles.yaml").Children
        .ToDictionary(pair => ((YamlScalarNode)pair.Key).Value!, pair => ((YamlSequenceNode)pair.Value).Select(n => ((YamlScalarNode)n).Value!).ToArray());

    /// <summary>The troubles that a text names.</summary>
    public static HashSet<string> In(string text) =>
        [.. Words.Where(w => w.Value.Any(word => text.Contains(word, StringComparison.OrdinalIgnoreCase))).Select(w => w.Key)];
}
