namespace PsyLite.Evaluation.CEval;

/// <summary>A protocol of C-Eval that somebody has published numbers with.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="MaxTokens">Of an answer in words; room for reasoning included.</param>
public sealed record CEvalVariant(string Name, CEvalForm Form, CEvalReading Reading, int Shots, int MaxTokens)
{
    private const int UsualTokens = 512;

    /// <summary>
    /// official*: the owners' evaluators, as text for a model without chat, or as turns. opencompass-*: the configurations gen_5f30c7,
    /// ppl_578f8d and zero_shot_gen_bd40ef.
    /// </summary>
    public static IReadOnlyList<CEvalVariant> All { get; } =
    [
        new("official", CEvalForm.Text, CEvalReading.LikeliestLetter, 5, 1),
        new("official-chat", CEvalForm.Chat, CEvalReading.ExactOrPattern, 5, UsualTokens),
        new("official-cot", CEvalForm.ChatReasoned, CEvalReading.Conclusion, 5, 2 * UsualTokens),
        new("opencompass-gen", CEvalForm.Rounds, CEvalReading.FirstCapital, 5, UsualTokens),
        new("opencompass-ppl", CEvalForm.RoundsText, CEvalReading.LowestPerplexity, 5, 1),
        new("opencompass-zero-shot-gen", CEvalForm.RoundsReasoned, CEvalReading.FirstOption, 0, 256),
    ];
}

/// <summary>What is put before the model.</summary>
public enum CEvalForm
{
    /// <summary>One text: header, examples, question, up to the answer.</summary>
    Text,

    /// <summary>System line, header before the first question, examples as turns.</summary>
    Chat,

    /// <summary>As <see cref="Chat"/>, with the examples' reasoning.</summary>
    ChatReasoned,

    /// <summary>Examples as turns, the header in each.</summary>
    Rounds,

    /// <summary>As <see cref="Rounds"/>, as one text.</summary>
    RoundsText,

    /// <summary>As <see cref="Rounds"/>, asking for reasoning.</summary>
    RoundsReasoned,
}

/// <summary>How the answer is read.</summary>
public enum CEvalReading
{
    /// <summary>The likeliest of A to D as the next token.</summary>
    LikeliestLetter,

    /// <summary>The option under which the whole text has the lowest perplexity.</summary>
    LowestPerplexity,

    /// <summary>The whole answer is the letter, but for spaces and punctuation; without examples the last match of a list of patterns.</summary>
    ExactOrPattern,

    /// <summary>The last conclusion of the reasoning.</summary>
    Conclusion,

    /// <summary>The first capital letter, whichever it is.</summary>
    FirstCapital,

    /// <summary>The first of a list of patterns that matches.</summary>
    FirstOption,
}
