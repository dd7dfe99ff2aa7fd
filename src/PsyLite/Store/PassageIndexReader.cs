using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using PsyLite.Agent.Retrieval;

namespace PsyLite.Store;

/// <summary>
/// One connection to an index and the search over it. The work of a search is bounded whatever is asked and however large the index is:
/// the rarest grams of the words are looked up first, until <see cref="PostingBudget"/> postings are read, and only the
/// <see cref="Rescored"/> passages that share most with the words are read and weighed by BM25. For one thread at a time.
/// </summary>
internal sealed class PassageIndexReader : IDisposable
{
    private const int PostingBudget = 4000;
    private const int PostingsOfOneGram = 2500;
    private const int Rescored = 48;
    private const int MostGrams = 64;
    private const int LongestWords = 400;

    /// <summary>A character of a title or a theme counts a little; a triple only repeats what its two pairs said, but points to fewer passages.</summary>
    private const double SingleWeight = 0.3;
    private const double TripleWeight = 0.5;

    /// <summary>Weight of what a passage shares by title, theme and triple beside its BM25 over pairs.</summary>
    private const double SharedWeight = 0.15;
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _commonCount;
    private readonly SqliteCommand _pairs;
    private readonly SqliteCommand _triples;
    private readonly SqliteCommand _passage;

    public PassageIndexReader(string path)
    {
        _connection = PassageIndexFile.OpenToRead(path);
        try
        {
            Facts = PassageIndexFile.ReadFacts(_connection);
            _commonCount = Prepare("SELECT passages FROM common WHERE gram = $1");
            _pairs = Prepare("SELECT rowid FROM pairs WHERE pairs MATCH $1 LIMIT $2");
            _triples = Prepare("SELECT rowid FROM triples WHERE triples MATCH $1 LIMIT $2");
            _passage = Prepare("SELECT key, content FROM passages WHERE id = $1");
        }
        catch
        {
            _connection.Dispose();
            throw;
        }
    }

    public PassageIndexFacts Facts { get; }

    public void Dispose()
    {
        _commonCount.Dispose();
        _pairs.Dispose();
        _triples.Dispose();
        _passage.Dispose();
        _connection.Dispose();
    }

    /// <summary>The passages that share most with the words, best first, with their numbers in the index.</summary>
    public IReadOnlyList<(long Id, PassageHit Hit)> Search(string words, int most, CancellationToken cancellationToken)
    {
        var folded = PassageGrams.Fold(words.Length > LongestWords ? words[..LongestWords] : words);
        var grams = Grams(folded).OrderBy(g => g.Passages).ToArray();
        var scores = new Dictionary<long, double>();
        var left = PostingBudget;
        Collect(grams, scores, ref left, cancellationToken);
        Collect(Singles(folded, grams), scores, ref left, cancellationToken);
        var best = scores.OrderByDescending(s => s.Value).ThenBy(s => s.Key).Take(Math.Max(Rescored, most)).OrderBy(s => s.Key).ToList();
        var rarities = grams.Where(g => g.Gram.Length == 2).Select(g => Bm25.Rarity(Facts.Passages, g.Passages)).ToArray();
        var pairs = grams.Where(g => g.Gram.Length == 2).Select((g, i) => (Key: Key(g.Gram[0], g.Gram[1]), i)).ToDictionary(p => p.Key, p => p.i);
        var found = new List<(long Id, PassageHit Hit)>(best.Count);
        foreach (var (id, shared) in best)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Passage(id) is var (key, content))
            {
                found.Add((id, new PassageHit(key, Weigh(content, pairs, rarities) + (SharedWeight * shared), content)));
            }
        }

        return [.. found.OrderByDescending(f => f.Hit.Score).ThenBy(f => f.Id).Take(most)];
    }

    /// <summary>A passage by its number; null when there is none.</summary>
    public (string Key, string Content)? Passage(long id)
    {
        _passage.Parameters[0].Value = id;
        using var row = _passage.ExecuteReader();
        return row.Read() ? (row.GetString(0), row.GetString(1)) : null;
    }

    public bool Holds(string key)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT 1 FROM passages WHERE key = $1";
        command.Parameters.AddWithValue("$1", key);
        return command.ExecuteScalar() is not null;
    }

    /// <summary>All contents with their keys, for carrying an index over into a new one.</summary>
    public IEnumerable<(string Key, string Content)> All()
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT key, content FROM passages ORDER BY id";
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            yield return (rows.GetString(0), rows.GetString(1));
        }
    }

    /// <summary>
    /// The grams to look up with the passages that hold them. A triple is looked up only where both its pairs are so common that their
    /// postings would not all be read: elsewhere its passages are among the pairs' own.
    /// </summary>
    private List<(string Gram, long Passages)> Grams(string folded)
    {
        var grams = PassageGrams.Of(folded, 2).Distinct().Take(MostGrams).Select(gram => (Gram: gram, Passages: CountOf(gram))).ToList();
        var counts = grams.ToDictionary(g => g.Gram, g => g.Passages);
        var common = PassageGrams.Of(folded, 3).Distinct().Take(MostGrams)
            .Where(t => Math.Min(counts.GetValueOrDefault(t[..2]), counts.GetValueOrDefault(t[1..])) > PostingsOfOneGram).ToList();
        grams.AddRange(common.Select(gram => (gram, CountOf(gram))));
        return grams;
    }

    /// <summary>Characters that no pair of the words accounts for: 猫 in 我家猫, where no passage has 家猫 and a title may have 猫.</summary>
    private (string Gram, long Passages)[] Singles(string folded, (string Gram, long Passages)[] pairs) =>
    [
        .. PassageGrams.Of(folded, 1).Distinct().Where(c => !pairs.Any(p => p.Passages > 0 && p.Gram.Contains(c, StringComparison.Ordinal)))
            .Take(MostGrams).Select(c => (c, CountOf(c))),
    ];

    /// <summary>How much of the words each passage shares, from the rarest grams on, until the budget is spent.</summary>
    private void Collect((string Gram, long Passages)[] grams, Dictionary<long, double> scores, ref int left, CancellationToken cancellationToken)
    {
        for (var i = 0; i < grams.Length && left > 0; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var holding = Holding(grams[i].Gram, Math.Min(left, PostingsOfOneGram));
            left -= holding.Count;
            if (grams[i].Passages < PassageIndexFile.CommonFrom)
            {
                // All postings of a rare gram have just been read, so its number is exact from here on.
                grams[i].Passages = holding.Count;
            }

            var weight = Bm25.Rarity(Facts.Passages, grams[i].Passages) * grams[i].Gram.Length switch { 1 => SingleWeight, 3 => TripleWeight, _ => 1 };
            foreach (var id in holding)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(scores, id, out _) += weight;
            }
        }
    }

    private List<long> Holding(string gram, int most)
    {
        var command = gram.Length == 3 ? _triples : _pairs;
        command.Parameters[0].Value = $"\"{gram}\"";
        command.Parameters[1].Value = most;
        using var rows = command.ExecuteReader();
        var ids = new List<long>();
        while (rows.Read())
        {
            ids.Add(rows.GetInt64(0));
        }

        return ids;
    }

    private double Weigh(string content, Dictionary<uint, int> pairs, double[] rarities)
    {
        Span<int> counts = stackalloc int[MostGrams];
        counts.Clear();
        var folded = PassageGrams.Fold(content);
        for (var i = 0; i + 1 < folded.Length; i++)
        {
            if (pairs.TryGetValue(Key(folded[i], folded[i + 1]), out var at))
            {
                counts[at]++;
            }
        }

        var score = 0.0;
        for (var i = 0; i < rarities.Length; i++)
        {
            score += counts[i] == 0 ? 0 : rarities[i] * Bm25.Saturation(counts[i], content.Length, Facts.AverageLength);
        }

        return score;
    }

    private static uint Key(char first, char second) => ((uint)first << 16) | second;

    /// <summary>Passages with the gram: exact where that is many, else a number below <see cref="PassageIndexFile.CommonFrom"/>.</summary>
    private long CountOf(string gram)
    {
        _commonCount.Parameters[0].Value = gram;
        return _commonCount.ExecuteScalar() is long count ? count : PassageIndexFile.CommonFrom / 4;
    }

    private SqliteCommand Prepare(string sql)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 1; sql.Contains($"${i}", StringComparison.Ordinal); i++)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = $"${i}" });
        }

        return command;
    }
}
