using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>A model's raw predictions, for perplexity and for comparing implementations.</summary>
public static class LlamaLogits
{
    /// <summary>Logits [tokens][vocabulary] after each token of a sequence, computed from an empty context in float32, save for the weights.</summary>
    /// <exception cref="LlamaException">The sequence is longer than the context.</exception>
    public static float[][] Compute(LlamaModel model, ReadOnlySpan<int> tokens)
    {
        if (tokens.Length > model.ContextLength)
        {
            throw new LlamaException(LlamaError.PromptTooLong, $"{tokens.Length} tokens exceed the context of {model.ContextLength}: pass fewer at a time.");
        }

        using var context = model.CreateExactContext();
        var logits = new float[tokens.Length][];
        var batch = new TokenBatch(context.BatchLength);
        for (var start = 0; start < tokens.Length; start += batch.Count)
        {
            batch.Clear();
            while (batch.Free > 0 && start + batch.Count < tokens.Length)
            {
                batch.Add(tokens[start + batch.Count], start + batch.Count, sequence: 0, output: true);
            }

            var code = batch.Decode(context);
            if (code != 0)
            {
                throw new LlamaException(LlamaError.DecodeFailed, $"llama.cpp could not compute the tokens (code {code}).");
            }

            for (var i = 0; i < batch.Count; i++)
            {
                logits[start + i] = context.Logits(i).ToArray();
            }
        }

        return logits;
    }
}
