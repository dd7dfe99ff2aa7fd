namespace PsyLite.Training.Data;

/// <summary>One row of tokens made of whole samples. <paramref name="SegmentStarts"/> holds where each sample begins.</summary>
public sealed record PackedRow(int[] Tokens, int[] Labels, float[] Weights, int[] SegmentStarts);

/// <summary>
/// Packs whole samples, first come first served, into rows of at most a given number of tokens. A sample is never cut across
/// rows (the original cut hard every 4096 tokens, so that a tail lost its context). Resuming replays the sample stream.
/// </summary>
public sealed class PackedBatches
{
    private readonly IEnumerator<EncodedSample> _samples;
    private readonly int _rowTokens;
    private EncodedSample? _carried;

    public PackedBatches(IEnumerable<TrainingSample> samples, SampleEncoder encoder, LossScope scope, int rowTokens, int maxSampleTokens)
    {
        _rowTokens = rowTokens;
        _samples = samples.Select(s => encoder.Encode(s, scope, maxSampleTokens)).OfType<EncodedSample>().GetEnumerator();
    }

    /// <summary>Rows handed out so far; <see cref="Skip"/> brings a fresh instance to the same place.</summary>
    public long RowsTaken { get; private set; }

    /// <returns>The next row, or null when the samples have come to an end.</returns>
    public PackedRow? Next()
    {
        var tokens = new List<int>(_rowTokens);
        var labels = new List<int>(_rowTokens);
        var weights = new List<float>(_rowTokens);
        var starts = new List<int>();
        while (true)
        {
            var sample = _carried ?? (_samples.MoveNext() ? _samples.Current : null);
            _carried = null;
            if (sample is null)
            {
                break;
            }

            if (tokens.Count + sample.Tokens.Length > _rowTokens && tokens.Count > 0)
            {
                _carried = sample;
                break;
            }

            starts.Add(tokens.Count);
            tokens.AddRange(sample.Tokens);
            labels.AddRange(sample.Labels);
            weights.AddRange(sample.Weights);
        }

        if (tokens.Count == 0)
        {
            return null;
        }

        RowsTaken++;
        return new PackedRow([.. tokens], [.. labels], [.. weights], [.. starts]);
    }

    public void Skip(long rows)
    {
        for (var i = 0L; i < rows; i++)
        {
            Next();
        }
    }
}
