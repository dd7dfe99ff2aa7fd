using PsyLite.Models.Text;

namespace PsyLite.Training.Data;

/// <summary>What fine-tuning learns from: rows in order, held-back batches, and how many updates the recipe makes of them.</summary>
internal sealed record SftData(SentencePieceTokenizer Tokenizer, RowStream<PackedRow> Rows, IReadOnlyList<TrainingBatch> Held, int Steps)
{
    /// <exception cref="InvalidDataException">The recipe's files are missing or hold nothing to learn.</exception>
    public static SftData Read(RecipeOptions options, ComposerPrompts prompts)
    {
        var tokenizer = RecipeTokenizer.Load(options);
        var encoder = new SampleEncoder(tokenizer, options.Decisions);
        return options.Data.Count > 0 ? FromFiles(options, tokenizer, encoder) : FromCorpus(options, prompts, tokenizer, encoder);
    }

    private static SftData FromFiles(RecipeOptions options, SentencePieceTokenizer tokenizer, SampleEncoder encoder)
    {
        var (train, held) = JsonLines.Split(JsonLines.Samples(options.Data), s => s.Messages[0].Content, options.ValidationData.Count > 0 ? 0 : options.HeldOut);
        held = options.ValidationData.Count > 0 ? JsonLines.Samples(options.ValidationData) : held;
        var encoded = Encode(train, options, encoder).ToList();
        if (encoded.Count == 0)
        {
            throw new InvalidDataException($"{string.Join(", ", options.Data)}: no sample has a reply within maxSampleTokens {options.MaxSampleTokens}.");
        }

        IEnumerable<PackedRow> Rows(int epochs) => Epochs.Rows(encoded, epochs, options.Seed, options.RowTokens, options.Packing);
        var steps = options.Epochs is { } epochs ? (Rows(epochs).Count() + options.RowsPerStep - 1) / options.RowsPerStep : options.Steps;
        return new SftData(tokenizer, new RowStream<PackedRow>(Rows(options.Epochs ?? int.MaxValue)), Batches(RowPacking.Pack(Encode(held, options, encoder), options.RowTokens, PackingMode.Whole), options), steps);
    }

    /// <summary>The text of our own, composed into conversations without end.</summary>
    private static SftData FromCorpus(RecipeOptions options, ComposerPrompts prompts, SentencePieceTokenizer tokenizer, SampleEncoder encoder)
    {
        var corpus = TextCorpus.Read(options.Corpora);
        IEnumerable<PackedRow> Rows(bool heldOut) => RowPacking.Pack(
            Encode(new DialogueComposer(corpus, prompts, heldOut, options.Mix).Compose(options.Seed), options, encoder), options.RowTokens, options.Packing);
        return new SftData(tokenizer, new RowStream<PackedRow>(Rows(heldOut: false)), Batches(Rows(heldOut: true), options), options.Steps);
    }

    private static IEnumerable<EncodedSample> Encode(IEnumerable<TrainingSample> samples, RecipeOptions options, SampleEncoder encoder) =>
        samples.Select(s => encoder.Encode(s, options.Loss, options.MaxSampleTokens, options.Overlong)).OfType<EncodedSample>();

    private static List<TrainingBatch> Batches(IEnumerable<PackedRow> rows, RecipeOptions options) => [.. rows.Take(options.ValidationRows).Select(row => PackedRow.ToBatch([row]))];
}
