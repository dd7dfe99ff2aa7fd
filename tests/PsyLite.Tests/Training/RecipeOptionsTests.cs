using PsyLite.Training;

namespace PsyLite.Tests.Training;

/// <summary>Recipes are data: read, overridden, and refused with one line that names the fault.</summary>
public sealed class RecipeOptionsTests
{
    private static string Recipe(string name) => Path.Combine(ReferenceGraphTests.Root, "recipes", name);

    [Theory]
    [InlineData("mini.pretrain.json")]
    [InlineData("mini.sft.json")]
    public void The_recipes_that_come_along_are_valid(string name) => Assert.Equal(256, RecipeOptions.Read(Recipe(name), []).Model.HiddenSize);

    [Fact]
    public void Overrides_reach_into_the_model()
    {
        var options = RecipeOptions.Read(Recipe("mini.sft.json"), ["steps=7", "model.layers=2", "learningRate=0.5", "startFrom=null"]);
        Assert.Equal((7, 2, 0.5f, null), (options.Steps, options.Model.Layers, options.LearningRate, options.StartFrom));
    }

    [Theory]
    [InlineData("steps", "key=value")]
    [InlineData("steps=0", "steps must be positive")]
    [InlineData("stepz=3", "stepz")]
    [InlineData("modle.layers=3", "no part modle")]
    [InlineData("model.heads=3", "heads")]
    [InlineData("steps=many", "steps")]
    [InlineData("maxSampleTokens=9999", "maxSampleTokens")]
    public void A_wrong_override_is_one_line_that_names_it(string set, string named)
    {
        var error = Assert.Throws<InvalidDataException>(() => RecipeOptions.Read(Recipe("mini.sft.json"), [set]));
        Assert.Contains(named, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_missing_recipe_says_where_recipes_are() =>
        Assert.Contains("recipes/", Assert.Throws<InvalidDataException>(() => RecipeOptions.Read("nowhere.json", [])).Message);
}
