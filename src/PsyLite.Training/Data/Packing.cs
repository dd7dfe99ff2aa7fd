namespace PsyLite.Training.Data;

/// <summary>One row of tokens. <paramref name="SegmentStarts"/> holds where each sample, or the rest of one, begins.</summary>
public sealed record PackedRow(int[] Tokens, int[] Labels, float[] Weights, int[] SegmentStarts)
{
    /// <summary>Several rows as one: what a batch of more than one is.</summary>
    public static TrainingBatch ToBatch(IReadOnlyList<PackedRow> rows)
    {
        var starts = new List<int>();
        var length = 0;
        foreach (var row in rows)
        {
            starts.AddRange(row.SegmentStarts.Select(s => s + length));
            length += row.Tokens.Length;
        }

        return new TrainingBatch([.. rows.SelectMany(r => r.Tokens)], [.. rows.SelectMany(r => r.Labels)], [.. starts], [.. rows.SelectMany(r => r.Weights)]);
    }
}

/// <summary>How samples become rows.</summary>
public enum PackingMode
{
    /// <summary>Whole samples, first come first served; a row ends before the first that does not fit. No sample loses its context.</summary>
    Whole,

    /// <summary>
    /// As XTuner: all samples one behind the other, cut every so many tokens. A sample may lie in two rows; its rest begins at position 0
    /// and without context. What is left at the end is lost.
    /// </summary>
    Cut,
}

/// <summary>Packs samples into rows of at most a given number of tokens.</summary>
public static class RowPacking
{
    /// <summary>Rows in order; endless for endless samples.</summary>
    public static IEnumerable<PackedRow> Pack(IEnumerable<EncodedSample> samples, int rowTokens, PackingMode packing) =>
        packing == PackingMode.Whole ? Whole(samples, rowTokens) : Cut(samples, rowTokens);

    private static IEnumerable<PackedRow> Whole(IEnumerable<EncodedSample> samples, int rowTokens)
    {
        var row = new RowBuilder(rowTokens);
        foreach (var sample in samples)
        {
            if (row.Length + sample.Tokens.Length > rowTokens && row.Length > 0)
            {
                yield return row.ToRow();
                row = new RowBuilder(rowTokens);
            }

            row.Add(sample, 0, sample.Tokens.Length);
        }

        if (row.Length > 0)
        {
            yield return row.ToRow();
        }
    }

    private static IEnumerable<PackedRow> Cut(IEnumerable<EncodedSample> samples, int rowTokens)
    {
        var row = new RowBuilder(rowTokens);
        foreach (var sample in samples)
        {
            for (var from = 0; from < sample.Tokens.Length;)
            {
                var count = Math.Min(sample.Tokens.Length - from, rowTokens - row.Length);
                row.Add(sample, from, count);
                from += count;
                if (row.Length == rowTokens)
                {
                    yield return row.ToRow();
                    row = new RowBuilder(rowTokens);
                }
            }
        }
    }

    private sealed class RowBuilder(int capacity)
    {
        private readonly List<int> _tokens = new(capacity);
        private readonly List<int> _labels = new(capacity);
        private readonly List<float> _weights = new(capacity);
        private readonly List<int> _starts = [];

        public int Length => _tokens.Count;

        public void Add(EncodedSample sample, int from, int count)
        {
            _starts.Add(_tokens.Count);
            _tokens.AddRange(sample.Tokens.AsSpan(from, count));
            _labels.AddRange(sample.Labels.AsSpan(from, count));
            _weights.AddRange(sample.Weights.AsSpan(from, count));
            if (from + count < sample.Tokens.Length)
            {
                // The target lies in the next row.
                (_labels[^1], _weights[^1]) = (SampleEncoder.Ignored, 0f);
            }
        }

        public PackedRow ToRow() => new([.. _tokens], [.. _labels], [.. _weights], [.. _starts]);
    }
}

/// <summary>Takes rows in order and knows how many it took: a fresh stream that skips as many goes on at the same place.</summary>
public sealed class RowStream<T>(IEnumerable<T> rows)
    where T : class
{
    private readonly IEnumerator<T> _rows = rows.GetEnumerator();

    public long Taken { get; private set; }

    /// <returns>The next row, or null when they have come to an end.</returns>
    public T? Next()
    {
        if (!_rows.MoveNext())
        {
            return null;
        }

        Taken++;
        return _rows.Current;
    }

    /// <summary>The next rows, as many as there are.</summary>
    public List<T> Take(int count)
    {
        var taken = new List<T>(count);
        while (taken.Count < count && Next() is { } row)
        {
            taken.Add(row);
        }

        return taken;
    }

    public void Skip(long count)
    {
        for (var i = 0L; i < count && Next() is not null; i++)
        {
        }
    }
}
