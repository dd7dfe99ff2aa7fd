using System.Globalization;
using PsyLite.Models.Text;

namespace PsyLite.Tests.Models;

public sealed class TokenizerTrainingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psylite-training").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Trains_a_vocabulary_with_the_fixed_ids_and_without_loss_of_text()
    {
        var recipe = TokenizerRecipe.Load(Path.Combine(ReferenceGraphTests.Root, "recipes/mini.tokenizer.json")) with { VocabSize = 1024, CharacterCoverage = 0.98 };
        var path = Path.Combine(_folder, "mini.model");
        var model = await TokenizerTraining.RunAsync(recipe, VariedText.Lines(3000, seed: 1).Select(l => l.Replace("\0", "")), path);

        Assert.Equal(1024, model.VocabSize);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], new[] { "<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<0x00>" }.Select(model.IdOf));
        Assert.Equal((PieceType.Control, PieceType.UserDefined), (model.Pieces[3].Type, model.Pieces[5].Type));
        Assert.All(recipe.RequiredCharacters.Where(c => c != ' '), c => Assert.True(model.IdOf(c.ToString(CultureInfo.InvariantCulture)) >= 0, $"'{c}' is no piece"));

        var tokenizer = new SentencePieceTokenizer(SentencePieceModel.Load(path));
        foreach (var line in VariedText.Lines(500, seed: 2).Select(l => l.Replace('\u2581', ' ') + "\n\n  末尾 "))
        {
            Assert.Equal(line, tokenizer.Decode(tokenizer.Encode(line)));
        }
    }

    [Fact]
    public async Task Too_little_text_is_one_line_with_advice()
    {
        var path = Path.Combine(_folder, "none.model");
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => TokenizerTraining.RunAsync(new TokenizerRecipe(), ["你好", "再见"], path));
        Assert.Contains("Give more text", error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.False(File.Exists(path));
    }

    [Theory]
    [InlineData("{\"vocabSize\": 1000}", "multiple of 256")]
    [InlineData("{\"characterCoverage\": 0.5}", "characterCoverage")]
    [InlineData("{\"controlSymbols\": [\"a,b\"]}", "comma")]
    [InlineData("{\"vocabSize\": \"many\"}", "recipe.json")]
    [InlineData("null", "empty")]
    public void A_wrong_recipe_is_one_line(string json, string message)
    {
        var path = Path.Combine(_folder, "recipe.json");
        File.WriteAllText(path, json);
        var error = Assert.Throws<InvalidDataException>(() => TokenizerRecipe.Load(path));
        Assert.Contains(message, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }
}
