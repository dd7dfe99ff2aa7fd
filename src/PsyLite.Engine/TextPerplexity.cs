using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>How well a model foresees a text.</summary>
/// <param name="Chunks">Mean negative natural-log likelihood of the scored tokens of each chunk.</param>
/// <param name="ScoredTokens">Tokens that were foretold, of all chunks.</param>
/// <param name="StandardError">Of the mean over tokens.</param>
public sealed record PerplexityResult(IReadOnlyList<double> Chunks, int Tokens, int ScoredTokens, double NegativeLogLikelihood, double StandardError)
{
    public double Perplexity => Math.Exp(NegativeLogLikelihood);
}

/// <summary>
/// Perplexity as llama.cpp's llama-perplexity defines it: the text's tokens are cut into chunks of a context each, the first of each chunk
/// gives way to the beginning-of-text token, and the second half of each chunk is scored. Several chunks are computed at once.
/// </summary>
public static class TextPerplexity
{
    /// <summary>llama.cpp's own default.</summary>
    public const int UsualContext = 512;

    /// <summary>Tokens of one decode, and bytes that its logits may take: a vocabulary of 92,544 has a third of a megabyte a token.</summary>
    private const int MostTokens = 2048;
    private const long MostLogitBytes = 512L << 20;

    /// <param name="text">One line break at its end is not counted, as llama-perplexity does it.</param>
    /// <param name="mostChunks">Leaves out the chunks after these; null takes all.</param>
    /// <exception cref="LlamaException">The text is shorter than two chunks, or the context longer than the model's.</exception>
    public static PerplexityResult Compute(
        LlamaModel model, string text, int contextLength = UsualContext, int? mostChunks = null, IProgress<(int Done, int Total)>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(contextLength, 4);
        if (contextLength > model.TrainingContextLength && model.TrainingContextLength > 0)
        {
            throw new LlamaException(LlamaError.PromptTooLong, $"The model was trained for {model.TrainingContextLength} tokens: take a context of at most that.");
        }

        var tokens = model.Vocabulary.Encode(text.EndsWith('\n') ? text[..^1] : text, parseSpecial: false, addSpecial: true);
        var chunks = Math.Min(tokens.Length / contextLength, mostChunks ?? int.MaxValue);
        if (tokens.Length < 2 * contextLength)
        {
            throw new LlamaException(LlamaError.PromptTooLong, $"The text has {tokens.Length} tokens, and a context of {contextLength} needs {2 * contextLength}: take a longer text or a shorter context.");
        }

        var first = contextLength / 2;
        var rows = (long)(contextLength - first) * model.VocabularySize * sizeof(float);
        var parallel = (int)Math.Clamp(Math.Min(MostTokens / contextLength, MostLogitBytes / rows), 1, chunks);
        using var context = model.CreatePerplexityContext(contextLength, parallel, (contextLength - first) * parallel);
        var batch = new TokenBatch(contextLength * parallel);
        var means = new double[chunks];
        var (sum, squares) = (0.0, 0.0);
        for (var chunk = 0; chunk < chunks; chunk += parallel)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = Math.Min(parallel, chunks - chunk);
            Decode(context, batch, model.Vocabulary, tokens, chunk, count, contextLength);
            for (var i = 0; i < count; i++)
            {
                for (var place = first; place < contextLength - 1; place++)
                {
                    var loss = -LogLikelihood(context.Logits((i * contextLength) + place), tokens[((chunk + i) * contextLength) + place + 1]);
                    means[chunk + i] += loss / (contextLength - 1 - first);
                    sum += loss;
                    squares += loss * loss;
                }
            }

            progress?.Report((chunk + count, chunks));
        }

        var scored = chunks * (contextLength - 1 - first);
        var mean = sum / scored;
        return new PerplexityResult(means, tokens.Length, scored, mean, Math.Sqrt(Math.Max(0, (squares / scored) - (mean * mean)) / Math.Max(1, scored - 1)));
    }

    private static void Decode(ContextHandle context, TokenBatch batch, Vocabulary vocabulary, int[] tokens, int chunk, int count, int contextLength)
    {
        context.Clear();
        batch.Clear();
        for (var i = 0; i < count; i++)
        {
            for (var place = 0; place < contextLength; place++)
            {
                var token = place == 0 && vocabulary.AddsBegin ? vocabulary.BeginToken : tokens[((chunk + i) * contextLength) + place];
                batch.Add(token, place, i, output: place >= contextLength / 2);
            }
        }

        var code = batch.Decode(context);
        if (code != 0)
        {
            throw new LlamaException(LlamaError.DecodeFailed, $"llama.cpp could not compute the tokens (code {code}): take a shorter context.");
        }
    }

    private static double LogLikelihood(ReadOnlySpan<float> logits, int token) => logits[token] - LabelScoring.LogSumExp(logits);
}
