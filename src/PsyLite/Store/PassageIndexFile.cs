using System.Globalization;
using Microsoft.Data.Sqlite;

namespace PsyLite.Store;

/// <summary>
/// The layout of an index of passages: one SQLite file that is written once, then only read.
/// <para>
/// <c>pairs</c> and <c>triples</c> are FTS5 tables without content, positions or sizes (docs/experiments.md has what each leaves out in
/// bytes): the pairs are cut by us, because the trigram tokenizer knows no word of two characters; the triples are FTS5's own. <c>common</c>
/// holds how many passages have a gram where that is many, so that a search knows the price of a gram before it reads the postings; a
/// gram that is not in it is rare and cheap.
/// </para>
/// </summary>
internal static class PassageIndexFile
{
    public const string Format = "psylite-passages-1";

    /// <summary>Passages from which a gram counts as common.</summary>
    public const int CommonFrom = 64;

    public const string Schema = """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE passages(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, content TEXT NOT NULL);
        CREATE VIRTUAL TABLE pairs USING fts5(grams, content='', detail=none, columnsize=0, tokenize='unicode61 remove_diacritics 0');
        CREATE VIRTUAL TABLE triples USING fts5(runs, content='', detail=none, columnsize=0, tokenize='trigram');
        CREATE TABLE common(gram TEXT PRIMARY KEY, passages INTEGER NOT NULL) WITHOUT ROWID;
        """;

    /// <summary>
    /// A connection that only reads. "immutable" is a promise we keep (an index is replaced as a whole, never changed), in return for which
    /// SQLite takes no lock and waits for none. No memory map: its read-ahead makes a search on a cold disk twenty times slower.
    /// </summary>
    public static SqliteConnection OpenToRead(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = new Uri(Path.GetFullPath(path)).AbsoluteUri + "?immutable=1",
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
        }.ConnectionString);
        try
        {
            connection.Open();
            Execute(connection, "PRAGMA mmap_size=0; PRAGMA cache_size=-8192; PRAGMA query_only=ON; PRAGMA trusted_schema=OFF");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Counts and names that the file says of itself; throws an <see cref="InvalidDataException"/> when it is no index of ours.</summary>
    public static PassageIndexFacts ReadFacts(SqliteConnection connection)
    {
        var values = new Dictionary<string, string>();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT key, value FROM meta";
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            values[rows.GetString(0)] = rows.GetString(1);
        }

        var isOurs = values.GetValueOrDefault("format") == Format
            & long.TryParse(values.GetValueOrDefault("passages"), CultureInfo.InvariantCulture, out var passages)
            & double.TryParse(values.GetValueOrDefault("averageLength"), CultureInfo.InvariantCulture, out var length);
        return isOurs && passages >= 0 && length > 0
            ? new PassageIndexFacts(passages, length, values.GetValueOrDefault("vectors"))
            : throw new InvalidDataException("the index was made by another version; import the pieces again: psylite crosstalk import FILE");
    }

    public static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}

/// <param name="AverageLength">Characters of content a passage.</param>
/// <param name="Vectors">Name of the file of vectors beside the index; null without embeddings.</param>
internal sealed record PassageIndexFacts(long Passages, double AverageLength, string? Vectors);
