using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using PsyLite.Agent.Retrieval;

namespace PsyLite.Store;

/// <summary>
/// Writes an index under another name, checks it, and puts it in its place with one rename: a reader sees the old index or the new one
/// and never a half of either.
/// </summary>
internal sealed class PassageIndexWriter : IDisposable
{
    private readonly string _target;
    private readonly string _part;
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _passage;
    private readonly SqliteCommand _pairs;
    private readonly SqliteCommand _triples;
    private readonly VectorFileWriter? _vectors;
    private readonly StringBuilder _grams = new();
    private string? _firstKey;
    private string _lastKey = "";
    private long _count;
    private long _characters;
    private bool _isPublished;

    /// <param name="dimensions">Numbers in each vector; 0 for an index without embeddings.</param>
    public PassageIndexWriter(string target, int dimensions = 0)
    {
        _target = Path.GetFullPath(target);
        Directory.CreateDirectory(Path.GetDirectoryName(_target)!);
        _part = $"{_target}.{Guid.NewGuid():N}.part";
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = _part, Pooling = false }.ConnectionString);
        _connection.Open();

        // Nobody reads this file before it is whole, and a crash only leaves a .part behind, so no journal is needed.
        Execute("PRAGMA page_size=8192; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-131072");
        Execute(PassageIndexFile.Schema);
        Execute("BEGIN");
        _passage = Prepare("INSERT INTO passages(id, key, content) VALUES($1, $2, $3)", 3);
        _pairs = Prepare("INSERT INTO pairs(rowid, grams) VALUES($1, $2)", 2);
        _triples = Prepare("INSERT INTO triples(rowid, runs) VALUES($1, $2)", 2);
        _vectors = dimensions > 0 ? new VectorFileWriter(_part + ".vec", dimensions) : null;
    }

    public long Count => _count;

    /// <param name="head">Title and themes: even their single characters are found.</param>
    /// <param name="content">What a search gives back.</param>
    public void Add(string key, string head, string body, string content, ReadOnlySpan<float> vector = default)
    {
        _count++;
        _characters += content.Length;
        _firstKey ??= key;
        _lastKey = key;
        Run(_passage, _count, key, content);
        var foldedHead = PassageGrams.Fold(head);
        var folded = $"{foldedHead}\n{PassageGrams.Fold(body)}";
        Run(_pairs, _count, Spaced(PassageGrams.Of(folded, 2).Concat(PassageGrams.Of(foldedHead, 1))));
        Run(_triples, _count, Runs(folded));
        _vectors?.Add(vector);
    }

    /// <summary>Finishes, checks and publishes the index; afterwards only <see cref="Dispose"/> may be called.</summary>
    public void Publish()
    {
        Execute("COMMIT");
        Execute("INSERT INTO pairs(pairs) VALUES('optimize'); INSERT INTO triples(triples) VALUES('optimize')");
        Execute("CREATE VIRTUAL TABLE temp.pair_terms USING fts5vocab(main, pairs, row); CREATE VIRTUAL TABLE temp.triple_terms USING fts5vocab(main, triples, row)");
        Execute($"INSERT INTO common SELECT term, doc FROM pair_terms WHERE doc >= {PassageIndexFile.CommonFrom}");
        Execute($"INSERT OR IGNORE INTO common SELECT term, doc FROM triple_terms WHERE doc >= {PassageIndexFile.CommonFrom}");
        var vectors = _vectors is null ? null : $"{Path.GetFileName(_target)}.{Guid.NewGuid():N}.vec";
        Tell("format", PassageIndexFile.Format);
        Tell("passages", _count.ToString(CultureInfo.InvariantCulture));
        Tell("averageLength", Math.Max(1, _characters / (double)Math.Max(1, _count)).ToString(CultureInfo.InvariantCulture));
        if (vectors is not null)
        {
            Tell("vectors", vectors);
        }

        Close();
        Verify();
        FlushToDisk(_part);
        if (vectors is not null)
        {
            _vectors!.Dispose();
            FlushToDisk(_part + ".vec");
            File.Move(_part + ".vec", Path.Combine(Path.GetDirectoryName(_target)!, vectors));
        }

        File.Move(_part, _target, overwrite: true);
        _isPublished = true;
        foreach (var old in Directory.EnumerateFiles(Path.GetDirectoryName(_target)!, Path.GetFileName(_target) + ".*.vec").Where(f => Path.GetFileName(f) != vectors))
        {
            File.Delete(old);
        }
    }

    public void Dispose()
    {
        Close();
        _vectors?.Dispose();
        if (!_isPublished)
        {
            File.Delete(_part);
            File.Delete(_part + ".vec");
        }
    }

    /// <summary>Opens the finished file the way a search will: everything must be there, and its first and last passage must be found.</summary>
    private void Verify()
    {
        using var connection = PassageIndexFile.OpenToRead(_part);
        var facts = PassageIndexFile.ReadFacts(connection);
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT (SELECT count(*) FROM passages), (SELECT group_concat(quick_check) FROM pragma_quick_check)";
        using var row = command.ExecuteReader();
        row.Read();
        if (row.GetInt64(0) != _count || facts.Passages != _count || row.GetString(1) != "ok")
        {
            throw new InvalidDataException($"the new index does not hold what was written to it ({row.GetString(1)}); is the disk full? The old index stays in use.");
        }

        command.Dispose();
        using var search = new PassageIndexReader(_part);
        foreach (var key in new[] { _firstKey, _lastKey }.OfType<string>())
        {
            if (!search.Holds(key))
            {
                throw new InvalidDataException("the new index does not find what was written to it. The old index stays in use.");
            }
        }
    }

    private static void FlushToDisk(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
    }

    private string Spaced(IEnumerable<string> grams)
    {
        _grams.Clear();
        foreach (var gram in grams.Distinct())
        {
            _grams.Append(gram).Append(' ');
        }

        return _grams.ToString();
    }

    /// <summary>The text with one break wherever something stands that no gram crosses.</summary>
    private string Runs(string folded)
    {
        _grams.Clear();
        foreach (var c in folded)
        {
            if (PassageGrams.IsMeaningful(c))
            {
                _grams.Append(c);
            }
            else if (_grams.Length > 0 && _grams[^1] != '\n')
            {
                _grams.Append('\n');
            }
        }

        return _grams.ToString();
    }

    private void Close()
    {
        _passage.Dispose();
        _pairs.Dispose();
        _triples.Dispose();
        _connection.Dispose();
    }

    private void Tell(string key, string value)
    {
        using var command = Prepare("INSERT INTO meta VALUES($1, $2)", 2);
        Run(command, key, value);
    }

    private SqliteCommand Prepare(string sql, int parameters)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 1; i <= parameters; i++)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = $"${i}" });
        }

        return command;
    }

    private static void Run(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i];
        }

        command.ExecuteNonQuery();
    }

    private void Execute(string sql) => PassageIndexFile.Execute(_connection, sql);
}
