using PsyLite.Models.Text;

namespace PsyLite.Training.Running;

/// <summary>What the model in training answers to a few messages, most likely token by most likely token.</summary>
internal static class SampleReplies
{
    public static IReadOnlyList<(string Prompt, string Reply)> Ask(Transformer model, SentencePieceTokenizer tokenizer, RecipeOptions options)
    {
        if (options.SamplePrompts.Count == 0)
        {
            return [];
        }

        var template = new ChatTemplate(tokenizer);
        return [.. options.SamplePrompts.Select(prompt =>
        {
            var tokens = template.Encode([new TemplateMessage("user", prompt)], addGenerationPrompt: true);
            return (prompt, tokenizer.Decode([.. model.Generate(tokens, options.SampleTokens, temperature: 0, new Random(options.Seed), new HashSet<int> { template.EndId })]));
        })];
    }
}
