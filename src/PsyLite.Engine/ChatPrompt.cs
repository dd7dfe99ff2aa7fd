using System.Globalization;
using Microsoft.Extensions.AI;
using PsyLite.Engine.Native;
using PsyLite.Models.Text;

namespace PsyLite.Engine;

/// <summary>
/// Renders conversations into tokens by the model's chat template. Only the template's own text may become special
/// tokens: what people wrote is tokenised as plain text, so that nobody can end a turn or speak as the system by typing.
/// </summary>
internal sealed class ChatPrompt
{
    private const string Assistant = "assistant";

    /// <summary>Private-use characters that stand for the contents while llama.cpp applies a template.</summary>
    private const char MarkStart = '\uE000';
    private const char MarkEnd = '\uE001';

    private readonly Vocabulary vocabulary;
    private readonly string? template;
    private readonly string[] controlTexts;

    public ChatPrompt(Vocabulary vocabulary, string? template)
    {
        this.vocabulary = vocabulary;
        this.template = template is null || template.Contains(ChatTemplate.StartPiece, StringComparison.Ordinal) ? null : template;
        controlTexts = [ChatTemplate.StartPiece, ChatTemplate.EndPiece];
    }

    /// <summary>Tokens up to the place where the assistant's next text begins.</summary>
    /// <exception cref="LlamaException">llama.cpp does not know the model's template.</exception>
    public int[] Encode(IEnumerable<ChatMessage> conversation)
    {
        var messages = conversation.Select(m => (Role: m.Role.Value, Content: m.Text)).ToList();
        var tokens = new List<int>();
        if (vocabulary.AddsBegin)
        {
            tokens.Add(vocabulary.BeginToken);
        }

        foreach (var (text, isTemplate) in template is null ? ChatMl(messages) : OtherFamily(template, messages))
        {
            tokens.AddRange(isTemplate ? vocabulary.Encode(text, parseSpecial: true) : EncodePlain(text));
        }

        return [.. tokens];
    }

    /// <summary>Tokens of a text that continues the prompt.</summary>
    public int[] EncodePlain(string text)
    {
        // Vocabularies may declare turn marks as user-defined pieces, which llama.cpp reads in any text; parted, they stay letters.
        var tokens = new List<int>();
        var start = 0;
        while (start < text.Length)
        {
            var end = text.Length;
            foreach (var mark in controlTexts)
            {
                var at = text.IndexOf(mark, start, StringComparison.Ordinal);
                end = at >= 0 ? Math.Min(end, at + 1) : end;
            }

            tokens.AddRange(vocabulary.Encode(text[start..end], parseSpecial: false));
            start = end;
        }

        return [.. tokens];
    }

    /// <summary>
    /// The pieces of <see cref="ChatTemplate"/>: role and content are one text, save for the assistant, whose content is
    /// tokenised as it was generated, behind the header.
    /// </summary>
    private static IEnumerable<(string Text, bool IsTemplate)> ChatMl(List<(string Role, string Content)> messages)
    {
        foreach (var (role, content) in messages)
        {
            yield return (ChatTemplate.StartPiece, true);
            if (role == Assistant)
            {
                yield return ($"{Assistant}\n", false);
                yield return (content, false);
            }
            else
            {
                yield return ($"{role}\n{content}", false);
            }

            yield return (ChatTemplate.EndPiece, true);
            yield return ("\n", false);
        }

        yield return (ChatTemplate.StartPiece, true);
        yield return ($"{Assistant}\n", false);
    }

    private static IEnumerable<(string Text, bool IsTemplate)> OtherFamily(string template, List<(string Role, string Content)> messages)
    {
        var marked = messages.Select((m, i) => (m.Role, string.Create(CultureInfo.InvariantCulture, $"{MarkStart}{i}{MarkEnd}"))).ToList();
        var rendered = ModelFacts.ApplyTemplate(template, marked, addAssistant: true) ?? throw new LlamaException(
            LlamaError.UnknownTemplate,
            "llama.cpp does not know this model's chat template: use a model with a common one, such as ChatML, Llama 3, Mistral or Gemma.");
        var start = 0;
        while (rendered.IndexOf(MarkStart, start) is var at and >= 0)
        {
            var end = rendered.IndexOf(MarkEnd, at);
            yield return (rendered[start..at], true);
            yield return (messages[int.Parse(rendered.AsSpan(at + 1, end - at - 1), CultureInfo.InvariantCulture)].Content, false);
            start = end + 1;
        }

        yield return (rendered[start..], true);
    }
}
