using System.Collections.Concurrent;
using Microsoft.Extensions.AI;
using PsyLite.Agent.Retrieval;

namespace PsyLite.Store;

/// <summary>
/// The search over an index file: by words, and by meaning where an embedding generator and its vectors are there, the two rankings fused.
/// A file that is not there finds nothing; one that was replaced is opened anew. Safe to share.
/// </summary>
internal sealed class SqlitePassageSearch(string path, IEmbeddingGenerator<string, Embedding<float>>? embedder = null) : IPassageSearch, IDisposable
{
    /// <summary>Passages that each ranking brings to the fusion.</summary>
    private const int Depth = 50;
    private readonly Lock _gate = new();
    private Opened? _opened;
    private bool _isDisposed;

    public async ValueTask<IReadOnlyList<PassageHit>> SearchAsync(string words, int most, CancellationToken cancellationToken)
    {
        if (Current() is not { } opened)
        {
            return [];
        }

        try
        {
            var query = embedder is null || opened.Vectors is null ? null : (await embedder.GenerateAsync([words], cancellationToken: cancellationToken))[0].Vector.ToArray();
            var reader = opened.Rent();
            try
            {
                return Search(reader, query, opened.Vectors, words, most, cancellationToken);
            }
            finally
            {
                opened.Return(reader);
            }
        }
        finally
        {
            opened.Release();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _opened?.Release();
            _opened = null;
        }
    }

    private static IReadOnlyList<PassageHit> Search(PassageIndexReader reader, float[]? query, VectorFile? vectors, string words, int most, CancellationToken cancellationToken)
    {
        var byWords = reader.Search(words, query is null ? most : Math.Max(most, Depth), cancellationToken);
        if (query is null || vectors is null || vectors.Dimensions != query.Length)
        {
            return [.. byWords.Select(f => f.Hit)];
        }

        var known = byWords.ToDictionary(f => f.Id, f => f.Hit);
        var byMeaning = vectors.Nearest(query, Math.Max(most, Depth), cancellationToken).Select(v => v.Row + 1);
        return [.. RankFusion.Fuse(byWords.Select(f => f.Id), byMeaning).Take(most)
            .Select(f => known.TryGetValue(f.Key, out var hit) ? hit with { Score = f.Score }
                : reader.Passage(f.Key) is var (key, content) ? new PassageHit(key, f.Score, content) : null)
            .OfType<PassageHit>()];
    }

    /// <summary>The open file, taken for one search; null when there is none.</summary>
    private Opened? Current()
    {
        var file = new FileInfo(path);
        if (!file.Exists)
        {
            return null;
        }

        var stamp = (file.Length, file.LastWriteTimeUtc.Ticks);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_opened is null || _opened.Stamp != stamp)
            {
                var fresh = new Opened(path, stamp);
                _opened?.Release();
                _opened = fresh;
            }

            _opened.Take();
            return _opened;
        }
    }

    /// <summary>One version of the file: its connections and vectors, closed when the last search in it is over.</summary>
    private sealed class Opened
    {
        private readonly string _path;
        private readonly ConcurrentBag<PassageIndexReader> _idle = [];
        private int _users = 1;

        public Opened(string path, (long, long) stamp)
        {
            _path = path;
            Stamp = stamp;
            var first = new PassageIndexReader(path);
            _idle.Add(first);
            Vectors = OpenVectors(first.Facts);
        }

        public (long Length, long Written) Stamp { get; }

        public VectorFile? Vectors { get; }

        public void Take() => Interlocked.Increment(ref _users);

        public PassageIndexReader Rent() => _idle.TryTake(out var reader) ? reader : new PassageIndexReader(_path);

        public void Return(PassageIndexReader reader) => _idle.Add(reader);

        public void Release()
        {
            if (Interlocked.Decrement(ref _users) > 0)
            {
                return;
            }

            Vectors?.Dispose();
            while (_idle.TryTake(out var reader))
            {
                reader.Dispose();
            }
        }

        /// <summary>Without its vectors an index still finds by words.</summary>
        private VectorFile? OpenVectors(PassageIndexFacts facts)
        {
            try
            {
                return facts.Vectors is { } name ? new VectorFile(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_path))!, Path.GetFileName(name)), facts.Passages) : null;
            }
            catch (Exception fault) when (fault is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }
}
