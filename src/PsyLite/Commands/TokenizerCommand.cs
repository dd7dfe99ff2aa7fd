using System.CommandLine;

namespace PsyLite.Commands;

/// <summary><c>psylite train tokenizer</c>: a SentencePiece vocabulary from the text of our own.</summary>
internal static class TokenizerCommand
{
    public static Command Create() => new("tokenizer", "训练 SentencePiece 词表 · train the vocabulary");
}
