using System.Globalization;
using System.Text.RegularExpressions;

namespace PsyLite.Models.HuggingFace;

/// <summary>What the name of a model's folder or repository tells about it, for the descriptive keys of a GGUF file.</summary>
/// <remarks>Source: the rules of gguf-py/gguf/metadata.py (get_model_id_components, id_to_title) and utility.py (size_label) of llama.cpp v0.5.0.</remarks>
public sealed partial record ModelName(string? Name, string? Organization, string? Basename, string? Finetune, string? Version, string? SizeLabel)
{
    /// <summary>Reads a model's names.</summary>
    /// <param name="config">Its _name_or_path goes first, when it is a name and no path.</param>
    /// <param name="folder">Name of the folder; fills in what is still unknown.</param>
    /// <param name="parameters">Number of weights.</param>
    public static ModelName Of(HuggingFaceConfig config, string folder, long parameters)
    {
        var (own, byFolder) = (Parse(config.NameOrPath is { } name && name.Count(c => c == '/') <= 1 ? name : null, parameters), Parse(folder, parameters));
        return new ModelName(
            own.Name ?? byFolder.Name ?? folder, own.Organization ?? byFolder.Organization, own.Basename ?? byFolder.Basename,
            own.Finetune ?? byFolder.Finetune, own.Version ?? byFolder.Version, own.SizeLabel ?? byFolder.SizeLabel ?? Rounded(parameters));
    }

    private static ModelName Parse(string? id, long parameters)
    {
        if (id is null || id.Contains(' ', StringComparison.Ordinal))
        {
            return new ModelName(id is null ? null : Title(id), null, null, null, null, null);
        }

        var slash = id.IndexOf('/');
        var (organization, full) = slash < 0 ? (null, id) : (id[..slash], id[(slash + 1)..]);
        var parts = full.Split('-', StringSplitOptions.RemoveEmptyEntries).Select((text, index) => Annotated(text, index, parameters)).ToList();
        if (parts.Any(p => p.Kind == Kind.Size && p.Text.Any(char.IsAsciiDigit)))
        {
            parts = [.. parts.Select(p => p.Kind == Kind.Size && p.Text.All(char.IsAsciiLetter) ? p with { Kind = Kind.None } : p)];
        }

        // The name itself: words and versions at the start, without the versions that end them.
        var start = parts.TakeWhile(p => p.Kind == Kind.Version || (p.Kind == Kind.None && char.IsAsciiLetter(p.Text[0]))).Count();
        var baseCount = start;
        if (start == parts.Count)
        {
            while (baseCount > 0 && parts[baseCount - 1].Kind == Kind.Version)
            {
                baseCount--;
            }
        }

        string? Join(IEnumerable<Part> of) => string.Join('-', of.Select(p => p.Text)) is { Length: > 0 } joined ? joined : null;
        var basename = Join(parts.Take(baseCount));
        var size = Join(parts.Where(p => p.Kind == Kind.Size).DistinctBy(p => p.Text));
        var finetune = Join(parts.Where((p, i) => p.Kind == Kind.Finetune || (p.Kind == Kind.None && i >= start)));
        var version = Join(parts.Where((p, i) => p.Kind == Kind.Version && i >= baseCount));
        return new ModelName(
            Title(full), organization is { Length: > 0 } && organization[0] != '.' ? Title(organization) : null,
            size is null && finetune is null && version is null ? null : basename, finetune, version, size);
    }

    private static Part Annotated(string text, int index, long parameters)
    {
        if (VersionPattern().IsMatch(text))
        {
            return new Part(text, Kind.Version);
        }

        if (TypePattern().IsMatch(text))
        {
            return new Part(text.ToUpperInvariant(), Kind.Type);
        }

        if (index > 0 && SizePattern().IsMatch(text))
        {
            return Sized(text.Replace('_', '.'), parameters);
        }

        return new Part(text, index > 0 && FinetunePattern().IsMatch(text) ? Kind.Finetune : Kind.None);
    }

    /// <summary>7b to 7B, 7b1 to 7.1B; a number far from the model's size is a context length instead.</summary>
    private static Part Sized(string text, long parameters)
    {
        if (char.IsAsciiDigit(text[^1]))
        {
            text = $"{text[..^2]}.{text[^1]}{text[^2]}";
        }

        if (text.Length > 1 && char.IsAsciiDigit(text[^2]) && text[^1] is 'k' or 'm' or 'b' or 't')
        {
            text = text[..^1] + char.ToUpperInvariant(text[^1]);
        }

        if (text.Length > 1 && double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && "KMBT".IndexOf(text[^1]) is >= 0 and var power
            && Math.Abs((number * Math.Pow(1000, power + 1)) - parameters) > 7 * parameters / 8)
        {
            return new Part(text[..^1] + char.ToLowerInvariant(text[^1]), Kind.Finetune);
        }

        return new Part(text, Kind.Size);
    }

    /// <summary>Two significant digits: 7.7B, 120M, 12K.</summary>
    private static string Rounded(long parameters)
    {
        var (scaled, suffix) = parameters switch
        {
            > 1_000_000_000_000 => (parameters * 1e-12, "T"),
            > 1_000_000_000 => (parameters * 1e-9, "B"),
            > 1_000_000 => (parameters * 1e-6, "M"),
            _ => (parameters * 1e-3, "K"),
        };
        var whole = Math.Round(scaled).ToString(CultureInfo.InvariantCulture).TrimStart('0').Length;
        return scaled.ToString("F" + Math.Max(2 - whole, 0), CultureInfo.InvariantCulture) + suffix;
    }

    private static string Title(string text) => string.Join(' ', text.Trim().Replace('-', ' ').Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(word => word.Any(char.IsLower) && !word.Any(char.IsUpper) && !NumberPattern().IsMatch(word) ? Capitalised(word) : word));

    /// <summary>As Python's str.title: every run of letters begins with a capital.</summary>
    private static string Capitalised(string word) => string.Concat(word.Select((c, i) => i == 0 || !char.IsLetter(word[i - 1]) ? char.ToUpperInvariant(c) : c));

    private enum Kind
    {
        None,
        Version,
        Type,
        Size,
        Finetune,
    }

    private readonly record struct Part(string Text, Kind Kind);

    [GeneratedRegex(@"^(v|iter)?\d+([.]\d+)*$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex VersionPattern();

    [GeneratedRegex(@"^(i?q\d(_\w)*|b?fp?(16|32))$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex TypePattern();

    [GeneratedRegex(@"^((([A]|\d+[x])?\d+([._]\d+)?[KMBT][\d]?)|small|mini|medium|large|x?xl)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex SizePattern();

    [GeneratedRegex("^(chat|instruct|vision|lora)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex FinetunePattern();

    [GeneratedRegex(@"^(v\d+(?:\.\d+)*|\d.*)$", RegexOptions.CultureInvariant)]
    private static partial Regex NumberPattern();
}
