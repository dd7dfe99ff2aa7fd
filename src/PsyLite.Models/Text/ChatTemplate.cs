using System.Text;

namespace PsyLite.Models.Text;

/// <summary>One message of a conversation as the template takes it.</summary>
/// <param name="Role">A short lower-case word: system, user, assistant or tool.</param>
/// <param name="Content">Any text.</param>
public readonly record struct TemplateMessage(string Role, string Content);

/// <summary>
/// The chat format of InternLM2 (ChatML): <c>&lt;|im_start|&gt;{role}\n{content}&lt;|im_end|&gt;\n</c> per message, then, when a reply is
/// wanted, <c>&lt;|im_start|&gt;assistant\n</c>. Control tokens come from the template alone, never from what a message says.
/// </summary>
/// <remarks>Source: chat_template in tokenizer_config.json of internlm2_5-7b-chat.</remarks>
public sealed class ChatTemplate
{
    /// <summary>Text of the control piece that begins a message.</summary>
    public const string StartPiece = "<|im_start|>";

    /// <summary>Text of the control piece that ends a message.</summary>
    public const string EndPiece = "<|im_end|>";

    /// <summary>The same format for GGUF's <c>tokenizer.chat_template</c> and for HuggingFace's tokenizer_config.json.</summary>
    public const string Jinja =
        "{{ bos_token }}{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    private const string AssistantRole = "assistant";
    private const int MaxRoleLength = 32;

    // What a server that parses control pieces in text would take for one.
    private static readonly string[] ControlTexts =
        [StartPiece, EndPiece, "<s>", "</s>", "<unk>", "<|action_start|>", "<|action_end|>", "<|interpreter|>", "<|plugin|>"];

    private readonly SentencePieceTokenizer _tokenizer;

    /// <summary>Prepares the template for a tokenizer.</summary>
    /// <exception cref="InvalidDataException">The vocabulary lacks the control pieces of the format.</exception>
    public ChatTemplate(SentencePieceTokenizer tokenizer)
    {
        _tokenizer = tokenizer;
        StartId = ControlId(StartPiece);
        EndId = ControlId(EndPiece);
    }

    /// <summary>Id of <see cref="StartPiece"/>.</summary>
    public int StartId { get; }

    /// <summary>Id of <see cref="EndPiece"/>; generation stops at it.</summary>
    public int EndId { get; }

    /// <summary>
    /// The prompt as text, without the sequence-begin piece. Control pieces that a message spells out are broken up by a space behind
    /// '&lt;', so that a server which parses them in the prompt cannot be steered by a message.
    /// </summary>
    /// <exception cref="ArgumentException">A role is not a short lower-case word.</exception>
    public static string Render(IEnumerable<TemplateMessage> messages, bool addGenerationPrompt)
    {
        var text = new StringBuilder();
        foreach (var message in messages)
        {
            text.Append(StartPiece).Append(CheckedRole(message.Role)).Append('\n').Append(WithoutControls(message.Content)).Append(EndPiece).Append('\n');
        }

        return (addGenerationPrompt ? text.Append(StartPiece).Append(AssistantRole).Append('\n') : text).ToString();
    }

    /// <summary>The prompt as token ids, beginning with the sequence-begin piece if the vocabulary has one.</summary>
    /// <exception cref="ArgumentException">A role is not a short lower-case word.</exception>
    public int[] Encode(IEnumerable<TemplateMessage> messages, bool addGenerationPrompt)
    {
        var output = new List<int>();
        if (_tokenizer.Model.BosId >= 0)
        {
            output.Add(_tokenizer.Model.BosId);
        }

        foreach (var message in messages)
        {
            AppendMessage(message, output);
        }

        if (addGenerationPrompt)
        {
            AppendHeader(AssistantRole, output);
        }

        return [.. output];
    }

    /// <summary>Appends one whole message, its final line feed included.</summary>
    /// <remarks>
    /// As the reference tokenizer does, role and content are encoded as one text, save for the assistant: there the content is what the
    /// model generated behind the header, and encoding it apart gives back the ids it generated, so that cached prefixes stay valid.
    /// </remarks>
    /// <exception cref="ArgumentException">The role is not a short lower-case word.</exception>
    public void AppendMessage(TemplateMessage message, List<int> output)
    {
        if (message.Role == AssistantRole)
        {
            AppendHeader(AssistantRole, output);
            AppendReply(message.Content, output);
        }
        else
        {
            output.Add(StartId);
            _tokenizer.Encode($"{CheckedRole(message.Role)}\n{message.Content}", output);
            output.Add(EndId);
        }

        _tokenizer.Encode("\n", output);
    }

    /// <summary>Appends <c>&lt;|im_start|&gt;{role}\n</c>; for the assistant this is the generation prompt.</summary>
    /// <exception cref="ArgumentException">The role is not a short lower-case word.</exception>
    public void AppendHeader(string role, List<int> output)
    {
        output.Add(StartId);
        _tokenizer.Encode($"{CheckedRole(role)}\n", output);
    }

    /// <summary>Appends <c>{content}&lt;|im_end|&gt;</c>, the part of an assistant message that is learned.</summary>
    public void AppendReply(string content, List<int> output)
    {
        _tokenizer.Encode(content, output);
        output.Add(EndId);
    }

    private static string CheckedRole(string role) =>
        role.Length is > 0 and <= MaxRoleLength && role.All(c => char.IsAsciiLetterLower(c) || c == '_')
            ? role
            : throw new ArgumentException("A message role must be a lower-case word such as system, user or assistant.", nameof(role));

    private static string WithoutControls(string content)
    {
        foreach (var control in ControlTexts)
        {
            content = content.Replace(control, "< " + control[1..], StringComparison.Ordinal);
        }

        return content;
    }

    private int ControlId(string piece)
    {
        var id = _tokenizer.Model.IdOf(piece);
        return id >= 0 && _tokenizer.Model.Pieces[id].Type == PieceType.Control
            ? id
            : throw new InvalidDataException($"The tokenizer has no control piece {piece}; for InternLM2.5 apply {nameof(SentencePieceModel)}.{nameof(SentencePieceModel.InternLm25ChatPieces)}.");
    }
}
