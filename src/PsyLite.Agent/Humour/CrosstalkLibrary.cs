using PsyLite.Agent.Retrieval;

namespace PsyLite.Agent.Humour;

/// <summary>
/// The pieces that passed the vetting, with the search over them: our own in memory, an operator's on disk where there are any.
/// Immutable and safe to share.
/// </summary>
public sealed class CrosstalkLibrary
{
    /// <summary>Pieces asked of the search on disk: enough that some remain when those already offered and those unfit are left out.</summary>
    private const int MostStored = 24;
    /// <summary>What a theme that was asked for more of adds to a score: about four places among the first.</summary>
    private const double LikedWeight = 0.001;
    private static readonly string[] AnyDayThemes = ["喜事", "庆祝", "日常", "生活", "吃喝", "朋友"];
    private readonly PassageIndex _index;
    private readonly IPassageSearch? _stored;

    /// <param name="stored">A search on disk; it should be guarded, because a turn waits for it.</param>
    public CrosstalkLibrary(IEnumerable<CrosstalkPiece> pieces, IPassageSearch? stored = null)
    {
        Pieces = [.. pieces];
        _index = new PassageIndex(Pieces.Select(p => p.IndexText));
        _stored = stored;
    }

    /// <summary>A library without pieces: humour is simply never offered.</summary>
    public static CrosstalkLibrary Empty { get; } = new([]);

    /// <summary>The pieces in memory.</summary>
    public IReadOnlyList<CrosstalkPiece> Pieces { get; }

    /// <summary>Reads every *.yaml of a folder; a folder that does not exist gives an empty library.</summary>
    public static CrosstalkLibrary FromFolder(string folder, IPassageSearch? stored = null) => new(
        Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder, "*.yaml").Order(StringComparer.Ordinal).SelectMany(path =>
            {
                using var reader = new StreamReader(path);
                return Read(reader, Path.GetFileName(path)).ToList();
            })
            : [],
        stored);

    /// <summary>The pieces of one YAML file; throws a <see cref="FormatException"/> that names the piece and the fault.</summary>
    public static IEnumerable<CrosstalkPiece> Read(TextReader reader, string source) =>
        CrosstalkReader.ReadYaml(reader, source).Select(entry =>
        {
            var fault = entry.Fault ?? CrosstalkVetting.Fault(entry.Piece!);
            return fault is null ? entry.Piece! : throw new FormatException($"{source}, line {entry.Line}: {entry.Piece?.Id ?? "an entry"}: {fault}");
        });

    /// <summary>
    /// The piece that fits the situation best, was not offered yet and is not unfit for anything that was said; a piece for any good day
    /// when none shares a word with it.
    /// </summary>
    public async ValueTask<CrosstalkPiece?> FindAsync(Situation situation, ISet<string> offered, CancellationToken cancellationToken = default)
    {
        bool Fits(CrosstalkPiece piece) => !offered.Contains(piece.Id) && !offered.Contains(piece.Title) && !situation.MakesUnfit(piece);
        var own = _index.Search(situation.Words, Pieces.Count).Select(hit => Pieces[hit.Passage]);
        var stored = await StoredAsync(situation.Words, cancellationToken);
        return RankFusion.Fuse(own, stored).OrderByDescending(f => f.Score + LikedWeight * situation.LikedThemes(f.Key)).ThenByDescending(f => situation.SharedThemes(f.Key)).Select(f => f.Key).FirstOrDefault(Fits)
            ?? Pieces.Where(Fits).OrderByDescending(situation.LikedThemes).ThenByDescending(p => p.Themes.Any(t => AnyDayThemes.Contains(t))).FirstOrDefault();
    }

    /// <summary>What a file on disk says is vetted once more before anybody sees it.</summary>
    private async ValueTask<IReadOnlyList<CrosstalkPiece>> StoredAsync(string words, CancellationToken cancellationToken)
    {
        if (_stored is null || words.Length == 0)
        {
            return [];
        }

        var hits = await _stored.SearchAsync(words, MostStored, cancellationToken);
        return [.. hits.Select(h => CrosstalkReader.ReadJsonPiece(h.Content).Piece).OfType<CrosstalkPiece>().Where(p => CrosstalkVetting.ImportFault(p) is null)];
    }
}
