using Microsoft.Data.Sqlite;
using Microsoft.Extensions.AI;
using PsyLite.Agent.Humour;

namespace PsyLite.Store;

/// <summary>What became of an import.</summary>
/// <param name="Refused">Each refused entry with the file, its line, its id and the reason.</param>
internal sealed record ImportReport(long Imported, long Kept, IReadOnlyList<string> Refused);

/// <summary>
/// Takes an operator's pieces into the index on disk. Every piece is vetted as ours are; pieces that are there already stay, and one that
/// comes again under its id is replaced.
/// </summary>
internal sealed class CrosstalkImport(string target, IEmbeddingGenerator<string, Embedding<float>>? embedder)
{
    /// <summary>Texts sent to an embedding generator at a time.</summary>
    private const int Batch = 64;

    /// <summary>Reasons kept for the report; a file with more faults than that needs another look as a whole.</summary>
    private const int MostReasons = 1000;
    private readonly List<string> _refused = [];
    private readonly HashSet<string> _ids = [];

    public async Task<ImportReport> RunAsync(IEnumerable<string> files, CancellationToken cancellationToken)
    {
        var waiting = new List<CrosstalkPiece>();
        long imported = 0;
        PassageIndexWriter? writer = null;
        try
        {
            foreach (var piece in files.SelectMany(Vetted))
            {
                cancellationToken.ThrowIfCancellationRequested();
                imported++;
                waiting.Add(piece);
                if (waiting.Count == Batch)
                {
                    writer = await WriteAsync(writer, waiting, cancellationToken);
                }
            }

            if (imported == 0)
            {
                return new ImportReport(0, 0, _refused);
            }

            writer = await WriteAsync(writer, waiting, cancellationToken);
            foreach (var piece in Earlier())
            {
                waiting.Add(piece);
                if (waiting.Count == Batch)
                {
                    await WriteAsync(writer, waiting, cancellationToken);
                }
            }

            await WriteAsync(writer, waiting, cancellationToken);
            var total = writer!.Count;
            writer.Publish();
            return new ImportReport(imported, total - imported, _refused);
        }
        finally
        {
            writer?.Dispose();
        }
    }

    private IEnumerable<CrosstalkPiece> Vetted(string path)
    {
        foreach (var entry in CrosstalkReader.ReadFile(path))
        {
            var fault = entry.Fault ?? CrosstalkVetting.ImportFault(entry.Piece!)
                ?? (_ids.Add(entry.Piece!.Id) ? null : "its id was used on an earlier line.");
            if (fault is null)
            {
                yield return entry.Piece!;
            }
            else if (_refused.Count < MostReasons)
            {
                _refused.Add($"{path}:{entry.Line}: {entry.Piece?.Id ?? "-"}: {fault}");
            }
        }
    }

    /// <summary>The pieces of the index so far; a file that is no index any more is left behind.</summary>
    private IEnumerable<CrosstalkPiece> Earlier()
    {
        if (!File.Exists(target))
        {
            yield break;
        }

        using var reader = OpenEarlier();
        if (reader is null)
        {
            yield break;
        }

        foreach (var (key, content) in reader.All())
        {
            if (!_ids.Contains(key) && CrosstalkReader.ReadJsonPiece(content).Piece is { } piece && CrosstalkVetting.ImportFault(piece) is null)
            {
                yield return piece;
            }
        }
    }

    private PassageIndexReader? OpenEarlier()
    {
        try
        {
            return new PassageIndexReader(target);
        }
        catch (Exception fault) when (fault is SqliteException or InvalidDataException)
        {
            _refused.Add($"{target}: the earlier index is not readable ({fault.Message}) and was replaced.");
            return null;
        }
    }

    private async Task<PassageIndexWriter?> WriteAsync(PassageIndexWriter? writer, List<CrosstalkPiece> pieces, CancellationToken cancellationToken)
    {
        if (pieces.Count == 0)
        {
            return writer;
        }

        var texts = pieces.Select(p => (Head: $"{p.Title} {string.Join(' ', p.Themes)}", Body: string.Join('\n', p.Lines))).ToList();
        var vectors = embedder is null ? null : await embedder.GenerateAsync(texts.Select(t => $"{t.Head}\n{t.Body}"), cancellationToken: cancellationToken);
        writer ??= new PassageIndexWriter(target, vectors?[0].Vector.Length ?? 0);
        for (var i = 0; i < pieces.Count; i++)
        {
            writer.Add(pieces[i].Id, texts[i].Head, texts[i].Body, CrosstalkReader.ToJson(pieces[i]), vectors is null ? default : vectors[i].Vector.Span);
        }

        pieces.Clear();
        return writer;
    }
}
