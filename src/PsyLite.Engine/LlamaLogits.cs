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

        using var context = model.CreateContext(sequences: 1, maxOutputs: 0, exact: true);
        var logits = new float[tokens.Length][];
        for (var start = 0; start < tokens.Length; start += context.BatchLength)
        {
            var part = tokens[start..Math.Min(start + context.BatchLength, tokens.Length)];
            var positions = new int[part.Length];
            var outputs = new byte[part.Length];
            for (var i = 0; i < part.Length; i++)
            {
                positions[i] = start + i;
                outputs[i] = 1;
            }

            var code = context.Decode(part, positions, new int[part.Length], outputs);
            if (code != 0)
            {
                throw new LlamaException(LlamaError.DecodeFailed, $"llama.cpp could not compute the tokens (code {code}).");
            }

            for (var i = 0; i < part.Length; i++)
            {
                logits[start + i] = context.Logits(i).ToArray();
            }
        }

        return logits;
    }
}
