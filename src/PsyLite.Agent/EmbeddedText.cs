using System.Reflection;
using YamlDotNet.RepresentationModel;

namespace PsyLite.Agent;

/// <summary>Reads the data files that travel inside this assembly.</summary>
internal static class EmbeddedText
{
    public static string Read(string name)
    {
        var assembly = Assembly.GetExecutingAssembly();
        using var stream = assembly.GetManifestResourceStream($"PsyLite.Agent.{name}")
            ?? throw new InvalidOperationException($"The data file {name} is not embedded in {assembly.GetName().Name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    public static IEnumerable<string> Names(string prefix) => Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(n => n.StartsWith($"PsyLite.Agent.{prefix}", StringComparison.Ordinal))
        .Select(n => n["PsyLite.Agent.".Length..])
        .Order(StringComparer.Ordinal);

    public static YamlMappingNode ReadYaml(string name)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(Read(name)));
        return (YamlMappingNode)yaml.Documents[0].RootNode;
    }

    public static IEnumerable<string> Strings(this YamlMappingNode node, string key) =>
        node.Children.TryGetValue(key, out var value)
            ? value is YamlSequenceNode list ? list.Select(n => Scalar(n, key)) : [Scalar(value, key)]
            : [];

    public static string? Text(this YamlMappingNode node, string key) =>
        node.Children.TryGetValue(key, out var value) ? Scalar(value, key) : null;

    private static string Scalar(YamlNode node, string key) =>
        (node as YamlScalarNode)?.Value ?? throw new FormatException($"'{key}' should be text.");
}
