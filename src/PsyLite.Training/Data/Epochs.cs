namespace PsyLite.Training.Data;

/// <summary>Goes through a finite set several times, each time in another order that depends on the seed alone.</summary>
internal static class Epochs
{
    /// <summary>One pass.</summary>
    public static T[] Shuffled<T>(IReadOnlyList<T> items, int seed, int epoch)
    {
        var order = items.ToArray();
        new Random(unchecked((seed * 1_000_003) + epoch)).Shuffle(order);
        return order;
    }

    /// <summary>
    /// Rows of all passes. Whole packing shuffles the samples before each pass; cutting packs once and shuffles the rows, as XTuner does,
    /// because its packs are made before training.
    /// </summary>
    public static IEnumerable<PackedRow> Rows(IReadOnlyList<EncodedSample> samples, int epochs, int seed, int rowTokens, PackingMode packing)
    {
        var cut = packing == PackingMode.Cut ? RowPacking.Pack(Shuffled(samples, seed, epoch: -1), rowTokens, packing).ToList() : [];
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            foreach (var row in packing == PackingMode.Cut ? Shuffled(cut, seed, epoch) : RowPacking.Pack(Shuffled(samples, seed, epoch), rowTokens, packing))
            {
                yield return row;
            }
        }
    }

    /// <summary>Packs of all passes over preference pairs.</summary>
    public static IEnumerable<PreferenceBatch> Packs(IReadOnlyList<EncodedPair> pairs, int epochs, int seed, int packTokens, bool promptLabels)
    {
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            foreach (var pack in PairPacking.Pack(Shuffled(pairs, seed, epoch), packTokens, promptLabels))
            {
                yield return pack;
            }
        }
    }
}
