using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace PsyLite.Agent.Humour;

/// <summary>All pieces that passed the vetting, with the search over them. Immutable and safe to share.</summary>
public sealed class CrosstalkLibrary
{
    private static readonly string[] AnyDayThemes = ["喜事", "庆祝", "日常", "生活", "吃喝", "朋友"];
    private readonly PassageIndex _index;

    public CrosstalkLibrary(IEnumerable<CrosstalkPiece> pieces)
    {
        Pieces = [.. pieces];
        _index = new PassageIndex(Pieces.Select(p =>
            $"{p.Title} {p.Title} {string.Join(' ', p.Themes)} {string.Join(' ', p.Themes)} {string.Join(' ', p.Lines)}"));
    }

    /// <summary>A library without pieces: humour is simply never offered.</summary>
    public static CrosstalkLibrary Empty { get; } = new([]);

    public IReadOnlyList<CrosstalkPiece> Pieces { get; }

    /// <summary>Reads every *.yaml of a folder; a folder that does not exist gives an empty library.</summary>
    public static CrosstalkLibrary FromFolder(string folder) => Directory.Exists(folder)
        ? new(Directory.EnumerateFiles(folder, "*.yaml").Order(StringComparer.Ordinal).SelectMany(path =>
        {
            using var reader = new StreamReader(path);
            return Read(reader, Path.GetFileName(path)).ToList();
        }))
        : Empty;

    /// <summary>The pieces of one YAML file; throws a <see cref="FormatException"/> that names the piece and the fault.</summary>
    public static IEnumerable<CrosstalkPiece> Read(TextReader reader, string source)
    {
        var yaml = new YamlStream();
        try
        {
            yaml.Load(reader);
        }
        catch (Exception fault) when (fault is YamlException or InvalidOperationException or ArgumentException)
        {
            // The parser throws its own exceptions for most broken files and general ones for a few.
            var line = fault is YamlException at ? $" (line {at.Start.Line})" : "";
            throw new FormatException($"{source} is no readable YAML{line}: correct the file.", fault);
        }

        if (yaml.Documents.Count == 0)
        {
            return [];
        }

        var root = yaml.Documents[0].RootNode;
        var list = root as YamlSequenceNode ?? (root as YamlMappingNode)?.Children.Values.OfType<YamlSequenceNode>().FirstOrDefault()
            ?? throw new FormatException($"{source} holds no list of pieces.");
        return [.. list.Select(node => ReadPiece(node as YamlMappingNode ?? throw new FormatException($"{source} holds an entry that is no piece."), source))];
    }

    /// <summary>
    /// The piece that fits the words best, was not offered yet and is not unfit for anything in <paramref name="recent"/>; a piece for any
    /// good day when none shares a word with them.
    /// </summary>
    public CrosstalkPiece? Find(string words, string recent, ISet<string> offered)
    {
        bool Fits(CrosstalkPiece piece) => !offered.Contains(piece.Id) && !piece.Unfit.Any(u => recent.Contains(u, StringComparison.Ordinal));
        var found = _index.Search(words, Pieces.Count).Select(hit => Pieces[hit.Passage]).FirstOrDefault(Fits);
        return found ?? Pieces.Where(Fits).OrderByDescending(p => p.Themes.Any(t => AnyDayThemes.Contains(t))).FirstOrDefault();
    }

    private static CrosstalkPiece ReadPiece(YamlMappingNode node, string source)
    {
        var id = node.Text("id") ?? throw new FormatException($"{source} holds a piece without an id.");
        var piece = new CrosstalkPiece(id, node.Text("title") ?? "", [.. node.Strings("themes")], node.Text("tone") ?? "",
            [.. node.Strings("unfit")], [.. node.Strings("lines")]);
        return CrosstalkVetting.Fault(piece) is { } fault ? throw new FormatException($"{source}: piece {id}: {fault}") : piece;
    }
}
