using PsyLite.Models.Text;

namespace PsyLite.Training.Data;

/// <summary>The vocabulary that a recipe names.</summary>
internal static class RecipeTokenizer
{
    /// <exception cref="InvalidDataException">The file does not fit the recipe's model.</exception>
    public static SentencePieceTokenizer Load(RecipeOptions options)
    {
        if (!File.Exists(options.Tokenizer))
        {
            throw new InvalidDataException($"the vocabulary {options.Tokenizer} does not exist; give the tokenizer.model of the base model in the recipe's tokenizer.");
        }

        var model = SentencePieceModel.Load(options.Tokenizer);
        if (model.IdOf(ChatTemplate.StartPiece) < 0)
        {
            // InternLM2.5's file has placeholders where its chat pieces are.
            model = model.WithControlPieces(SentencePieceModel.InternLm25ChatPieces);
        }

        return model.VocabSize <= options.Model.VocabSize
            ? new SentencePieceTokenizer(model)
            : throw new InvalidDataException($"{options.Tokenizer} has {model.VocabSize} pieces, the recipe's model only {options.Model.VocabSize}: vocabSize.");
    }
}
