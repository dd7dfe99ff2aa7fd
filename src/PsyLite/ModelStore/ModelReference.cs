using System.Text.RegularExpressions;

namespace PsyLite.ModelStore;

/// <summary>What a person writes to name a model that is elsewhere.</summary>
internal abstract partial record ModelReference
{
    /// <summary>How the model is named here once it has been pulled.</summary>
    public abstract string Id { get; }

    /// <summary>
    /// Reads <c>hf:owner/repo[@revision][/file.gguf]</c>, or <c>[host/][namespace/]model[:tag]</c> as Ollama writes it.
    /// </summary>
    /// <exception cref="FormatException">It is neither; the message says how to write one.</exception>
    public static ModelReference Parse(string text) => text.StartsWith("hf:", StringComparison.Ordinal) ? HuggingFace(text) : Ollama(text);

    private static HuggingFaceReference HuggingFace(string text)
    {
        var match = HuggingFacePattern().Match(text);
        if (!match.Success || match.Groups["file"].Value.Split('/').Any(part => part is "." or ".."))
        {
            throw new FormatException($"{text} is not a HuggingFace reference: write hf:owner/repo@commit/file.gguf.");
        }

        string? Group(string name) => match.Groups[name] is { Success: true, Value: var value } ? value : null;
        return new HuggingFaceReference(match.Groups["repo"].Value, Group("revision"), Group("file"));
    }

    private static OllamaReference Ollama(string text)
    {
        var match = OllamaPattern().Match(text);
        if (!match.Success)
        {
            throw new FormatException($"{text} is not a model reference: write name:tag, namespace/name:tag or hf:owner/repo@commit/file.gguf.");
        }

        string Group(string name, string fallback) => match.Groups[name] is { Success: true, Value: var value } ? value : fallback;
        return new OllamaReference(Group("host", OllamaReference.DefaultHost), Group("space", OllamaReference.DefaultNamespace), match.Groups["name"].Value, Group("tag", "latest"));
    }

    [GeneratedRegex(@"\Ahf:(?<repo>[A-Za-z0-9_-][A-Za-z0-9._-]{0,95}/[A-Za-z0-9_-][A-Za-z0-9._-]{0,95})(@(?<revision>[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}))?(/(?<file>[^\s\\?#%:/][^\s\\?#%:]{0,254}\.gguf))?\z")]
    private static partial Regex HuggingFacePattern();

    [GeneratedRegex(@"\A((?<host>[A-Za-z0-9](-?[A-Za-z0-9.])*(:[0-9]{1,5})?)/(?=[^/]+/))?((?<space>[A-Za-z0-9_][A-Za-z0-9._-]{0,79})/)?(?<name>[A-Za-z0-9_][A-Za-z0-9._-]{0,79})(:(?<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,79}))?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex OllamaPattern();
}

/// <summary>A model in a registry that speaks Ollama's protocol.</summary>
internal sealed record OllamaReference(string Host, string Namespace, string Name, string Tag) : ModelReference
{
    public const string DefaultHost = "registry.ollama.ai";
    public const string DefaultNamespace = "library";

    public override string Id => $"{(Host == DefaultHost ? "" : Host + "/")}{(Namespace == DefaultNamespace && Host == DefaultHost ? "" : Namespace + "/")}{Name}:{Tag}";
}

/// <summary>A GGUF file in a HuggingFace repository.</summary>
/// <param name="Revision">Commit, branch or tag; null is the main branch.</param>
/// <param name="File">Path in the repository; null where it holds only one.</param>
internal sealed partial record HuggingFaceReference(string Repository, string? Revision, string? File) : ModelReference
{
    /// <summary>Without the revision: a newer commit of the same file takes the place of an older one.</summary>
    public override string Id => $"hf:{Repository}/{File}";

    public bool IsPinned => Revision is not null && Commit().IsMatch(Revision);

    [GeneratedRegex(@"\A[0-9a-f]{40}\z")]
    public static partial Regex Commit();
}
