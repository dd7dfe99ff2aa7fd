using PsyLite.Models.Text;
using PsyLite.Training.Losses;

namespace PsyLite.Training.Data;

/// <summary>What preference training learns from: packs of pairs in order, held-back packs, and how many updates the recipe makes of them.</summary>
internal sealed record PreferenceData(SentencePieceTokenizer Tokenizer, RowStream<PreferenceBatch> Packs, IReadOnlyList<PreferenceBatch> Held, int Steps)
{
    /// <exception cref="InvalidDataException">The recipe's files are missing or hold nothing to learn.</exception>
    public static PreferenceData Read(RecipeOptions options)
    {
        if (options.Data.Count == 0)
        {
            throw new InvalidDataException("preference training needs data: JSONL files of pairs with chosen and rejected; give them as data in the recipe, or --set 'data=[\"pairs.jsonl\"]'.");
        }

        if (2 * options.MaxSampleTokens > options.RowTokens)
        {
            throw new InvalidDataException($"a pair of twice maxSampleTokens {options.MaxSampleTokens} does not fit into rowTokens {options.RowTokens}; whole pairs are packed.");
        }

        var tokenizer = RecipeTokenizer.Load(options);
        var encoder = new SampleEncoder(tokenizer);
        List<EncodedPair> Encode(IEnumerable<PreferencePair> pairs) =>
            [.. pairs.Select(p => EncodedPair.Encode(encoder, p, options.MaxSampleTokens, options.Overlong)).OfType<EncodedPair>()];

        var (train, held) = JsonLines.Split(JsonLines.Pairs(options.Data), p => p.Prompt[0].Content, options.ValidationData.Count > 0 ? 0 : options.HeldOut);
        held = options.ValidationData.Count > 0 ? JsonLines.Pairs(options.ValidationData) : held;
        var encoded = Encode(train);
        if (encoded.Count == 0)
        {
            throw new InvalidDataException($"{string.Join(", ", options.Data)}: no pair has both replies within maxSampleTokens {options.MaxSampleTokens}.");
        }

        var promptLabels = options.Orpo.Nll == OrpoNll.Trl;
        IEnumerable<PreferenceBatch> Packs(int epochs) => Epochs.Packs(encoded, epochs, options.Seed, options.RowTokens, promptLabels);
        var steps = options.Epochs is { } epochs ? (Packs(epochs).Count() + options.RowsPerStep - 1) / options.RowsPerStep : options.Steps;
        return new PreferenceData(
            tokenizer, new RowStream<PreferenceBatch>(Packs(options.Epochs ?? int.MaxValue)), [.. PairPacking.Pack(Encode(held), options.RowTokens, promptLabels).Take(options.ValidationRows)], steps);
    }
}
