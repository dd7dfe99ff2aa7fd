using System.Reflection;
using YamlDotNet.RepresentationModel;

namespace PsyLite.Agent;

/// <summary>Reads the data files that travel inside this assembly.</summary>
internal static class EmbeddedText
{
    public static string Read(string name)
    {
        using var reader = new StreamReader(Open(name));
        return reader.ReadToEnd();
    }

    public static byte[] Bytes(string name)
    {
        using var stream = Open(name);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    public static IEnumerable<string> Names(string prefix) => Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(n => n.StartsWith($"PsyLite.Agent.{prefix}", StringComparison.Ordinal))
        .Select(n => n["PsyLite.Agent.".Length..])
        .Order(StringComparer.Ordinal);

    public static YamlMappingNode ReadYaml(string name) => ParseYaml(Read(name));

    public static YamlMappingNode ParseYaml(string text)
    {
        var yaml = new YamlStream();
        try
        {
            yaml.Load(new StringReader(text));
        }
        catch (Exception e)
        {
            // The parser meets some damaged files with exceptions of its own making.
            throw new FormatException($"The YAML cannot be read: {e.Message}", e);
        }

        return yaml.Documents is [{ RootNode: YamlMappingNode root }, ..] ? root : throw new FormatException("The YAML file should hold a mapping.");
    }

    public static IEnumerable<string> Strings(this YamlMappingNode node, string key) =>
        node.Children.TryGetValue(key, out var value)
            ? value is YamlSequenceNode list ? list.Select(n => Scalar(n, key)) : [Scalar(value, key)]
            : [];

    public static string? Text(this YamlMappingNode node, string key) =>
        node.Children.TryGetValue(key, out var value) ? Scalar(value, key) : null;

    private static Stream Open(string name)
    {
        var assembly = Assembly.GetExecutingAssembly();
        return assembly.GetManifestResourceStream($"PsyLite.Agent.{name}")
            ?? throw new InvalidOperationException($"The data file {name} is not embedded in {assembly.GetName().Name}.");
    }

    private static string Scalar(YamlNode node, string key) =>
        (node as YamlScalarNode)?.Value ?? throw new FormatException($"'{key}' should be text.");
}
